import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../shared/protocol/token-bucket.ts";

describe("TokenBucket", () => {
  test("allows a burst at once, then its rate", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 });
    expect([bucket.take(1, 1000), bucket.take(1, 1000), bucket.take(1, 1000)]).toEqual([true, true, true]);
    expect(bucket.take(1, 1000)).toBe(false);
    expect(bucket.take(1, 1099)).toBe(false);
    expect(bucket.take(1, 1100)).toBe(true);
    expect(bucket.take(1, 1100)).toBe(false);
  });

  test("never holds more than its burst", () => {
    const bucket = new TokenBucket({ perSecond: 1000, burst: 5 });
    expect(bucket.take(6, 3_600_000)).toBe(false);
    expect(bucket.take(5, 3_600_000)).toBe(true);
  });

  test("takes nothing when it refuses", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 });
    expect(bucket.take(6, 0)).toBe(false);
    expect(bucket.take(5, 0)).toBe(true);
  });

  test("a clock that steps back gives nothing, nor twice the same time", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
    expect(bucket.take(2, 10_000)).toBe(true);
    expect(bucket.take(1, 5_000)).toBe(false);
    expect(bucket.take(1, 10_000)).toBe(false);
    expect(bucket.take(1, 11_000)).toBe(true);
  });

  test("a burst is whole at any time of any clock, whatever its rate", () => {
    const burst = 240;
    for (const nowMs of [-1_000, 0, 0.1, 1_700_000_000_000.7]) {
      const bucket = new TokenBucket({ perSecond: 120, burst });
      for (let taken = 0; taken < burst; taken += 1) expect(bucket.take(1, nowMs)).toBe(true);
      expect(bucket.take(1, nowMs)).toBe(false);
    }
  });

  test("over any time lets through its burst and its rate, no more and no less", () => {
    const gaps = fc.array(fc.nat(50), { maxLength: 200 });
    const rate = fc.integer({ min: 1, max: 200 });
    // More than what flows in between two askings, so that nothing overflows.
    const burst = fc.integer({ min: 11, max: 50 });
    fc.assert(
      fc.property(gaps, rate, burst, (waits, perSecond, burst) => {
        const bucket = new TokenBucket({ perSecond, burst });
        let nowMs = 0;
        let taken = 0;
        for (const wait of [0, ...waits]) {
          nowMs += wait;
          while (bucket.take(1, nowMs)) taken += 1;
        }
        const allowed = burst + (perSecond * nowMs) / 1000;
        expect(taken).toBeLessThanOrEqual(allowed + 1e-6);
        expect(taken).toBeGreaterThan(allowed - 1 - 1e-6);
      }),
    );
  });
});
