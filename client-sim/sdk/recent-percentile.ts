/** A percentile over the values of the last few seconds. Each value costs a binary search and moving some numbers. */

type Timed = { readonly value: number; readonly atMs: number };

export class RecentPercentile {
  readonly #share: number;
  readonly #windowMs: number;
  readonly #valuesMax: number;
  /** In the order in which they came. */
  #recent: Timed[] = [];
  #sorted: number[] = [];

  /**
   * @param share of the values that are at most the percentile, from 0 to 1
   * @param valuesMax when there are more in the window, the oldest go
   */
  constructor(share: number, windowMs: number, valuesMax: number) {
    this.#share = share;
    this.#windowMs = windowMs;
    this.#valuesMax = valuesMax;
  }

  /** Undefined while there are no values. */
  get value(): number | undefined {
    return this.#sorted[Math.ceil(this.#share * this.#sorted.length) - 1];
  }

  add(value: number, atMs: number): void {
    this.#recent.push({ value, atMs });
    this.#sorted.splice(this.#rank(value), 0, value);
    for (let oldest = this.#recent[0]; oldest !== undefined; oldest = this.#recent[0]) {
      if (atMs - oldest.atMs < this.#windowMs && this.#recent.length <= this.#valuesMax) return;
      this.#recent.shift();
      this.#sorted.splice(this.#rank(oldest.value), 1);
    }
  }

  clear(): void {
    this.#recent = [];
    this.#sorted = [];
  }

  /** How many values are smaller. */
  #rank(value: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
