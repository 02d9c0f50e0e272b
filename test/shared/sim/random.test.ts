import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, restoreRandom } from "../../../shared/sim/random.ts";

/** First five outputs and the one after 100,000 more, computed with the generator of PractRand in C. */
const REFERENCE: readonly (readonly [seed: number, first: readonly number[], later: number])[] = [
  [0, [1363572419, 145230303, 808754475, 4216505632, 947923937], 3497526229],
  [1, [2012149540, 1872316204, 1707632675, 1779833415, 2026416846], 668885718],
  [0xdeadbeef, [3267350604, 3986441180, 1591877757, 2440477387, 3277164100], 1349105662],
  [0xffffffff, [1984736529, 3747275468, 1287205723, 2021412065, 2215341480], 2215456196],
];

describe("seeded random generator", () => {
  it.each(REFERENCE)("gives the numbers of the reference for seed %i", (seed, first, later) => {
    const random = createRandom(seed);
    expect(first.map(() => random.next() * 2 ** 32)).toEqual(first);
    for (let i = 0; i < 100_000; i++) random.next();
    expect(random.next() * 2 ** 32).toBe(later);
  });

  it("goes on from a saved state with the same numbers, whenever it is saved", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, steps) => {
        const random = createRandom(seed);
        for (let i = 0; i < steps; i++) random.next();
        const restored = restoreRandom(JSON.parse(JSON.stringify(random.save())));
        for (let i = 0; i < 20; i++) expect(restored.next()).toBe(random.next());
        expect(restored.save()).toEqual(random.save());
      }),
    );
  });

  it("saves a copy that later numbers do not change", () => {
    const random = createRandom(7);
    const saved = random.save();
    const before = [...saved];
    random.next();
    expect(saved).toEqual(before);
  });

  it("stays in [0, 1) and fills it evenly", () => {
    const random = createRandom(42);
    const counts = new Array<number>(16).fill(0);
    let least = 1;
    let most = 0;
    for (let i = 0; i < 160_000; i++) {
      const value = random.next();
      least = Math.min(least, value);
      most = Math.max(most, value);
      const bucket = Math.floor(value * 16);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThan(1);
    // Each bucket is binomial around 10,000 with a deviation of 97; 500 is more than five of them.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
