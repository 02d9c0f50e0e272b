/** Medians, ratios and percentiles of what was measured. */

/** @throws RangeError when there are no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * Fits y = c0 * x0 + c1 * x1 + ... by least squares, each point by its distance in proportion to y.
 *
 * @param points the x of each, and its y, which is not 0
 * @returns the coefficients
 * @throws RangeError when the points do not determine them
 */
export function fitLinear(
  points: readonly { readonly x: readonly number[]; readonly y: number }[],
): number[] {
  const terms = points[0]?.x.length ?? 0;
  const at = (row: readonly number[], index: number): number => row[index] ?? Number.NaN;
  // The normal equations, with the right side as the last column.
  const equations = Array.from({ length: terms }, (_, row) =>
    Array.from({ length: terms + 1 }, (__, column) =>
      points.reduce((sum, { x, y }) => {
        const other = column < terms ? at(x, column) / y : 1;
        return sum + (at(x, row) / y) * other;
      }, 0),
    ),
  );
  for (let pivot = 0; pivot < terms; pivot++) {
    const rest = equations.slice(pivot).sort((a, b) => Math.abs(at(b, pivot)) - Math.abs(at(a, pivot)));
    equations.splice(pivot, rest.length, ...rest);
    const row = equations[pivot] as number[];
    const size = at(row, pivot);
    if (!(Math.abs(size) > Number.EPSILON)) throw new RangeError("the points do not determine a fit");
    for (let column = 0; column <= terms; column++) row[column] = at(row, column) / size;
    for (const other of equations) {
      const factor = at(other, pivot);
      if (other === row) continue;
      for (let column = 0; column <= terms; column++) {
        other[column] = at(other, column) - factor * at(row, column);
      }
    }
  }
  return equations.map((row) => at(row, terms));
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
