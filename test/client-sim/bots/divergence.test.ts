import fc from "fast-check";
import { expect, it } from "vitest";
import { DivergenceDetector } from "../../../client-sim/bots/divergence.ts";

it("finds none while all clients of a room agree", () => {
  const detector = new DivergenceDetector();
  for (let client = 0; client < 32; client++) detector.record("a", 10, 7);
  detector.record("b", 10, 8);
  detector.record("a", 20, 9);
  expect(detector.divergences).toBe(0);
});

it("counts each state that most clients do not have, whichever came first", () => {
  const detector = new DivergenceDetector();
  for (const hash of [1, 2, 2, 2, 3]) detector.record("a", 10, hash);
  expect(detector.divergences).toBe(2);
});

it("counts one of two that differ", () => {
  const detector = new DivergenceDetector();
  detector.record("a", 10, 1);
  detector.record("a", 10, 2);
  expect(detector.divergences).toBe(1);
});

it("tells how many states had another to be compared with", () => {
  const detector = new DivergenceDetector();
  for (const hash of [1, 1, 2]) detector.record("a", 10, hash);
  detector.record("b", 10, 1);
  expect(detector.compared).toBe(3);
});

it("compares every tenth tick", () => {
  const detector = new DivergenceDetector();
  const ticks = Array.from({ length: 31 }, (_, tick) => tick);
  expect(ticks.filter((tick) => detector.isSampled(tick))).toEqual([0, 10, 20, 30]);
});

it("counts the same with bounded memory, as long as clients are not further apart than it reaches", () => {
  const reports = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(reports, (ticks) => {
      const bounded = new DivergenceDetector(1);
      const unbounded = new DivergenceDetector(1_000);
      for (const [tick, hashes] of ticks.entries()) {
        for (const hash of hashes) {
          bounded.record("a", tick, hash);
          unbounded.record("a", tick, hash);
        }
      }
      expect(bounded.divergences).toBe(unbounded.divergences);
      expect(bounded.compared).toBe(unbounded.compared);
    }),
  );
});

it("compares a hash that comes too late with nothing", () => {
  const detector = new DivergenceDetector(1);
  detector.record("a", 10, 1);
  detector.record("a", 20, 1);
  detector.record("a", 10, 2);
  expect(detector.divergences).toBe(0);
});
