/**
 * Numbers with fractions, spread evenly. `fc.double` spreads them over the representable ones instead, so most of what
 * it gives between 0 and 40 is smaller than 1e-100: as good as zero for a delay or a distance.
 */
import fc from "fast-check";

const STEPS = 100_000;

/** @param max not reached itself */
export function between(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: STEPS - 1 }).map((step) => min + ((max - min) * step) / STEPS);
}
