/** Counts at how many items a grid looks, as long as it does not grow. */
import type { InterestGrid } from "../../../server/room/interest-grid.ts";

/** @returns how many looks there were since the last call, or since this one */
export function countLooks(grid: InterestGrid): () => number {
  let reads = 0;
  grid.positions = new Proxy(grid.positions, {
    get: (positions, key) => {
      reads += 1;
      return Reflect.get(positions, key);
    },
  });
  return () => {
    // Of each item it reads x and y.
    const looks = reads / 2;
    reads = 0;
    return looks;
  };
}
