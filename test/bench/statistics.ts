/** Medians, ratios and percentiles of what was measured. */

/** @throws RangeError when there are no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export type Line = { readonly intercept: number; readonly slope: number };

/**
 * @returns the line that comes nearest to the points, by least squares
 * @throws RangeError when they do not determine one
 */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(({ x }) => x);
  const meanY = mean(({ y }) => y);
  const variance = mean(({ x }) => (x - meanX) ** 2);
  if (!(variance > 0)) throw new RangeError("a line needs points at two places");
  const slope = mean(({ x, y }) => (x - meanX) * (y - meanY)) / variance;
  return { intercept: meanY - slope * meanX, slope };
}

/** Counts durations in steps of 0.05 ms up to 2 s: millions of them cost no memory. Longer ones count as 2 s. */
export class DurationHistogram {
  static readonly #STEP_MS = 0.05;
  static readonly #MAX_MS = 2_000;
  readonly #counts = new Uint32Array(DurationHistogram.#MAX_MS / DurationHistogram.#STEP_MS + 1);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(durationMs: number): void {
    const bounded = Math.min(Math.max(durationMs, 0), DurationHistogram.#MAX_MS);
    const index = Math.round(bounded / DurationHistogram.#STEP_MS);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  /**
   * @param share of the durations that are no longer, above 0 and up to 1
   * @returns milliseconds, to the nearest step; 0 when there are none
   */
  percentile(share: number): number {
    let rest = Math.ceil(this.#total * share);
    for (const [index, count] of this.#counts.entries()) {
      rest -= count;
      if (rest <= 0) return index * DurationHistogram.#STEP_MS;
    }
    return DurationHistogram.#MAX_MS;
  }
}
