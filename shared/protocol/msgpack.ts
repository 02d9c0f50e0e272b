/**
 * The part of MessagePack that the protocol allows (PROTOCOL.md [F2, F6, F7]), for the client: it needs no extension
 * types, and a whole library would be a quarter of what a browser has to load. The server packs with `msgpackr`; tests
 * hold the two together. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { RookeryError } from "../errors.ts";
import { ByteWriter } from "../schema/bytes.ts";

/** How the length of a string or container is written: within the first byte, or behind it in 1, 2 or 4 bytes. */
type Head = {
  readonly fix: number;
  readonly fixMax: number;
  readonly in8: number | undefined;
  /** The form with 4 bytes has the next code. */
  readonly in16: number;
};

const STRING: Head = { fix: 0xa0, fixMax: 31, in8: 0xd9, in16: 0xda };
const BINARY: Head = { fix: 0, fixMax: -1, in8: 0xc4, in16: 0xc5 };
const ARRAY: Head = { fix: 0x90, fixMax: 15, in8: undefined, in16: 0xdc };
const MAP: Head = { fix: 0x80, fixMax: 15, in8: undefined, in16: 0xde };

/** Shared by all packing of the process: nothing is kept in it between calls. */
const writer = new ByteWriter();
const encoder = new TextEncoder();
// ignoreBOM keeps a byte order mark: it is part of the string.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * @param value one that `assertPlain` has passed; what is undefined is left out of objects and nil elsewhere
 * @returns its shortest encoding, which owns its bytes
 */
export function pack(value: unknown): Uint8Array {
  writer.reset();
  write(value);
  return writer.take();
}

function write(value: unknown): void {
  if (typeof value === "number") writeNumber(value);
  else if (typeof value === "string") writeBytes(STRING, encoder.encode(value));
  else if (typeof value === "boolean") writer.u8(value ? 0xc3 : 0xc2);
  else if (typeof value !== "object" || value === null) writer.u8(0xc0);
  else if (value instanceof Uint8Array) writeBytes(BINARY, value);
  else if (Array.isArray(value)) {
    writeHead(ARRAY, value.length);
    for (const item of value) write(item);
  } else {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    writeHead(MAP, entries.length);
    for (const [key, field] of entries) {
      write(key);
      write(field);
    }
  }
}

function writeNumber(value: number): void {
  if (value >>> 0 === value) {
    if (value < 0x80) writer.u8(value);
    else if (value < 0x100) writeInteger(0xcc, value, 1);
    else if (value < 0x1_0000) writeInteger(0xcd, value, 2);
    else writeInteger(0xce, value, 4);
  } else if ((value | 0) === value) {
    if (value >= -0x20) writer.u8(value);
    else if (value >= -0x80) writeInteger(0xd0, value, 1);
    else if (value >= -0x8000) writeInteger(0xd1, value, 2);
    else writeInteger(0xd2, value, 4);
  } else {
    writer.u8(0xcb);
    writer.reserve(8);
    writer.view.setFloat64(writer.length, value);
    writer.length += 8;
  }
}

/** The low bytes of an integer, the highest of them first. */
function writeInteger(token: number, value: number, byteCount: number): void {
  writer.u8(token);
  for (let shift = 8 * (byteCount - 1); shift >= 0; shift -= 8) writer.u8(value >>> shift);
}

function writeHead({ fix, fixMax, in8, in16 }: Head, length: number): void {
  if (length <= fixMax) writer.u8(fix | length);
  else if (in8 !== undefined && length < 0x100) writeInteger(in8, length, 1);
  else if (length < 0x1_0000) writeInteger(in16, length, 2);
  else writeInteger(in16 + 1, length, 4);
}

function writeBytes(head: Head, bytes: Uint8Array): void {
  writeHead(head, bytes.length);
  writer.reserve(bytes.length);
  writer.bytes.set(bytes, writer.length);
  writer.length += bytes.length;
}

/** Up to so many bytes of text a loop is faster than TextDecoder. */
const SHORT_TEXT_BYTES = 24;

/**
 * Unpacks values that `prescanValue` has passed: that they are complete is not checked again.
 */
export class Unpacker {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * @returns the value after the last one; byte strings in it are views of the bytes
   * @throws RookeryError PROTOCOL_ERROR for a map whose keys are no strings
   */
  next(): unknown {
    const token = this.#bytes[this.#at++] as number;
    if (token < 0x80) return token;
    if (token < 0x90) return this.#map(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.#string(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    if (token === 0xc0) return null;
    if (token < 0xc4) return token === 0xc3;
    // The forms of one kind stand in the order of their widths.
    if (token < 0xc7) return this.#take(this.#unsigned(1 << (token - 0xc4)));
    if (token === 0xca) return this.#view(4).getFloat32(0);
    if (token === 0xcb) return this.#view(8).getFloat64(0);
    if (token < 0xd0) return this.#unsigned(1 << (token - 0xcc));
    if (token < 0xd4) return this.#signed(1 << (token - 0xd0));
    if (token < 0xdc) return this.#string(this.#unsigned(1 << (token - 0xd9)));
    if (token < 0xde) return this.#array(this.#unsigned(2 << (token - 0xdc)));
    return this.#map(this.#unsigned(2 << (token - 0xde)));
  }

  /** @returns where the bytes stepped over begin */
  #skip(byteCount: number): number {
    const start = this.#at;
    this.#at += byteCount;
    return start;
  }

  #view(byteCount: number): DataView {
    const { buffer, byteOffset } = this.#bytes;
    return new DataView(buffer, byteOffset + this.#skip(byteCount), byteCount);
  }

  #take(byteCount: number): Uint8Array {
    const start = this.#skip(byteCount);
    return this.#bytes.subarray(start, this.#at);
  }

  #unsigned(byteCount: number): number {
    let value = 0;
    for (let i = 0; i < byteCount; i += 1) value = value * 0x100 + (this.#bytes[this.#at++] as number);
    return value;
  }

  #signed(byteCount: number): number {
    let value = ((this.#bytes[this.#at++] as number) << 24) >> 24;
    for (let i = 1; i < byteCount; i += 1) value = value * 0x100 + (this.#bytes[this.#at++] as number);
    return value;
  }

  /** Short ones are mostly ASCII, for which a loop is faster than a decoder. */
  #string(byteCount: number): string {
    const start = this.#skip(byteCount);
    let text = "";
    if (byteCount <= SHORT_TEXT_BYTES) {
      for (let at = start; at < this.#at; at += 1) {
        const byte = this.#bytes[at] as number;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
    }
    return text.length === byteCount ? text : decoder.decode(this.#bytes.subarray(start, this.#at));
  }

  #array(length: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < length; i += 1) items.push(this.next());
    return items;
  }

  #map(size: number): object {
    const entries: [string, unknown][] = [];
    for (let i = 0; i < size; i += 1) entries.push([this.#key(), this.next()]);
    return Object.fromEntries(entries);
  }

  #key(): string {
    const key = this.next();
    if (typeof key === "string") return key;
    throw new RookeryError("PROTOCOL_ERROR", "A key of a map is not a string.");
  }
}
