/**
 * A `Scheduler` on simulated time: nothing happens until a test advances it, and then always in the same order, by
 * due time and among equals by creation. Promises settle completely between two timers, as they would on a real
 * clock.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";

type Timer = { readonly dueMs: number; readonly callback: () => void };

export class SimulatedTime implements Scheduler {
  #nowMs: number;
  /** Sorted by due time; equals in the order in which they were set. */
  readonly #timers: Timer[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.splice(this.#countDueBy(timer.dueMs), 0, timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    const index = this.#timers.indexOf(handle as Timer);
    if (index !== -1) this.#timers.splice(index, 1);
  }

  /** Timers that are set and have not run. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Lets every promise that can settle without a timer do so. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Runs all that is due within the next `ms`, those timers included that are set on the way. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= untilMs; next = this.#timers[0]) {
      await this.#run(next);
    }
    this.#nowMs = untilMs;
  }

  /** Goes to the next timer and runs it. @returns false if there is none */
  async advanceToNext(): Promise<boolean> {
    await this.settle();
    const next = this.#timers[0];
    if (next === undefined) return false;
    await this.#run(next);
    return true;
  }

  /** Lets time pass in which this process does nothing: timers that fall due run late, at the next `advance`. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  async #run(timer: Timer): Promise<void> {
    this.#timers.shift();
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.callback();
    await this.settle();
  }

  #countDueBy(dueMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const timer = this.#timers[middle];
      if (timer !== undefined && timer.dueMs <= dueMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
