/**
 * How long to wait before the next attempt: doubling up to a limit, with jitter, so that what failed together does
 * not come back together.
 */
export type BackoffBounds = { readonly minMs: number; readonly maxMs: number };

/**
 * "Equal jitter": the upper half of a window that doubles with each attempt; always within the bounds.
 * Source: Marc Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 *
 * @param attempt attempts that have failed before this one, from 0
 * @param random a number at least 0 and below 1
 * @returns milliseconds
 */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: () => number): number {
  const windowMs = Math.min(bounds.maxMs, bounds.minMs * 2 ** (attempt + 1));
  return windowMs / 2 + (random() * windowMs) / 2;
}
