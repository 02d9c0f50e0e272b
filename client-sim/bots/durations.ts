/**
 * A histogram of durations with a fixed relative error of 0.1 %, so that high percentiles are as good as the median.
 * Source: Gil Tene, HdrHistogram, https://hdrhistogram.org
 */
import { build } from "hdr-histogram-js";

const UNITS_PER_MS = 1000;
/** Where the histogram's table ends at first; it grows for what is longer. */
const EXPECTED_MAX_MS = 60_000;

/** In milliseconds; null when nothing was recorded. */
export type Percentiles = {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
};

export class Durations {
  readonly #histogram = build({
    highestTrackableValue: EXPECTED_MAX_MS * UNITS_PER_MS,
    numberOfSignificantValueDigits: 3,
  });

  /** @param ms below zero, as an estimated clock may give it, counts as zero */
  record(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * UNITS_PER_MS)));
  }

  percentiles(): Percentiles {
    return { p50: this.#at(50), p99: this.#at(99), p999: this.#at(99.9), max: this.#at(100) };
  }

  #at(percentile: number): number | null {
    if (this.#histogram.totalCount === 0) return null;
    return rounded(this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_MS);
  }
}

/** To two decimals: what a report shows. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
