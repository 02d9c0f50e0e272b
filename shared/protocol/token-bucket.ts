/**
 * A token bucket (https://en.wikipedia.org/wiki/Token_bucket): allows `burst` at once and `perSecond` in the long run.
 * It is filled when it is asked, so it needs no timer, and taking allocates nothing.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;

  /** Starts full. */
  constructor(rate: { perSecond: number; burst: number }, nowMs: number) {
    this.#perMs = rate.perSecond / 1000;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /**
   * @param nowMs of the clock given to the constructor; a clock that steps back neither adds nor takes
   * @returns false when the bucket holds less than `amount`; nothing is taken then
   */
  take(amount: number, nowMs: number): boolean {
    if (nowMs > this.#filledAtMs) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
      this.#filledAtMs = nowMs;
    }
    if (amount > this.#tokens) return false;
    this.#tokens -= amount;
    return true;
  }
}
