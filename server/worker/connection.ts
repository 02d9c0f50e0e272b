/** A connection of a session: what it has been told of the session's events and state, and what it may still send. */
import { TokenBucket, type TokenRate } from "../../shared/protocol/token-bucket.ts";
import type { PendingChanges } from "../../shared/schema/index.ts";
import { LIMITS } from "../limits.ts";
import type { Sight } from "../room/interest.ts";
import type { Transport, TransportListener } from "../transport/transport.ts";

const MESSAGE_RATE: TokenRate = { perSecond: LIMITS.messagesPerSecond, burst: LIMITS.messagesBurst };
const BYTE_RATE: TokenRate = { perSecond: LIMITS.bytesPerSecond, burst: LIMITS.bytesBurst };

/** @returns what was taken: with something ahead, or without when there is not so much; 0 when there is not enough */
function takeAhead(bucket: TokenBucket, needed: number, ahead: number, nowMs: number): number {
  if (bucket.take(needed + ahead, nowMs)) return needed + ahead;
  return bucket.take(needed, nowMs) ? needed : 0;
}

/** Whose connection it is. */
export interface ConnectionOwner {
  onMessage(connection: Connection, bytes: Uint8Array, from: number, end: number): void;
  onClosed(connection: Connection): void;
}

export type ConnectionStart = {
  /** The client's schema is of this hash; undefined: it has none. */
  readonly schemaHash: string | undefined;
  /** Number of the last event that the client has. */
  readonly eventsReceived: number;
  /** The client has been here before, and may send again what it has kept. */
  readonly isBack: boolean;
  /** The room has been set back, and messages that the client had acknowledged may be lost. */
  readonly mayLeaveGap: boolean;
};

export class Connection implements TransportListener {
  readonly transport: Transport;
  readonly schemaHash: string | undefined;
  /** The client's next message may follow upon a gap. */
  mayLeaveGap: boolean;
  /** Number of the last event written to this connection. */
  eventsSent: number;
  /** Number of the last event that the client has acknowledged. */
  eventsReceived: number;
  /** Since when the client has not read what was sent; undefined while nothing waits for it. */
  unreadSinceMs: number | undefined = undefined;
  /** Changes held back while the client reads too slowly; undefined when it is up to date. */
  pending: PendingChanges | undefined = undefined;
  /** With interest management: what it has been sent since its snapshot. */
  sight: Sight | undefined = undefined;
  readonly #owner: ConnectionOwner;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  /** Taken from the buckets, and not used yet. */
  #messagesPaid = 0;
  #bytesPaid = 0;
  // What it may send again without being charged for it.
  #resendMessages: number;
  #resendBytes: number;

  constructor(transport: Transport, owner: ConnectionOwner, start: ConnectionStart) {
    this.transport = transport;
    this.schemaHash = start.schemaHash;
    this.mayLeaveGap = start.mayLeaveGap;
    this.eventsSent = start.eventsReceived;
    this.eventsReceived = start.eventsReceived;
    this.#owner = owner;
    this.#messages = new TokenBucket(MESSAGE_RATE);
    this.#bytes = new TokenBucket(BYTE_RATE);
    this.#resendMessages = start.isBack ? LIMITS.resendMessagesMax : 0;
    this.#resendBytes = start.isBack ? LIMITS.resendBytesMax : 0;
  }

  onMessage(bytes: Uint8Array, from: number, end: number): void {
    this.#owner.onMessage(this, bytes, from, end);
  }

  onClosed(): void {
    this.#owner.onClosed(this);
  }

  /**
   * Takes a message from what the client may send. The buckets and the clock are looked at for one message in several:
   * they are in no cache.
   *
   * @param now monotonic, in milliseconds
   * @returns false when it has sent too much
   */
  charge(messageBytes: number, now: () => number): boolean {
    if (this.#resendMessages > 0 && this.#resendBytes >= messageBytes) {
      this.#resendMessages -= 1;
      this.#resendBytes -= messageBytes;
      return true;
    }
    if (this.#messagesPaid === 0 || this.#bytesPaid < messageBytes) {
      const nowMs = now();
      if (this.#messagesPaid === 0)
        this.#messagesPaid = takeAhead(this.#messages, 1, LIMITS.messagesPaidAhead, nowMs);
      if (this.#bytesPaid < messageBytes) {
        const missing = messageBytes - this.#bytesPaid;
        this.#bytesPaid += takeAhead(this.#bytes, missing, LIMITS.bytesPaidAhead, nowMs);
      }
      if (this.#messagesPaid === 0 || this.#bytesPaid < messageBytes) return false;
    }
    this.#messagesPaid -= 1;
    this.#bytesPaid -= messageBytes;
    return true;
  }
}
