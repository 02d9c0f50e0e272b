/** HMAC-SHA256 of short texts, for tickets and resume tokens. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

export class KeyedHash {
  /** Made once: a key that is given as bytes is imported again for each text. */
  readonly #key: KeyObject;

  /** @param key at least 256 random bits, or as good as that */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** @returns in base64url, 43 characters */
  of(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}
