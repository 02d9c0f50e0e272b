/**
 * The room's clock, estimated from pings. A PONG tells the room's time somewhere between sending and receiving; taking
 * the middle is wrong by at most half the round trip, so the best of the last samples is the one with the shortest
 * trip, less certain the older it is, since two clocks drift apart (the clock filter of NTP, RFC 5905 section 10).
 * The clock never runs backwards: it is slewed towards the estimate, and stands still when it is far ahead.
 */
import type { Scheduler } from "../../shared/time.ts";

const SAMPLES_MAX = 8;
/** Assumed drift between two clocks; crystals stay below a fifth of it. */
const DRIFT_MAX_RATIO = 500e-6;
/** A small error is corrected by running so much faster or slower, too little to be seen in movement. */
const SLEW_RATIO = 0.1;
/** A larger one would take too long that way and is corrected at once. */
const STEP_MS = 50;

type Sample = { readonly atMs: number; readonly rttMs: number; readonly offsetMs: number };

export class ClockSync {
  readonly #scheduler: Scheduler;
  #samples: Sample[] = [];
  #best: Sample | undefined;
  #offsetMs: number | undefined;
  #lastLocalMs = 0;
  #lastMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Round trip of the sample in use; 0 before the first. */
  get rttMs(): number {
    return this.#best?.rttMs ?? 0;
  }

  /** Estimated room time in ms; 0 before anything is known of it. */
  now(): number {
    if (this.#offsetMs === undefined) return 0;
    const localMs = this.#scheduler.now();
    const elapsedMs = localMs - this.#lastLocalMs;
    const targetMs = localMs + this.#offsetMs;
    const errorMs = targetMs - (this.#lastMs + elapsedMs);
    if (Math.abs(errorMs) > STEP_MS) {
      this.#lastMs = Math.max(this.#lastMs, targetMs);
    } else {
      const slewMs = SLEW_RATIO * elapsedMs;
      this.#lastMs += elapsedMs + Math.max(-slewMs, Math.min(slewMs, errorMs));
    }
    this.#lastLocalMs = localMs;
    return this.#lastMs;
  }

  /** A state was received: before the first sample its time is the best estimate there is. */
  anchor(roomTimeMs: number): void {
    if (this.#offsetMs === undefined) this.#startAt(roomTimeMs - this.#scheduler.now());
  }

  /**
   * A PONG was received.
   *
   * @param sentAtMs the scheduler's time when its PING was sent
   * @returns the measured round trip in ms
   */
  sample(sentAtMs: number, roomTimeMs: number): number {
    const atMs = this.#scheduler.now();
    const rttMs = Math.max(0, atMs - sentAtMs);
    this.#samples.push({ atMs, rttMs, offsetMs: roomTimeMs + rttMs / 2 - atMs });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    const best = this.#samples.reduce((a, b) => (uncertaintyMs(a, atMs) < uncertaintyMs(b, atMs) ? a : b));
    this.#best = best;
    if (this.#offsetMs === undefined) this.#startAt(best.offsetMs);
    this.#offsetMs = best.offsetMs;
    return rttMs;
  }

  /** A new connection to the same room: the way may be another, and room time stands still while a room is down. */
  forgetSamples(): void {
    this.#samples = [];
  }

  /** Another room, with a clock of its own. */
  reset(): void {
    this.#samples = [];
    this.#best = undefined;
    this.#offsetMs = undefined;
  }

  #startAt(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#lastLocalMs = this.#scheduler.now();
    this.#lastMs = this.#lastLocalMs + offsetMs;
  }
}

/** How far off a sample's offset can be by now. */
function uncertaintyMs(sample: Sample, nowMs: number): number {
  return sample.rttMs / 2 + (nowMs - sample.atMs) * DRIFT_MAX_RATIO;
}
