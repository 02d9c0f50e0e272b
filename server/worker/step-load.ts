/** How much of one core the room steps of a worker take: what rooms are placed by. */
import type { Scheduler } from "../../shared/time.ts";

export class StepLoad {
  readonly #scheduler: Scheduler;
  #busyMs = 0;
  #sinceMs: number;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#sinceMs = scheduler.now();
  }

  add(stepMs: number): void {
    this.#busyMs += stepMs;
  }

  /** @returns the share of the time since the last call, 0 to 1 */
  take(): number {
    const nowMs = this.#scheduler.now();
    const share = nowMs > this.#sinceMs ? this.#busyMs / (nowMs - this.#sinceMs) : 0;
    this.#busyMs = 0;
    this.#sinceMs = nowMs;
    return Math.min(1, share);
  }
}
