/** The spatial hash finds what looking at everybody finds, wherever things are, and looks at few. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type GridItem, InterestGrid, isWithin } from "../../../server/room/interest-grid.ts";

class Item implements GridItem {
  static looks = 0;
  readonly #position: [x: number, y: number];
  cellX = 0;
  cellY = 0;
  bucketIndex = 0;

  constructor(x: number, y: number) {
    this.#position = [x, y];
  }

  get x(): number {
    Item.looks++;
    return this.#position[0];
  }

  get y(): number {
    return this.#position[1];
  }

  moveTo(x: number, y: number): void {
    this.#position[0] = x;
    this.#position[1] = y;
  }
}

function collect(grid: InterestGrid<Item>, x: number, y: number, radius: number): Item[] {
  const found: Item[] = [];
  grid.collect(x, y, radius, found);
  return found;
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
    const grid = new InterestGrid<Item>();
    const items: Item[] = [];
    for (const { what, n, x, y, radius } of commands) {
      const item = items[n % items.length];
      if (what === "add") {
        const added = new Item(x, y);
        grid.add(added);
        items.push(added);
      } else if (what === "fit") {
        if (radius > 0) grid.fit(radius);
      } else if (what === "collect") {
        const expected = new Set(items.filter((each) => isWithin(each, x, y, radius)));
        const found = collect(grid, x, y, radius);
        if (found.length !== expected.size || !found.every((each) => expected.has(each))) {
          expect(found).toEqual([...expected]);
        }
      } else if (item && what === "move") {
        item.moveTo(x, y);
        grid.move(item);
      } else if (item) {
        grid.remove(item);
        items.splice(items.indexOf(item), 1);
      }
    }
  });
  fc.assert(run, { numRuns: 1_000 });
});

test("the edge of a circle is part of it", () => {
  const grid = new InterestGrid<Item>();
  const item = new Item(3, 4);
  grid.add(item);
  expect(collect(grid, 0, 0, 5)).toEqual([item]);
  expect(collect(grid, 0, 0, 4.999)).toEqual([]);
});

test.each([5, 30, 1000])("once fitted to a radius of %i, looks only at what is near", (radius) => {
  const grid = new InterestGrid<Item>();
  // One to each unit of area that is a hundredth of a circle's.
  const step = radius / 5;
  for (let row = 0; row < 100; row++) {
    for (let column = 0; column < 100; column++) grid.add(new Item(column * step, row * step));
  }
  grid.fit(radius);
  Item.looks = 0;
  const found = collect(grid, 50 * step, 50 * step, radius);
  expect(found).toHaveLength(81);
  expect(Item.looks).toBeLessThanOrEqual(found.length * 4);
});
