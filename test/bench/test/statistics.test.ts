import { describe, expect, test } from "vitest";
import { DurationHistogram, fitLinear, median } from "../statistics.ts";

describe("median", () => {
  test("is the middle value, or the mean of the two in the middle", () => {
    expect(median([3])).toBe(3);
    expect(median([10, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 4])).toBe(3);
  });

  test("leaves its argument as it is", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test("of nothing is an error", () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("durations", () => {
  test("the percentile is the shortest duration that so many do not exceed", () => {
    const histogram = new DurationHistogram();
    for (let duration = 1; duration <= 100; duration++) histogram.add(duration);
    expect(histogram.total).toBe(100);
    expect(histogram.percentile(0.5)).toBeCloseTo(50, 6);
    expect(histogram.percentile(0.99)).toBeCloseTo(99, 6);
    expect(histogram.percentile(1)).toBeCloseTo(100, 6);
  });

  test("is exact to the step, and counts what is out of range at the ends", () => {
    const histogram = new DurationHistogram();
    histogram.add(49.98);
    expect(histogram.percentile(0.5)).toBeCloseTo(50, 6);
    histogram.add(1_000_000);
    expect(histogram.percentile(1)).toBe(2_000);
    histogram.add(-1);
    expect(histogram.percentile(0.01)).toBe(0);
  });

  test("is 0 while there is none", () => {
    expect(new DurationHistogram().percentile(0.99)).toBe(0);
  });
});

describe("a linear fit", () => {
  test("finds the coefficients of points that are on a plane, in any order of the terms", () => {
    const places = [
      [1, 2],
      [1, 5],
      [0, 3],
      [4, 0],
    ];
    const points = places.map(([a = 0, b = 0]) => ({ x: [b, a, 1], y: 3 + 2 * a + b / 2 }));
    const [b, a, constant] = fitLinear(points);
    expect([a, b, constant].map((each) => each?.toFixed(6))).toEqual(["2.000000", "0.500000", "3.000000"]);
  });

  test("comes nearest to those that are not, in proportion", () => {
    // Of the two values the mean that weighs each by 1 / y^2.
    const [constant] = fitLinear([
      { x: [1], y: 1 },
      { x: [1], y: 2 },
    ]);
    expect(constant).toBeCloseTo((1 + 1 / 2) / (1 + 1 / 4), 9);
  });

  test("needs as many points as terms", () => {
    expect(() => fitLinear([{ x: [1, 1], y: 1 }])).toThrow(RangeError);
  });
});
