/**
 * A small seeded random generator for simulations: the same seed gives the same numbers on every machine, and its
 * state can be saved and taken up again. Not for secrets.
 *
 * The algorithm is sfc32 (Small Fast Counting, 128 bits of state, period at least 2^32) with the seeding of
 * its reference implementation: Chris Doty-Humphrey, PractRand, https://pracrand.sourceforge.net/
 */

/** Four unsigned 32-bit words. */
export type RandomState = [a: number, b: number, c: number, counter: number];

export interface Random {
  /** @returns the next number, at least 0 and below 1, a multiple of 2^-32 */
  next(): number;
  /** @returns the state from which `restoreRandom` goes on with the numbers that come next */
  save(): RandomState;
}

const WARM_UP_ROUNDS = 12;

/** @param seed a whole number, of which the lowest 32 bits count */
export function createRandom(seed: number): Random {
  const random = restoreRandom([0, seed >>> 0, 0, 1]);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) random.next();
  return random;
}

/** @param state what `save` returned */
export function restoreRandom(state: Readonly<RandomState>): Random {
  let [a, b, c, counter] = state;
  return {
    next() {
      const result = (a + b + counter) >>> 0;
      counter = (counter + 1) >>> 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + result) | 0;
      return result / 2 ** 32;
    },
    save: () => [a >>> 0, b >>> 0, c >>> 0, counter],
  };
}
