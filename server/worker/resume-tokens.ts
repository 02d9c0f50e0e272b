/**
 * The secrets by which a client comes back to its session. Each connection brings a new one; the one before stays
 * good until the new one is used, for a client that never saw the new one.
 *
 * A secret is made from the server's key, the session and the generation, so that nothing secret has to be kept:
 * whoever takes the room over counts the same generations from its journal.
 */
import { timingSafeEqual } from "node:crypto";
import { formatResumeToken, parseResumeToken } from "../../shared/protocol/handshake.ts";
import type { KeyedHash } from "../keyed-hash.ts";

/** In base64url: 144 bits. */
const SECRET_LENGTH = 24;
const NONE = 0;

/** Generations; 0 for none. */
export type SavedTokens = { readonly issued: number; readonly current: number; readonly previous: number };

export class ResumeTokens {
  readonly #sessionId: string;
  readonly #hash: KeyedHash;
  #issued: number;
  #current: number;
  #previous: number;

  /** @param hash by the key of the server */
  constructor(
    sessionId: string,
    hash: KeyedHash,
    saved: SavedTokens = { issued: NONE, current: NONE, previous: NONE },
  ) {
    this.#sessionId = sessionId;
    this.#hash = hash;
    this.#issued = saved.issued;
    this.#current = saved.current;
    this.#previous = saved.previous;
  }

  save(): SavedTokens {
    return { issued: this.#issued, current: this.#current, previous: this.#previous };
  }

  /**
   * There is a new token for the connection that opens now. Not for one that took none, since its client may not have
   * seen the last one yet, and must not be left with a token that is neither of the two that are good.
   *
   * @param tookGeneration of the token that opened it; 0: it was a ticket, or the connection has outlived its owner
   */
  issue(tookGeneration: number): void {
    if (tookGeneration === NONE && this.#current !== NONE) return;
    this.#issued += 1;
    this.#previous = this.#current;
    this.#current = this.#issued;
  }

  /** The one to be told to the client. */
  get newest(): string {
    return formatResumeToken({
      sessionId: this.#sessionId,
      generation: this.#current,
      secret: this.#secretOf(this.#current),
    });
  }

  /** @returns the generation of the token if it opens this session */
  check(token: string): number | undefined {
    const parsed = parseResumeToken(token);
    if (parsed === undefined || parsed.sessionId !== this.#sessionId) return undefined;
    const { generation, secret } = parsed;
    if (generation === NONE || (generation !== this.#current && generation !== this.#previous))
      return undefined;
    const expected = Buffer.from(this.#secretOf(generation));
    const offered = Buffer.from(secret);
    return expected.length === offered.length && timingSafeEqual(expected, offered) ? generation : undefined;
  }

  /** A connection was opened with the token of this generation: that ends the life of the other. */
  used(generation: number): void {
    if (generation === NONE) return;
    this.#current = generation;
    this.#previous = NONE;
  }

  #secretOf(generation: number): string {
    return this.#hash.of(`${this.#sessionId}.${generation}`).slice(0, SECRET_LENGTH);
  }
}
