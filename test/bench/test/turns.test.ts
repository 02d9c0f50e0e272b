import { describe, expect, test } from "vitest";
import { evenTurns, ownTurns } from "../generator/turns.ts";

describe("turns", () => {
  test("are at equal distances", () => {
    expect(evenTurns(4)).toEqual([
      { client: 0, at: 0 },
      { client: 1, at: 0.25 },
      { client: 2, at: 0.5 },
      { client: 3, at: 0.75 },
    ]);
  });

  test("of each client's own are in the order of their times, one for each client", () => {
    const random = [0.5, 0.25, 0.75].values();
    expect(ownTurns(3, () => random.next().value ?? 0)).toEqual([
      { client: 1, at: 0.25 },
      { client: 0, at: 0.5 },
      { client: 2, at: 0.75 },
    ]);
  });
});
