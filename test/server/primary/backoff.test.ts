import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../../server/primary/backoff.ts";
import { between } from "../../support/between.ts";

const BOUNDS = { minMs: 100, maxMs: 10_000 };

describe("backoff", () => {
  it("doubles its window up to the limit, and draws from the window's upper half", () => {
    const least = [0, 1, 2, 6, 7, 50, 2_000].map((attempt) => backoffMs(attempt, BOUNDS, () => 0));
    const most = [0, 1, 2, 6, 7, 50, 2_000].map((attempt) => backoffMs(attempt, BOUNDS, () => 1));
    expect(least).toEqual([100, 200, 400, 5_000, 5_000, 5_000, 5_000]);
    expect(most).toEqual([200, 400, 800, 10_000, 10_000, 10_000, 10_000]);
  });

  it("never leaves its bounds", () => {
    const random = between(0, 1);
    fc.assert(
      fc.property(fc.nat(5_000), random, (attempt, value) => {
        const delayMs = backoffMs(attempt, BOUNDS, () => value);
        expect(delayMs).toBeGreaterThanOrEqual(BOUNDS.minMs);
        expect(delayMs).toBeLessThanOrEqual(BOUNDS.maxMs);
      }),
    );
  });
});
