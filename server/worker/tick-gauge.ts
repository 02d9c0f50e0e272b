/** How evenly one room ticks, and what its ticks cost, over a window of time. */

export type TickStats = {
  readonly ticks: number;
  /** Share of one core that the ticks took. */
  readonly load: number;
  /** Mean time of a tick: events, step, sending. */
  readonly stepMs: number;
  /** Mean lateness of a tick's beginning, as a share of the interval between two ticks. */
  readonly lateness: number;
  /** Mean difference of an interval between two ticks from what it should be. */
  readonly jitterMs: number;
  /** Mean change from one interval to the next, as a share of what the interval should be; 0: perfectly even. */
  readonly instability: number;
};

export class TickGauge {
  #windowStartMs: number;
  #ticks = 0;
  #busyMs = 0;
  #lateShare = 0;
  #jitterMs = 0;
  #changeShare = 0;
  #changes = 0;
  #lastBeganMs: number | undefined;
  #lastIntervalMs: number | undefined;

  constructor(nowMs: number) {
    this.#windowStartMs = nowMs;
  }

  /** @param intervalMs from the tick before to this one, as it should be */
  add(beganMs: number, endedMs: number, dueMs: number, intervalMs: number): void {
    this.#ticks += 1;
    this.#busyMs += endedMs - beganMs;
    this.#lateShare += Math.max(0, beganMs - dueMs) / intervalMs;
    if (this.#lastBeganMs !== undefined) {
      const tookMs = beganMs - this.#lastBeganMs;
      this.#jitterMs += Math.abs(tookMs - intervalMs);
      if (this.#lastIntervalMs !== undefined) {
        this.#changes += 1;
        this.#changeShare += Math.abs(tookMs - this.#lastIntervalMs) / intervalMs;
      }
      this.#lastIntervalMs = tookMs;
    }
    this.#lastBeganMs = beganMs;
  }

  /** @returns what has been measured since the last call */
  take(nowMs: number): TickStats {
    const ticks = Math.max(1, this.#ticks);
    const windowMs = nowMs - this.#windowStartMs;
    const stats: TickStats = {
      ticks: this.#ticks,
      load: windowMs > 0 ? this.#busyMs / windowMs : 0,
      stepMs: this.#busyMs / ticks,
      lateness: this.#lateShare / ticks,
      jitterMs: this.#jitterMs / ticks,
      instability: this.#changeShare / Math.max(1, this.#changes),
    };
    this.#windowStartMs = nowMs;
    this.#ticks = 0;
    this.#busyMs = 0;
    this.#lateShare = 0;
    this.#jitterMs = 0;
    this.#changeShare = 0;
    this.#changes = 0;
    return stats;
  }
}
