/**
 * Which moment of the room is drawn: far enough in the past that nearly every state is there when it is needed, and no
 * farther. The delay follows the network. A state is needed when all before it has been shown, so what counts is how
 * long after the time of the state before it each one comes: a high percentile of that over the last seconds. It grows
 * with the first states that come late, and shrinks once they are forgotten.
 *
 * The room time shown never runs backwards. It reaches the wanted delay by running a few percent faster or slower, and
 * stands still when there is nothing newer to show. It jumps ahead only when it is a whole `BEHIND_MAX_MS` behind what is
 * known, as after a broken connection.
 *
 *     room time  ---|-----|-----|-----|-----|--->       states
 *                            ^ shown        ^ newest
 */
import { RecentPercentile } from "./recent-percentile.ts";
import type { StateInfo } from "./session.ts";
import type { StateFeed } from "./state-feed.ts";

/** This part of the states comes in time. */
const IN_TIME_SHARE = 0.95;
const WINDOW_MS = 5_000;
/** Enough for the window at 100 states a second. */
const WINDOW_STATES_MAX = 512;
/** How much slower and faster time may run: too little to be seen in movement. */
const SLOWER_MAX_RATIO = 0.1;
const FASTER_MAX_RATIO = 0.05;
/** A small error is made good in about this time. */
const SETTLE_MS = 500;
/** Time shown is never farther behind the newest state, whatever the network. */
const BEHIND_MAX_MS = 1_000;

export class PlaybackClock {
  /** Of each state: local time at which it came, less the room time up to which all had been known before it. */
  readonly #lags = new RecentPercentile(IN_TIME_SHARE, WINDOW_MS, WINDOW_STATES_MAX);
  /** Room time of the newest state; undefined while none of this session is known. */
  #newestMs: number | undefined;
  #shownMs = 0;
  /** Local time at which that was shown. */
  #shownAtMs = 0;

  /**
   * @param roomTimeMs of the state at hand
   * @param nowMs local time
   */
  constructor(feed: StateFeed, roomTimeMs: number, nowMs: number) {
    this.#start(roomTimeMs, nowMs);
    feed.follow({
      onState: (info) => this.#receive(info),
      onNewSession: () => {
        this.#newestMs = undefined;
      },
    });
  }

  /** Room time that was shown last. */
  get shownMs(): number {
    return this.#shownMs;
  }

  /** Room time before which nothing is going to be shown. */
  get horizonMs(): number {
    return Math.max(this.#shownMs, (this.#newestMs ?? 0) - BEHIND_MAX_MS);
  }

  /**
   * @param nowMs local time of a frame; one before an earlier frame's shows the same as that
   * @returns the room time to show
   */
  advance(nowMs: number): number {
    if (this.#newestMs === undefined) return this.#shownMs;
    const elapsedMs = Math.max(0, nowMs - this.#shownAtMs);
    this.#shownAtMs += elapsedMs;
    const lagMs = this.#lags.value;
    const wantedMs = lagMs === undefined ? this.#newestMs : this.#shownAtMs - lagMs;
    const errorMs = wantedMs - (this.#shownMs + elapsedMs);
    const stretch = Math.max(-SLOWER_MAX_RATIO, Math.min(FASTER_MAX_RATIO, errorMs / SETTLE_MS));
    this.#shownMs = Math.min(this.#shownMs + elapsedMs * (1 + stretch), this.#newestMs);
    // The jump, when it has fallen too far behind.
    this.#shownMs = this.horizonMs;
    return this.#shownMs;
  }

  #start(roomTimeMs: number, nowMs: number): void {
    this.#lags.clear();
    this.#newestMs = roomTimeMs;
    this.#shownMs = roomTimeMs;
    this.#shownAtMs = nowMs;
  }

  #receive({ roomTimeMs, receivedAtMs, snapshot }: StateInfo): void {
    if (this.#newestMs === undefined) return this.#start(roomTimeMs, receivedAtMs);
    // A snapshot follows a break, which says nothing of how states come when there is none.
    if (snapshot) this.#lags.clear();
    else this.#lags.add(receivedAtMs - this.#newestMs, receivedAtMs);
    this.#newestMs = Math.max(this.#newestMs, roomTimeMs);
  }
}
