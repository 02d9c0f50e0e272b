/** The spatial hash finds what looking at everybody finds, wherever things are, and looks at few. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { InterestGrid, isWithin, NOWHERE } from "../../../server/room/interest-grid.ts";
import { countLooks } from "./count-looks.ts";

type Point = readonly [x: number, y: number];

function collect(grid: InterestGrid, x: number, y: number, radius: number): number[] {
  const count = grid.collect(x, y, radius);
  return Array.from(grid.found.subarray(0, count)).sort((a, b) => a - b);
}

test("finds exactly what is in the circle after any history", () => {
  const coordinate = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1e308, 1e308, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e-300, -0.5) },
  );
  const radius = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(0.5, 1e-300, 1e9, 1e308));
  const command = fc.record({
    what: fc.constantFrom("add", "add", "move", "remove", "fit", "collect", "collect"),
    n: fc.nat(50),
    x: coordinate,
    y: coordinate,
    radius,
  });
  const run = fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
    const grid = new InterestGrid();
    const points = new Map<number, Point>();
    for (const { what, n, x, y, radius } of commands) {
      const item = [...points.keys()][n % points.size];
      if (what === "add") {
        const added = grid.add(x, y);
        expect(points.has(added) || added === NOWHERE).toBe(false);
        points.set(added, [x, y]);
      } else if (what === "fit") {
        if (radius > 0) grid.fit(radius);
      } else if (what === "collect") {
        const inside = [...points].filter(([, point]) =>
          isWithin(Float64Array.of(...point), 0, x, y, radius),
        );
        expect(collect(grid, x, y, radius)).toEqual(inside.map(([each]) => each).sort((a, b) => a - b));
      } else if (item !== undefined && what === "move") {
        grid.move(item, x, y);
        points.set(item, [x, y]);
      } else if (item !== undefined) {
        grid.remove(item);
        points.delete(item);
      }
    }
  });
  fc.assert(run, { numRuns: 1_000 });
});

test("keeps what it holds when it grows, and uses numbers again", () => {
  const grid = new InterestGrid();
  const items = Array.from({ length: 1_000 }, (_, index) => grid.add(index, -index));
  expect(new Set(items).size).toBe(1_000);
  expect(collect(grid, 500, -500, 1.5)).toEqual([499, 500, 501].map((index) => items[index]));
  for (const item of items) grid.remove(item);
  expect(collect(grid, 500, -500, 1e9)).toEqual([]);
  expect(new Set(items).has(grid.add(500, -500))).toBe(true);
  expect(collect(grid, 500, -500, 1e9)).toHaveLength(1);
});

test("what is nowhere, or was removed, is in no circle", () => {
  const grid = new InterestGrid();
  const item = grid.add(0, 0);
  expect(isWithin(grid.positions, item, 0, 0, 0)).toBe(true);
  grid.remove(item);
  expect(isWithin(grid.positions, item, 0, 0, 1e308)).toBe(false);
  expect(isWithin(grid.positions, NOWHERE, 0, 0, 1e308)).toBe(false);
});

test("the edge of a circle is part of it", () => {
  const grid = new InterestGrid();
  const item = grid.add(3, 4);
  expect(collect(grid, 0, 0, 5)).toEqual([item]);
  expect(collect(grid, 0, 0, 4.999)).toEqual([]);
});

test.each([5, 30, 1000])("once fitted to a radius of %i, looks only at what is near", (radius) => {
  const grid = new InterestGrid();
  // One to each unit of area that is a hundredth of a circle's.
  const step = radius / 5;
  for (let row = 0; row < 100; row++) {
    for (let column = 0; column < 100; column++) grid.add(column * step, row * step);
  }
  grid.fit(radius);
  const looks = countLooks(grid);
  const found = collect(grid, 50 * step, 50 * step, radius);
  expect(found).toHaveLength(81);
  expect(looks()).toBeGreaterThanOrEqual(found.length);
  collect(grid, 50 * step, 50 * step, radius);
  expect(looks()).toBeLessThanOrEqual(found.length * 4);
});
