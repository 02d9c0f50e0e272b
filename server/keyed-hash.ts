/**
 * HMAC-SHA256 (RFC 2104) of short texts, for tokens and tickets: each join needs some. It is put together from two calls
 * of Node's `hash`, since the object that `createHmac` makes each time costs several times as much as the hashing. A
 * test compares every result with `createHmac`.
 */
import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class KeyedHash {
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  /** Grows with the longest text. */
  #inner = Buffer.alloc(2 * BLOCK_BYTES);

  /** @param key at least 256 random bits, or as good as that */
  constructor(key: Uint8Array) {
    const block = Buffer.alloc(BLOCK_BYTES);
    block.set(key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key);
    for (const [index, byte] of block.entries()) {
      this.#inner[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
  }

  /** @returns in base64url, 43 characters */
  of(text: string): string {
    const length = BLOCK_BYTES + Buffer.byteLength(text);
    if (length > this.#inner.length) {
      const longer = Buffer.alloc(length);
      this.#inner.copy(longer, 0, 0, BLOCK_BYTES);
      this.#inner = longer;
    }
    this.#inner.write(text, BLOCK_BYTES);
    this.#outer.write(hash("sha256", this.#inner.subarray(0, length), "binary"), BLOCK_BYTES, "binary");
    return hash("sha256", this.#outer, "base64url");
  }
}
