/**
 * A spatial hash: who is near a point, without looking at everybody. Space is cut into square cells, and each cell
 * is kept in one of a fixed number of buckets, so that the plane needs no bounds and cells that empty cost nothing.
 */

/** What a grid holds: a position that changes, and the grid's own notes of where it has put it. */
export interface GridItem {
  readonly x: number;
  readonly y: number;
  cellX: number;
  cellY: number;
  bucketIndex: number;
}

/** A power of two. */
const BUCKETS = 1_024;
/** Cells may be this much larger or smaller than the circles that are asked for. */
const MISFIT_MAX = 2;

export class InterestGrid<T extends GridItem> {
  readonly #buckets: T[][] = Array.from({ length: BUCKETS }, () => []);
  #cellSize = 1;

  add(item: T): void {
    item.cellX = this.#cellOf(item.x);
    item.cellY = this.#cellOf(item.y);
    item.bucketIndex = this.#bucketAt(item.cellX, item.cellY).push(item) - 1;
  }

  /** Takes out an item that is in the grid. */
  remove(item: T): void {
    const bucket = this.#bucketAt(item.cellX, item.cellY);
    const last = bucket.pop();
    if (last === undefined || last === item) return;
    bucket[item.bucketIndex] = last;
    last.bucketIndex = item.bucketIndex;
  }

  /** To be called when an item's position has changed. */
  move(item: T): void {
    if (this.#cellOf(item.x) === item.cellX && this.#cellOf(item.y) === item.cellY) return;
    this.remove(item);
    this.add(item);
  }

  /** Appends to `found` the items within a circle, its edge included. */
  collect(x: number, y: number, radius: number, found: T[]): void {
    const size = this.#cellSize;
    const columns = Math.floor((x + radius) / size) - Math.floor((x - radius) / size) + 1;
    const rows = Math.floor((y + radius) / size) - Math.floor((y - radius) / size) + 1;
    // The other way round it would not hold for NaN, which comes of the largest numbers.
    if (!(columns * rows <= BUCKETS)) {
      for (const bucket of this.#buckets) {
        for (const item of bucket) if (isWithin(item, x, y, radius)) found.push(item);
      }
      return;
    }
    const firstX = this.#cellOf(x - radius);
    const firstY = this.#cellOf(y - radius);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        const cellX = (firstX + column) | 0;
        const cellY = (firstY + row) | 0;
        for (const item of this.#bucketAt(cellX, cellY)) {
          // Cells that share a bucket are told apart, so that nothing is found twice.
          if (item.cellX === cellX && item.cellY === cellY && isWithin(item, x, y, radius)) found.push(item);
        }
      }
    }
  }

  /** Makes the cells as large as the circles that are asked for, when they are of another order. */
  fit(radius: number): void {
    if (radius <= this.#cellSize * MISFIT_MAX && radius * MISFIT_MAX >= this.#cellSize) return;
    const items = this.#buckets.flat();
    for (const bucket of this.#buckets) bucket.length = 0;
    this.#cellSize = radius;
    for (const item of items) this.add(item);
  }

  /** Far out the numbers of cells wrap around: two far apart may have the same, which only costs a look. */
  #cellOf(coordinate: number): number {
    return Math.floor(coordinate / this.#cellSize) | 0;
  }

  /**
   * The hash is that of Teschner et al., "Optimized Spatial Hashing for Collision Detection of Deformable Objects"
   * (2003), for two dimensions.
   */
  #bucketAt(cellX: number, cellY: number): T[] {
    const hash = Math.imul(cellX, 73_856_093) ^ Math.imul(cellY, 19_349_663);
    return this.#buckets[hash & (BUCKETS - 1)] as T[];
  }
}

/** Whether a point is in a circle, its edge included. */
export function isWithin(
  point: { readonly x: number; readonly y: number },
  x: number,
  y: number,
  radius: number,
): boolean {
  const dx = point.x - x;
  const dy = point.y - y;
  return dx * dx + dy * dy <= radius * radius;
}
