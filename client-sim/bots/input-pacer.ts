/**
 * Tells all bots when to act, from one timer. Turns are spread evenly: with `n` bots at rate `r` there is one every
 * `1 / (n * r)` seconds, going round. Due times are absolute, so nothing drifts; when the process was stopped for
 * longer than a round, whole rounds are skipped rather than sent in a burst.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";

export type PacerSetup = {
  readonly scheduler: Scheduler;
  readonly bots: number;
  /** Per bot; 0 for none. */
  readonly inputsPerSecond: number;
  readonly act: (bot: number) => void;
  /** So many turns were missed because this process was late. */
  readonly onSkip: (turns: number) => void;
};

export class InputPacer {
  readonly #setup: PacerSetup;
  readonly #turnMs: number;
  #startMs = 0;
  /** Number of the next turn, from 0. */
  #turn = 0;
  #timer: TimerHandle | undefined;

  constructor(setup: PacerSetup) {
    this.#setup = setup;
    this.#turnMs = 1000 / (setup.inputsPerSecond * setup.bots);
  }

  start(): void {
    if (this.#setup.inputsPerSecond === 0) return;
    this.#startMs = this.#setup.scheduler.now();
    this.#run();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#setup.scheduler.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    const { scheduler, bots, act, onSkip } = this.#setup;
    const nowMs = scheduler.now();
    const missedRounds = Math.floor((nowMs - this.#dueMs()) / (this.#turnMs * bots));
    if (missedRounds > 0) {
      this.#turn += missedRounds * bots;
      onSkip(missedRounds * bots);
    }
    while (this.#dueMs() <= nowMs) {
      act(this.#turn % bots);
      this.#turn += 1;
    }
    this.#timer = scheduler.setTimeout(() => this.#run(), this.#dueMs() - nowMs);
  }

  #dueMs(): number {
    return this.#startMs + this.#turn * this.#turnMs;
  }
}
