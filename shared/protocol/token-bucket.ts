export type TokenRate = { readonly perSecond: number; readonly burst: number };

/** Sums of durations are not exact: what is less than this much too early is not. */
const ROUNDING_MS = 1e-6;

/**
 * A token bucket (https://en.wikipedia.org/wiki/Token_bucket): allows `burst` at once and `perSecond` in the long run.
 * It is one number, as in the generic cell rate algorithm (ITU-T I.371): the time at which it will be full again. So it
 * needs no timer, and taking allocates nothing.
 */
export class TokenBucket {
  readonly #rate: TokenRate;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  /** Starts full. */
  constructor(rate: TokenRate) {
    this.#rate = rate;
  }

  /**
   * @param nowMs of any clock, always the same one; while it is set back, nothing flows in
   * @returns false when the bucket holds less than `amount`; nothing is taken then
   */
  take(amount: number, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate;
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + (amount * 1000) / perSecond;
    if (fullAtMs - nowMs > (burst * 1000) / perSecond + ROUNDING_MS) return false;
    this.#fullAtMs = fullAtMs;
    return true;
  }
}
