/**
 * Tickets: signed by the primary, good for one session for a short time, redeemed in the WebSocket handshake. Only the
 * primary makes and reads them, so they have one form, `<room>.<session>.<expiry>.<signature>`, and one algorithm.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { RookeryError } from "../../shared/errors.ts";
import { KeyedHash } from "../keyed-hash.ts";
import type { Admission } from "./matchmaker.ts";

const SECRET_BYTES = 32;

export type Ticket = { readonly roomId: string; readonly sessionId: string };

export class Tickets {
  readonly #hash: KeyedHash;
  readonly #wallClock: () => number;

  /**
   * @param secret random by default, which voids all tickets at a restart
   * @param wallClock gives milliseconds since 1970
   */
  constructor(secret: string | undefined, wallClock: () => number) {
    this.#hash = new KeyedHash(secret === undefined ? randomBytes(SECRET_BYTES) : Buffer.from(secret));
    this.#wallClock = wallClock;
  }

  issue({ roomId, sessionId, expiresAt }: Admission): string {
    const signed = `${roomId}.${sessionId}.${expiresAt}`;
    return `${signed}.${this.#hash.of(signed)}`;
  }

  /** @throws RookeryError TICKET_INVALID */
  verify(ticket: string): Ticket {
    const end = ticket.lastIndexOf(".");
    const signed = ticket.slice(0, Math.max(0, end));
    // What this key has signed is of the right form.
    const [roomId, sessionId, expiresAt] = signed.split(".");
    const isOurs = areEqual(ticket.slice(end + 1), this.#hash.of(signed));
    if (!isOurs || roomId === undefined || sessionId === undefined || this.#wallClock() >= Number(expiresAt))
      throw new RookeryError("TICKET_INVALID");
    return { roomId, sessionId };
  }
}

/** In a time that says nothing of where they differ. */
function areEqual(offered: string, expected: string): boolean {
  const [a, b] = [Buffer.from(offered), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
