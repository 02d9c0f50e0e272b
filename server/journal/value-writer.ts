/**
 * Values to bytes, into one buffer that is used again for every record. The form is MessagePack, with two additions
 * that make what is read equal to what was written, to the last bit: 0xc1 is undefined, and extension 1 is a string
 * with lone surrogates as UTF-16. A replay must see what the live room saw, so -0 stays -0, where the wire's packer
 * makes it 0. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { DEPTH_MAX } from "../../shared/protocol/prescan.ts";
import { JournalTooLarge } from "./journal-errors.ts";

export const RECORD_BYTES_MAX = 64 * 1024 * 1024;
const INITIAL_BYTES = 64 * 1024;
/** Longest header of a value: a token and 8 bytes. */
const HEADER_BYTES_MAX = 9;
/** Up to this length a loop beats the call into the engine. */
const LOOP_LENGTH_MAX = 64;

export const UNDEFINED_TOKEN = 0xc1;
export const UTF16_TOKEN = 0xc9;
export const UTF16_EXTENSION = 1;

export class ValueWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #at = 0;

  /** The buffer itself: good until the next call of anything. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where the next value goes. */
  get length(): number {
    return this.#at;
  }

  /** @param at how many bytes to leave free in front, fewer than 64 Ki */
  restart(at: number): void {
    this.#at = at;
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value ? 0xc3 : 0xc2;
  }

  number(value: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    if (value > 0 && value < 0x80 && (value | 0) === value) this.#bytes[this.#at++] = value;
    else if (value >>> 0 === value && !Object.is(value, -0)) this.#sized(value, 0x80, 0, 0xcc);
    else if ((value | 0) === value && value < 0) this.#negative(value);
    else {
      this.#bytes[this.#at] = 0xcb;
      this.#bytes.writeDoubleBE(value, this.#at + 1);
      this.#at += 9;
    }
  }

  string(value: string): void {
    const { length } = value;
    if (length > LOOP_LENGTH_MAX) return this.#longString(value);
    this.#reserve(HEADER_BYTES_MAX + length);
    const bytes = this.#bytes;
    let at = this.#at;
    if (length < 32) bytes[at++] = 0xa0 | length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let i = 0; i < length; i += 1) {
      const unit = value.charCodeAt(i);
      // Not ASCII: the position has not moved yet, so the string simply starts over.
      if (unit >= 0x80) return this.#longString(value);
      bytes[at++] = unit;
    }
    this.#at = at;
  }

  /** @throws TypeError naming what is not plain, as `assertPlain` does; what is written by then is of no use */
  value(value: unknown, depth = 0): void {
    switch (typeof value) {
      case "number":
        return this.number(value);
      case "string":
        return this.string(value);
      case "boolean":
        return this.boolean(value);
      case "undefined":
        return this.#token(UNDEFINED_TOKEN);
      case "object":
        if (value === null) return this.#token(0xc0);
        if (value instanceof Uint8Array) return this.#byteString(value);
        if (depth === DEPTH_MAX) throw new TypeError(`A value is nested more than ${DEPTH_MAX} deep.`);
        if (Array.isArray(value)) return this.#array(value, depth);
        return this.#object(value, depth);
      default:
        throw new TypeError(`A ${typeof value} cannot be journaled.`);
    }
  }

  #array(items: readonly unknown[], depth: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    this.#sized(items.length, 0x10, 0x90, 0xdb);
    // By index, so that holes are undefined and not skipped.
    for (let i = 0; i < items.length; i += 1) this.value(items[i], depth + 1);
  }

  #object(object: object, depth: number): void {
    if (Object.getPrototypeOf(object) !== Object.prototype) {
      const tag = Object.prototype.toString.call(object);
      if (tag !== "[object Object]")
        throw new TypeError(`A value of the kind ${tag.slice(8, -1)} cannot be journaled.`);
    }
    const keys = Object.keys(object);
    this.#reserve(HEADER_BYTES_MAX);
    this.#sized(keys.length, 0x10, 0x80, 0xdd);
    for (const key of keys) {
      this.string(key);
      this.value((object as Record<string, unknown>)[key], depth + 1);
    }
  }

  #byteString(value: Uint8Array): void {
    this.#reserve(HEADER_BYTES_MAX + value.length);
    const { length } = value;
    this.#sized(length, 0, 0, 0xc4);
    if (length > LOOP_LENGTH_MAX) this.#bytes.set(value, this.#at);
    else for (let i = 0; i < length; i += 1) this.#bytes[this.#at + i] = value[i] as number;
    this.#at += length;
  }

  #longString(value: string): void {
    if (!value.isWellFormed()) return this.#utf16(value);
    const length = Buffer.byteLength(value);
    this.#reserve(HEADER_BYTES_MAX + length);
    this.#sized(length, 0x20, 0xa0, 0xd9);
    this.#at += this.#bytes.write(value, this.#at, length, "utf8");
  }

  #utf16(value: string): void {
    const length = value.length * 2;
    this.#reserve(HEADER_BYTES_MAX + length);
    this.#bytes[this.#at] = UTF16_TOKEN;
    this.#bytes.writeUInt32BE(length, this.#at + 1);
    this.#bytes[this.#at + 5] = UTF16_EXTENSION;
    this.#at += 6 + this.#bytes.write(value, this.#at + 6, length, "utf16le");
  }

  #token(token: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = token;
  }

  /**
   * The header with the shortest form of a count: in the token itself below `fixMax`, else in 1, 2 or 4 bytes behind
   * `wide`, `wide + 1` or `wide + 2`. Arrays and maps have no form with 1 byte, and are given a `wide` one lower.
   */
  #sized(count: number, fixMax: number, fix: number, wide: number): void {
    const bytes = this.#bytes;
    if (count < fixMax) bytes[this.#at++] = fix | count;
    else if (count < 0x100 && wide !== 0xdb && wide !== 0xdd) {
      bytes[this.#at++] = wide;
      bytes[this.#at++] = count;
    } else if (count < 0x10000) {
      bytes[this.#at++] = wide + 1;
      bytes[this.#at++] = count >>> 8;
      bytes[this.#at++] = count;
    } else {
      bytes[this.#at] = wide + 2;
      this.#at = bytes.writeUInt32BE(count, this.#at + 1);
    }
  }

  #negative(value: number): void {
    const bytes = this.#bytes;
    if (value >= -0x20) bytes[this.#at++] = value;
    else if (value >= -0x80) {
      bytes[this.#at++] = 0xd0;
      bytes[this.#at++] = value;
    } else if (value >= -0x8000) {
      bytes[this.#at] = 0xd1;
      this.#at = bytes.writeInt16BE(value, this.#at + 1);
    } else {
      bytes[this.#at] = 0xd2;
      this.#at = bytes.writeInt32BE(value, this.#at + 1);
    }
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    if (needed > RECORD_BYTES_MAX) throw new JournalTooLarge("A record", RECORD_BYTES_MAX);
    const larger = Buffer.allocUnsafeSlow(
      Math.min(RECORD_BYTES_MAX, Math.max(needed, this.#bytes.length * 2)),
    );
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
