/**
 * What a worker does that cannot keep up: its heaviest rooms do less, so that the others keep their rate. First a room
 * sends only every second tick (`half sends`); then it ticks at half its rate, with steps of twice the length (`half
 * ticks`). When there is time again, rooms go back the same way, the lightest first.
 *
 * Rooms that cost less than half of what the mean room does are left alone.
 */
import type { TickStats } from "./tick-gauge.ts";

export type Pace = "full" | "half sends" | "half ticks";

/** A room, as far as it can be relieved. */
export type Relievable = { pace: Pace; stats: TickStats };

/** Ticks begin so late, in the mean and as a share of their interval: the worker cannot keep up. */
const LATENESS_MAX = 0.25;
/** For so many windows in a row: a pause, such as a garbage collection, is no overload. */
const LATE_WINDOWS = 2;
/** There is time again when ticks are no later, and the event loop no busier, than this, for so many windows in a row. */
const LATENESS_CALM = 0.05;
const UTILIZATION_CALM = 0.7;
const CALM_WINDOWS = 3;
/** What is aimed at when rooms are relieved. */
const UTILIZATION_GOAL = 0.85;
/** About half of what a tick costs is sending, and each pace halves one part of the work. */
const SAVED = { full: 0.25, "half sends": 0.5, "half ticks": 0 } as const satisfies Record<Pace, number>;
const SLOWER = { full: "half sends", "half sends": "half ticks" } as const;
const FASTER = { "half sends": "full", "half ticks": "half sends" } as const;

export class Overload {
  #lateWindows = 0;
  #calmWindows = 0;

  /**
   * To be called at the end of each window.
   *
   * @param rooms with what was measured of them in it
   * @param utilization of the event loop in it: share of the time in which it was not idle
   * @returns the rooms whose pace has changed
   */
  review<Room extends Relievable>(rooms: readonly Room[], utilization: number): Room[] {
    const ticks = rooms.reduce((sum, { stats }) => sum + stats.ticks, 0);
    const lateness =
      rooms.reduce((sum, { stats }) => sum + stats.lateness * stats.ticks, 0) / Math.max(1, ticks);
    const isLate = lateness > LATENESS_MAX;
    const isCalm = lateness <= LATENESS_CALM && utilization <= UTILIZATION_CALM;
    this.#lateWindows = isLate ? this.#lateWindows + 1 : 0;
    this.#calmWindows = isCalm ? this.#calmWindows + 1 : 0;
    if (this.#lateWindows >= LATE_WINDOWS) return this.#slowDown(rooms, utilization);
    if (this.#calmWindows >= CALM_WINDOWS) return this.#speedUp(rooms, utilization);
    return [];
  }

  #slowDown<Room extends Relievable>(rooms: readonly Room[], utilization: number): Room[] {
    this.#lateWindows = 0;
    const meanLoad = rooms.reduce((sum, { stats }) => sum + stats.load, 0) / Math.max(1, rooms.length);
    const heavy = rooms
      .filter(({ stats }) => stats.load > 0 && stats.load >= meanLoad / 2)
      .toSorted((a, b) => b.stats.load - a.stats.load);
    let excess = utilization - UTILIZATION_GOAL;
    const changed: Room[] = [];
    for (const pace of ["full", "half sends"] as const) {
      for (const room of heavy) {
        if (room.pace !== pace || changed.includes(room)) continue;
        // Late as it is, something must be done even if the loop does not look busy.
        if (changed.length > 0 && excess <= 0) return changed;
        excess -= room.stats.load * SAVED[pace];
        room.pace = SLOWER[pace];
        changed.push(room);
      }
    }
    return changed;
  }

  #speedUp<Room extends Relievable>(rooms: readonly Room[], utilization: number): Room[] {
    this.#calmWindows = 0;
    let spare = UTILIZATION_GOAL - utilization;
    const changed: Room[] = [];
    for (const slowed of rooms.toSorted((a, b) => a.stats.load - b.stats.load)) {
      if (slowed.pace === "full") continue;
      const pace = FASTER[slowed.pace];
      // What a pace saves of the whole is what it adds to the rest.
      spare -= (slowed.stats.load * SAVED[pace]) / (1 - SAVED[pace]);
      if (spare < 0) break;
      slowed.pace = pace;
      changed.push(slowed);
    }
    return changed;
  }
}
