/**
 * The secrets by which a client comes back to its session. Each connection brings a new one; the one before stays
 * good until the new one is used, for a client that never saw the new one. Only hashes are kept.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { formatResumeToken, parseResumeToken } from "../../shared/protocol/handshake.ts";

type Issued = { readonly generation: number; readonly hash: Buffer };

export class ResumeTokens {
  readonly #sessionId: string;
  readonly #newSecret: () => string;
  #previous: Issued | undefined;
  #current: Issued | undefined;
  #generation = 0;

  /** @param newSecret makes a secret of at least 128 random bits, in characters of an HTTP token without dots */
  constructor(sessionId: string, newSecret: () => string) {
    this.#sessionId = sessionId;
    this.#newSecret = newSecret;
  }

  /** @returns the token for the connection that opens now */
  issue(): string {
    const generation = ++this.#generation;
    const secret = this.#newSecret();
    this.#previous = this.#current;
    this.#current = { generation, hash: hashOf(secret) };
    return formatResumeToken({
      sessionId: this.#sessionId,
      generation,
      secret,
    });
  }

  /** Whether the token opens this session. Using one ends the life of the other. */
  use(token: string): boolean {
    const parsed = parseResumeToken(token);
    if (parsed === undefined || parsed.sessionId !== this.#sessionId) return false;
    const known = [this.#current, this.#previous].find((issued) => issued?.generation === parsed.generation);
    if (known === undefined || !timingSafeEqual(known.hash, hashOf(parsed.secret))) return false;
    this.#current = known;
    this.#previous = undefined;
    return true;
  }
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
