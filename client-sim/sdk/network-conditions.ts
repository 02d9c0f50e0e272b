/**
 * A worse network than there is, for development and load tests: delays what a socket receives and what it is given to
 * send. Order is kept in each direction, as TCP keeps it: something slow holds up all that comes after it.
 */
import type { Scheduler } from "../../shared/time.ts";
import { type CloseLike, type MessageLike, SOCKET_OPEN, type WebSocketLike } from "./socket.ts";

export type NetworkConditions = {
  /** Added in each direction. */
  readonly latencyMs: number;
  /** Up to this much more, drawn anew for each message. */
  readonly jitterMs: number;
};

export class DelayedSocket implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageLike) => void) | null = null;
  onclose: ((event: CloseLike) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly #socket: WebSocketLike;
  readonly #outward: DelayLine;

  constructor(
    socket: WebSocketLike,
    conditions: NetworkConditions,
    scheduler: Scheduler,
    random: () => number,
  ) {
    this.#socket = socket;
    this.#outward = new DelayLine(conditions, scheduler, random);
    const inward = new DelayLine(conditions, scheduler, random);
    socket.onopen = () => inward.push(() => this.onopen?.());
    socket.onmessage = (event: MessageLike) => inward.push(() => this.onmessage?.(event));
    socket.onclose = (event: CloseLike) => inward.push(() => this.onclose?.(event));
    socket.onerror = () => inward.push(() => this.onerror?.());
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(value: string) {
    this.#socket.binaryType = value;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#outward.push(() => {
      if (this.#socket.readyState === SOCKET_OPEN) this.#socket.send(data);
    });
  }

  close(code?: number, reason?: string): void {
    this.#outward.push(() => this.#socket.close(code, reason));
  }
}

/** Runs actions later, in the order they came. It holds what comes within the longest delay and nothing older. */
class DelayLine {
  readonly #conditions: NetworkConditions;
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #actions: (() => void)[] = [];
  #lastDueMs = 0;

  constructor(conditions: NetworkConditions, scheduler: Scheduler, random: () => number) {
    this.#conditions = conditions;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  push(action: () => void): void {
    const { latencyMs, jitterMs } = this.#conditions;
    const nowMs = this.#scheduler.now();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + latencyMs + this.#random() * jitterMs);
    this.#actions.push(action);
    // Whichever timer fires first runs the oldest action: timers due together may fire in any order.
    this.#scheduler.setTimeout(() => this.#actions.shift()?.(), this.#lastDueMs - nowMs);
  }
}
