import { describe, expect, test } from "vitest";
import { searchCapacity } from "../measure/search-capacity.ts";

const SEARCH = { first: 960, most: 7_680, bisections: 3, multipleOf: 32 };

/** @returns what the search found and what it tried, for a server that holds so many clients */
async function search(
  capacity: number,
  settings = SEARCH,
): Promise<{ found: number | undefined; tried: number[] }> {
  const tried: number[] = [];
  const found = await searchCapacity(async (clients) => {
    tried.push(clients);
    return clients <= capacity ? clients : undefined;
  }, settings);
  return { found, tried };
}

describe("the search for a capacity", () => {
  test("doubles, then halves what is left", async () => {
    const { found, tried } = await search(2_500);
    expect(tried).toEqual([960, 1_920, 3_840, 2_880, 2_400, 2_656]);
    expect(found).toBe(2_400);
  });

  test("goes down when the first is too many already", async () => {
    expect(await search(300)).toEqual({ found: 256, tried: [960, 480, 256, 384] });
  });

  test("finds nothing when nothing holds", async () => {
    expect((await search(0)).found).toBeUndefined();
  });

  test("stops at the most it may try", async () => {
    expect(await search(100_000)).toEqual({ found: 7_680, tried: [960, 1_920, 3_840, 7_680] });
  });

  test("tries the most it may when that is not a doubling, and goes on below", async () => {
    const { found, tried } = await search(4_800, { ...SEARCH, most: 5_760 });
    expect(tried).toEqual([960, 1_920, 3_840, 5_760, 4_800, 5_280, 5_056]);
    expect(found).toBe(4_800);
  });

  test("does not try the same number twice", async () => {
    const { tried } = await search(70, { first: 64, most: 1_000, bisections: 10, multipleOf: 32 });
    expect(tried).toEqual([64, 128, 96]);
  });
});
