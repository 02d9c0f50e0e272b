/** For how long the seats of those are kept who have lost their connection. */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";

export class SeatTimers {
  readonly #scheduler: Scheduler;
  readonly #onExpired: (sessionId: string) => void;
  readonly #timers = new Map<string, TimerHandle>();

  constructor(scheduler: Scheduler, onExpired: (sessionId: string) => void) {
    this.#scheduler = scheduler;
    this.#onExpired = onExpired;
  }

  start(sessionId: string, forMs: number): void {
    this.stop(sessionId);
    const expire = () => {
      this.#timers.delete(sessionId);
      this.#onExpired(sessionId);
    };
    this.#timers.set(sessionId, this.#scheduler.setTimeout(expire, forMs));
  }

  stop(sessionId: string): void {
    const timer = this.#timers.get(sessionId);
    if (timer !== undefined) this.#scheduler.clearTimeout(timer);
    this.#timers.delete(sessionId);
  }

  stopAll(): void {
    for (const sessionId of this.#timers.keys()) this.stop(sessionId);
  }
}
