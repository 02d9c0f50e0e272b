/**
 * Ticks the rooms of one worker. Due times are absolute (start + n intervals), so a late tick does not delay the
 * next one. Rooms of one rate are staggered over the interval, so that they do not all want the core at once.
 *
 * A room that is late by whole intervals gets one tick with a longer step instead of a burst of ticks, up to
 * `stepMsMax`; beyond that room time is given up. One whose own step ran into its next tick goes behind those that
 * have waited meanwhile, so a slow room costs its neighbours time, but never a turn. When ticks go on being late, the
 * heaviest rooms do less (overload.ts).
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { Overload, type Pace } from "./overload.ts";
import { TickGauge, type TickStats } from "./tick-gauge.ts";

/** The fractional part of multiples of the golden ratio spreads any number of phases evenly. */
const GOLDEN_RATIO = 0.618_033_988_749_895;
/** Longest step a room is told after a delay, unless its interval is longer. */
const STEP_MS_MAX = 250;
/** After this much ticking in one go, sockets and messages get their turn before the next room. */
const TURN_MS_MAX = 8;
/** How often it is looked at how rooms tick. */
export const TICK_WINDOW_MS = 1_000;
const NOT_MEASURED: TickStats = { ticks: 0, load: 0, stepMs: 0, lateness: 0, jitterMs: 0, instability: 0 };

/** @returns the longest step a room of this rate is told; for a room without ticks there is none */
export function stepMsMax(tickRate: number): number {
  return Math.max(STEP_MS_MAX, 1000 / tickRate);
}

/**
 * Runs a tick: `dtMs` since the room's last, `dueMs` when it should have run by the scheduler's clock. When `sends` is
 * false, the tick may wait and be sent with the next.
 */
export type TickCallback = (dtMs: number, dueMs: number, sends: boolean) => void;

/** How a room ticks. */
export interface TickingRoom {
  /** What it does to relieve the worker. */
  readonly pace: Pace;
  /** Of the last window. */
  readonly stats: TickStats;
  stop(): void;
}

type Entry = {
  pace: Pace;
  stats: TickStats;
  readonly gauge: TickGauge;
  /** With half the sends: the last tick has sent. */
  hasSent: boolean;
  readonly onPace: (pace: Pace, stats: TickStats) => void;
  readonly room: TickingRoom;
  readonly intervalMs: number;
  readonly stepMsMax: number;
  readonly callback: TickCallback;
  lastMs: number;
  dueMs: number;
  /** When its turn comes: at `dueMs`, or when its own last step ended after that. */
  turnMs: number;
};

export class TickScheduler {
  readonly #scheduler: Scheduler;
  /** Sorted by turn, latest first: the next one is popped from the end. */
  readonly #entries: Entry[] = [];
  #timer: { readonly handle: TimerHandle; readonly turnMs: number } | undefined;
  readonly #utilization: () => number;
  readonly #overload = new Overload();
  #windowStartMs: number;
  #phase = 0;
  #isRunning = false;

  /** @param utilization the share of the time since the last call in which the event loop was not idle */
  constructor(scheduler: Scheduler, utilization: () => number) {
    this.#scheduler = scheduler;
    this.#utilization = utilization;
    this.#windowStartMs = scheduler.now();
  }

  /**
   * Starts ticking a room.
   *
   * @param tickRate ticks per second, more than 0
   * @param onPace called when the room's pace has changed
   */
  add(
    tickRate: number,
    callback: TickCallback,
    onPace: (pace: Pace, stats: TickStats) => void = () => undefined,
  ): TickingRoom {
    const intervalMs = 1000 / tickRate;
    this.#phase = (this.#phase + GOLDEN_RATIO) % 1;
    // Phases are of one grid for all rooms of a rate, whenever each of them was added.
    const nowMs = this.#scheduler.now();
    const waits = (this.#phase - nowMs / intervalMs) % 1;
    const dueMs = nowMs + (waits < 0 ? waits + 1 : waits) * intervalMs;
    // The first step counts as a whole interval, however short the phase made the wait.
    const entry: Entry = {
      pace: "full",
      stats: NOT_MEASURED,
      gauge: new TickGauge(nowMs),
      hasSent: false,
      onPace,
      room: {
        get pace() {
          return entry.pace;
        },
        get stats() {
          return entry.stats;
        },
        stop: () => void this.#take(entry),
      },
      intervalMs,
      stepMsMax: stepMsMax(tickRate),
      callback,
      lastMs: dueMs - intervalMs,
      dueMs,
      turnMs: dueMs,
    };
    this.#insert(entry);
    this.#arm();
    return entry.room;
  }

  stop(): void {
    this.#entries.length = 0;
    if (this.#timer !== undefined) this.#scheduler.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }

  /** @returns false when it has been stopped */
  #take(entry: Entry): boolean {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
    return index >= 0;
  }

  #insert(entry: Entry): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).turnMs > entry.turnMs) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
  }

  #arm(): void {
    const next = this.#entries.at(-1);
    if (next === undefined || this.#isRunning) return;
    if (this.#timer !== undefined) {
      if (this.#timer.turnMs <= next.turnMs) return;
      this.#scheduler.clearTimeout(this.#timer.handle);
    }
    const delayMs = Math.max(0, next.turnMs - this.#scheduler.now());
    this.#timer = {
      handle: this.#scheduler.setTimeout(() => this.#run(), delayMs),
      turnMs: next.turnMs,
    };
  }

  #run(): void {
    this.#timer = undefined;
    this.#isRunning = true;
    const startMs = this.#scheduler.now();
    let now = startMs;
    try {
      for (
        let next = this.#entries.at(-1);
        next !== undefined && next.turnMs <= now;
        next = this.#entries.at(-1)
      ) {
        if (now - startMs > TURN_MS_MAX) break;
        this.#entries.pop();
        const beganMs = now;
        const dueMs = next.dueMs + Math.floor((now - next.dueMs) / next.intervalMs) * next.intervalMs;
        const lateForMs = next.dueMs;
        const dtMs = Math.min(dueMs - next.lastMs, next.stepMsMax);
        next.lastMs = dueMs;
        const paceMs = next.pace === "half ticks" ? 2 * next.intervalMs : next.intervalMs;
        next.dueMs = dueMs + paceMs;
        next.turnMs = next.dueMs;
        this.#insert(next);
        next.hasSent = next.pace !== "half sends" || !next.hasSent;
        next.callback(dtMs, dueMs, next.hasSent);
        now = this.#scheduler.now();
        next.gauge.add(beganMs, now, lateForMs, paceMs);
        if (now > next.dueMs && this.#take(next)) {
          next.turnMs = now;
          this.#insert(next);
        }
      }
    } finally {
      this.#isRunning = false;
      this.#arm();
    }
    if (now - this.#windowStartMs >= TICK_WINDOW_MS) this.#review(now);
  }

  #review(nowMs: number): void {
    this.#windowStartMs = nowMs;
    for (const entry of this.#entries) entry.stats = entry.gauge.take(nowMs);
    const changed = this.#overload.review(this.#entries, this.#utilization());
    for (const { onPace, pace, stats } of changed) onPace(pace, stats);
  }
}
