/**
 * What a worker does that cannot keep up: its heaviest rooms do less, so that the others keep their rate. First a room
 * sends only every second tick (`half sends`); then it ticks at half its rate, with steps of twice the length (`half
 * ticks`). When there is time again, rooms go back the same way, the lightest first. What that costs is known only
 * then: if it was too much, the next attempt is made later, and later.
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
/** There is time again when ticks are no later than this, for so many windows in a row. */
const LATENESS_CALM = 0.1;
const CALM_WINDOWS_MIN = 3;
/** The same after attempts that were too much: twice as many for each. */
const CALM_WINDOWS_MAX = 48;
/** Ticks that are late again after so many windows were not made so by rooms that have gone back. */
const ATTEMPT_WINDOWS = 10;
/** What is aimed at when rooms are relieved, and what may be made of it when they go back. */
const UTILIZATION_GOAL = 0.85;
const UTILIZATION_MAX = 0.95;
/** What a pace saves of a room's load, more or less: mostly writing, or the room's own code. */
const SAVED = { full: 0.35, "half sends": 0.35, "half ticks": 0 } as const satisfies Record<Pace, number>;
const SLOWER = { full: "half sends", "half sends": "half ticks" } as const;
const FASTER = { "half sends": "full", "half ticks": "half sends" } as const;

export class Overload {
  #lateWindows = 0;
  #calmWindows = 0;
  #calmWindowsNeeded = CALM_WINDOWS_MIN;
  /** Since rooms have gone back. */
  #attemptWindows = ATTEMPT_WINDOWS;

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
    this.#lateWindows = lateness > LATENESS_MAX ? this.#lateWindows + 1 : 0;
    this.#calmWindows = lateness <= LATENESS_CALM ? this.#calmWindows + 1 : 0;
    this.#attemptWindows += 1;
    if (this.#lateWindows >= LATE_WINDOWS) {
      this.#lateWindows = 0;
      const wasTooMuch = this.#attemptWindows < ATTEMPT_WINDOWS;
      this.#calmWindowsNeeded = wasTooMuch
        ? Math.min(2 * this.#calmWindowsNeeded, CALM_WINDOWS_MAX)
        : CALM_WINDOWS_MIN;
      return this.#slowDown(rooms, utilization);
    }
    if (this.#calmWindows < this.#calmWindowsNeeded) return [];
    this.#calmWindows = 0;
    const changed = this.#speedUp(rooms, utilization);
    if (changed.length > 0) this.#attemptWindows = 0;
    return changed;
  }

  #slowDown<Room extends Relievable>(rooms: readonly Room[], utilization: number): Room[] {
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
    let spare = UTILIZATION_MAX - utilization;
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
