/**
 * Counts the events received in a session, so that each is delivered once whatever connections it takes, and sees to
 * it that the server learns the count in time to let go of what it keeps (PROTOCOL.md, sections E and A).
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { CLIENT_LIMITS } from "./limits.ts";

export class ReceivedEvents {
  readonly #scheduler: Scheduler;
  readonly #acknowledge: () => void;
  /** Delivered in this session. */
  #count: number;
  /** Number of the last event on this connection; behind `#count` while the server repeats some. */
  #position = 0;
  #told = 0;
  #untoldBytes = 0;
  #untoldSinceMs = 0;
  #timer: TimerHandle | undefined;

  /** @param acknowledge sends the count on its own, because nothing else was sent for too long */
  constructor(scheduler: Scheduler, count: number, acknowledge: () => void) {
    this.#scheduler = scheduler;
    this.#count = count;
    this.#acknowledge = acknowledge;
  }

  get count(): number {
    return this.#count;
  }

  /** A new session: counts from the first event that comes. */
  begin(nextEvent: number): void {
    this.#count = nextEvent - 1;
    this.#position = this.#count;
    this.markTold();
  }

  /**
   * The session goes on over another connection.
   *
   * @returns false when events are missing between the last one received and the next
   */
  resume(nextEvent: number): boolean {
    this.#position = nextEvent - 1;
    return this.#position <= this.#count;
  }

  /** @returns false for an event that was delivered before */
  take(): boolean {
    this.#position += 1;
    if (this.#position <= this.#count) return false;
    this.#count = this.#position;
    return true;
  }

  /** All events of a message are taken. */
  weigh(messageBytes: number): void {
    if (this.#count === this.#told) return;
    if (this.#untoldBytes === 0) this.#untoldSinceMs = this.#scheduler.now();
    this.#untoldBytes += messageBytes;
    const untold = this.#count - this.#told;
    if (untold >= CLIENT_LIMITS.ackEvents || this.#untoldBytes >= CLIENT_LIMITS.ackBytes) this.#acknowledge();
    else if (this.#timer === undefined) this.#arm(CLIENT_LIMITS.ackMs);
  }

  /** The count has just gone out with something. */
  markTold(): void {
    this.#told = this.#count;
    this.#untoldBytes = 0;
  }

  stop(): void {
    if (this.#timer !== undefined) this.#scheduler.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One timer runs on while counts go out with other messages: cheaper than one for each event. */
  #arm(delayMs: number): void {
    this.#timer = this.#scheduler.setTimeout(() => {
      this.#timer = undefined;
      if (this.#count === this.#told) return;
      const restMs = this.#untoldSinceMs + CLIENT_LIMITS.ackMs - this.#scheduler.now();
      if (restMs > 0) this.#arm(restMs);
      else this.#acknowledge();
    }, delayMs);
  }
}
