/**
 * Bytes back to the values that `ValueWriter` wrote. Whatever the bytes, it reads within its limits, allocates in
 * proportion to them and throws nothing but `BadValue`. Byte strings are copies, never views of the file.
 */
import { DEPTH_MAX } from "../../shared/protocol/prescan.ts";
import { UNDEFINED_TOKEN, UTF16_EXTENSION, UTF16_TOKEN } from "./value-writer.ts";

/** The bytes are not what was to be read here. */
export class BadValue extends Error {}

export class ValueReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** Reads `bytes` from `start` up to `end`. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** How many values can follow at most. */
  get remainingBytes(): number {
    return this.#end - this.#at;
  }

  /** A whole number, not negative. */
  uint(): number {
    const value = this.value();
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw new BadValue("a whole number was expected");
    return value as number;
  }

  number(): number {
    const value = this.value();
    if (typeof value !== "number") throw new BadValue("a number was expected");
    return value;
  }

  string(): string {
    const value = this.value();
    if (typeof value !== "string") throw new BadValue("a string was expected");
    return value;
  }

  boolean(): boolean {
    const value = this.value();
    if (typeof value !== "boolean") throw new BadValue("a boolean was expected");
    return value;
  }

  object(): Record<string, unknown> {
    const value = this.value();
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw new BadValue("an object was expected");
    return value as Record<string, unknown>;
  }

  value(depth = 0): unknown {
    const bytes = this.#bytes;
    const token = bytes[this.#take(1)] as number;
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x100;
    if (token < 0x90) return this.#object(token & 0x0f, depth);
    if (token < 0xa0) return this.#array(token & 0x0f, depth);
    if (token < 0xc0) return this.#text(token & 0x1f);
    switch (token) {
      case 0xc0:
        return null;
      case UNDEFINED_TOKEN:
        return undefined;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#byteString(this.#count(1 << (token - 0xc4)));
      case UTF16_TOKEN:
        return this.#utf16(this.#count(4));
      case 0xcb:
        return bytes.readDoubleBE(this.#take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#count(1 << (token - 0xcc));
      case 0xd0:
        return bytes.readInt8(this.#take(1));
      case 0xd1:
        return bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return bytes.readInt32BE(this.#take(4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#count(1 << (token - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#count(2 << (token - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#object(this.#count(2 << (token - 0xde)), depth);
      default:
        throw new BadValue(`no value begins with 0x${token.toString(16)}`);
    }
  }

  #array(count: number, depth: number): unknown[] {
    this.#enter(count, depth);
    const items: unknown[] = [];
    for (let i = 0; i < count; i += 1) items.push(this.value(depth + 1));
    return items;
  }

  #object(count: number, depth: number): Record<string, unknown> {
    this.#enter(count * 2, depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i += 1) {
      const key = this.string();
      const value = this.value(depth + 1);
      // Assigning this one would set the prototype instead.
      if (key === "__proto__")
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      else object[key] = value;
    }
    return object;
  }

  /** Each value takes at least one byte. */
  #enter(count: number, depth: number): void {
    if (depth === DEPTH_MAX) throw new BadValue(`values are nested more than ${DEPTH_MAX} deep`);
    if (count > this.remainingBytes) throw new BadValue("a count is larger than the bytes that follow");
  }

  #text(length: number): string {
    const start = this.#take(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  #utf16(length: number): string {
    if (this.#bytes[this.#take(1)] !== UTF16_EXTENSION) throw new BadValue("an unknown extension");
    const start = this.#take(length);
    return this.#bytes.toString("utf16le", start, start + length);
  }

  #byteString(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  #count(width: number): number {
    return this.#bytes.readUIntBE(this.#take(width), width);
  }

  /** @returns where the next `count` bytes begin */
  #take(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new BadValue("the value is cut short");
    this.#at = start + count;
    return start;
  }
}
