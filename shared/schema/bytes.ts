/**
 * Bytes in order: a growing buffer to write to, and a reader that checks every step against the end and throws
 * SchemaError. Numbers are little-endian; a varint has 7 bits to a byte, least significant first, up to 2^53 - 1.
 */
import { SchemaError } from "./schema-error.ts";

const INITIAL_BYTES = 1_024;
/** Up to this many characters a loop is faster than TextEncoder and TextDecoder. */
const SHORT_TEXT_CHARS = 24;
/** Memory from which short copies are taken: an array with memory of its own costs many times its copying. */
const POOL_BYTES = 16_384;
const POOLED_BYTES_MAX = 2_048;
/** And up to this many bytes than copying at one go. */
const SHORT_COPY_BYTES = 32;

const encoder = new TextEncoder();
// ignoreBOM keeps a byte order mark: it is part of the string.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ByteWriter {
  bytes = new Uint8Array(INITIAL_BYTES);
  view = new DataView(this.bytes.buffer);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `count` more bytes. What follows may write so many without looking. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** The `count` low bytes of a 32-bit integer. */
  low(value: number, count: number): void {
    this.reserve(count);
    for (let i = 0; i < count; i++) this.bytes[this.length++] = value >>> (8 * i);
  }

  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** UTF-8 behind its length in bytes. */
  string(value: string): void {
    if (value.length > SHORT_TEXT_CHARS || !this.#ascii(value)) {
      const encoded = encoder.encode(value);
      this.varint(encoded.length);
      this.reserve(encoded.length);
      this.bytes.set(encoded, this.length);
      this.length += encoded.length;
    }
  }

  #ascii(value: string): boolean {
    this.reserve(1 + value.length);
    const start = this.length;
    this.bytes[start] = value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.bytes[start + 1 + i] = code;
    }
    this.length = start + 1 + value.length;
    return true;
  }

  /** A part of other bytes. */
  copy(from: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count > SHORT_COPY_BYTES) this.bytes.set(from.subarray(start, end), this.length);
    else for (let i = 0; i < count; i++) this.bytes[this.length + i] = from[start + i] as number;
    this.length += count;
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** The same, for what is soon let go: it may keep other copies' memory from being freed. */
  takeBriefly(): Uint8Array<ArrayBuffer> {
    if (this.length > POOLED_BYTES_MAX) return this.take();
    if (this.length > pool.length - pooled) {
      pool = new Uint8Array(POOL_BYTES);
      pooled = 0;
    }
    const copy = pool.subarray(pooled, pooled + this.length);
    copy.set(this.bytes.subarray(0, this.length));
    pooled += this.length;
    return copy;
  }
}

/** Copies lie in it one behind the other, and are never written over. */
let pool = new Uint8Array(POOL_BYTES);
let pooled = 0;

export class ByteReader {
  readonly bytes: Uint8Array;
  offset = 0;
  #view: DataView | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Only for what holds floats: the first look at its `buffer` moves a small array out of the heap. */
  get view(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    return this.#view;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Steps over `count` bytes. @returns where they begin */
  skip(count: number): number {
    const start = this.offset;
    if (count > this.bytes.length - start) throw new SchemaError("the bytes end too early");
    this.offset = start + count;
    return start;
  }

  u8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  /** A 32-bit integer of `count` bytes. */
  low(count: number): number {
    const start = this.skip(count);
    let value = 0;
    for (let i = 0; i < count; i++) value |= (this.bytes[start + i] as number) << (8 * i);
    return value;
  }

  varint(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 0x80; scale <= 2 ** 49; scale *= 0x80) {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new SchemaError("a varint is too large");
  }

  /** @param bytesMax a longer string is an error */
  string(bytesMax: number): string {
    const length = this.varint();
    if (length > bytesMax) throw new SchemaError("a string is too long");
    const start = this.skip(length);
    if (length <= SHORT_TEXT_CHARS) {
      let text = "";
      let i = start;
      while (i < this.offset) {
        const code = this.bytes[i] as number;
        if (code >= 0x80) break;
        text += String.fromCharCode(code);
        i++;
      }
      if (i === this.offset) return text;
    }
    try {
      return decoder.decode(this.bytes.subarray(start, this.offset));
    } catch {
      throw new SchemaError("a string is not UTF-8");
    }
  }
}

/** @returns whether a string is at most so many bytes of UTF-8 */
export function fitsUtf8(value: string, bytesMax: number): boolean {
  // A UTF-16 code unit is at most 3 bytes of UTF-8.
  return (
    value.length * 3 <= bytesMax || (value.length <= bytesMax && encoder.encode(value).length <= bytesMax)
  );
}
