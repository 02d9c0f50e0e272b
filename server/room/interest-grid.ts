/**
 * A spatial hash: who is near a point, without looking at everybody. Space is cut into square cells, and each cell
 * is kept in one of a fixed number of buckets, so that the plane needs no bounds and cells that empty cost nothing.
 *
 * Items are numbers that the grid gives out, and what it knows of them stands in typed arrays by that number: most of
 * its time goes into distances, and those are then computed from numbers that lie side by side.
 */

/** The number of what is in no place. */
export const NOWHERE = 0;
/** A power of two. */
const BUCKETS = 1_024;
/** Cells may be this much larger or smaller than the circles that are asked for. */
const MISFIT_MAX = 2;
/** Room for so many items at first; it doubles. */
const INITIAL_ITEMS = 64;

export class InterestGrid {
  /** Of each item its x and y, one after the other. */
  positions = new Float64Array(2 * INITIAL_ITEMS);
  /** What `collect` found last. */
  found = new Int32Array(INITIAL_ITEMS);
  #cellsX = new Int32Array(INITIAL_ITEMS);
  #cellsY = new Int32Array(INITIAL_ITEMS);
  /** Of each bucket an item, and of each item the next and the previous in its bucket; or NOWHERE. */
  readonly #first = new Int32Array(BUCKETS);
  #next = new Int32Array(INITIAL_ITEMS);
  #previous = new Int32Array(INITIAL_ITEMS);
  /** Numbers below `#itemsEnd` that are given back. */
  readonly #free: number[] = [];
  #itemsEnd = NOWHERE + 1;
  #cellSize = 1;

  constructor() {
    this.positions.fill(Number.NaN, 0, 2);
  }

  /** @returns the new item's number: the lowest that was never given out, or one that was given back */
  add(x: number, y: number): number {
    const item = this.#free.pop() ?? this.#itemsEnd++;
    if (item === this.found.length) this.#grow();
    this.positions[2 * item] = x;
    this.positions[2 * item + 1] = y;
    this.#place(item, this.#cellOf(x), this.#cellOf(y));
    return item;
  }

  /** From now on the number is that of no place, until it is given to another. */
  remove(item: number): void {
    this.#take(item);
    this.positions[2 * item] = Number.NaN;
    this.#free.push(item);
  }

  move(item: number, x: number, y: number): void {
    this.positions[2 * item] = x;
    this.positions[2 * item + 1] = y;
    const cellX = this.#cellOf(x);
    const cellY = this.#cellOf(y);
    if (cellX === this.#cellsX[item] && cellY === this.#cellsY[item]) return;
    this.#take(item);
    this.#place(item, cellX, cellY);
  }

  /**
   * Looks for the items within a circle, its edge included.
   * @returns how many there are; they stand in `found` until the next call
   */
  collect(x: number, y: number, radius: number): number {
    const size = this.#cellSize;
    const columns = Math.floor((x + radius) / size) - Math.floor((x - radius) / size) + 1;
    const rows = Math.floor((y + radius) / size) - Math.floor((y - radius) / size) + 1;
    // The other way round it would not hold for NaN, which comes of the largest numbers.
    if (!(columns * rows <= BUCKETS)) return this.#collectFromAll(x, y, radius);
    const { found, positions } = this;
    const first = this.#first;
    const next = this.#next;
    const cellsX = this.#cellsX;
    const cellsY = this.#cellsY;
    const firstX = this.#cellOf(x - radius);
    const firstY = this.#cellOf(y - radius);
    let count = 0;
    for (let column = 0; column < columns; column++) {
      const cellX = (firstX + column) | 0;
      for (let row = 0; row < rows; row++) {
        const cellY = (firstY + row) | 0;
        let item = first[bucketOf(cellX, cellY)] as number;
        for (; item !== NOWHERE; item = next[item] as number) {
          if (!isWithin(positions, item, x, y, radius)) continue;
          // Cells that share a bucket are told apart, so that nothing is found twice.
          if (cellsX[item] === cellX && cellsY[item] === cellY) found[count++] = item;
        }
      }
    }
    return count;
  }

  #collectFromAll(x: number, y: number, radius: number): number {
    let count = 0;
    for (let item = 1; item < this.#itemsEnd; item++) {
      if (isWithin(this.positions, item, x, y, radius)) this.found[count++] = item;
    }
    return count;
  }

  /** Makes the cells as large as the circles that are asked for, when they are of another order. */
  fit(radius: number): void {
    if (radius <= this.#cellSize * MISFIT_MAX && radius * MISFIT_MAX >= this.#cellSize) return;
    this.#cellSize = radius;
    this.#first.fill(NOWHERE);
    for (let item = 1; item < this.#itemsEnd; item++) {
      const x = this.positions[2 * item] as number;
      if (Number.isNaN(x)) continue;
      const y = this.positions[2 * item + 1] as number;
      this.#place(item, this.#cellOf(x), this.#cellOf(y));
    }
  }

  #place(item: number, cellX: number, cellY: number): void {
    this.#cellsX[item] = cellX;
    this.#cellsY[item] = cellY;
    const bucket = bucketOf(cellX, cellY);
    const next = this.#first[bucket] as number;
    this.#first[bucket] = item;
    this.#next[item] = next;
    this.#previous[item] = NOWHERE;
    this.#previous[next] = item;
  }

  /** Out of its bucket. */
  #take(item: number): void {
    const next = this.#next[item] as number;
    const previous = this.#previous[item] as number;
    if (previous === NOWHERE) {
      const bucket = bucketOf(this.#cellsX[item] as number, this.#cellsY[item] as number);
      this.#first[bucket] = next;
    } else this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #grow(): void {
    this.positions = twice(this.positions);
    this.found = twice(this.found);
    this.#cellsX = twice(this.#cellsX);
    this.#cellsY = twice(this.#cellsY);
    this.#next = twice(this.#next);
    this.#previous = twice(this.#previous);
  }

  /** Far out the numbers of cells wrap around: two far apart may have the same, which only costs a look. */
  #cellOf(coordinate: number): number {
    return Math.floor(coordinate / this.#cellSize) | 0;
  }
}

/**
 * The factors are odd, so that a row of cells has all buckets before it has one again; and chosen so that the cells of
 * any square of 20 to a side have buckets of their own.
 */
function bucketOf(cellX: number, cellY: number): number {
  return (cellX * 93 + cellY * 159) & (BUCKETS - 1);
}

/** Whether an item is in a circle, its edge included. @param positions of a grid */
export function isWithin(
  positions: Float64Array,
  item: number,
  x: number,
  y: number,
  radius: number,
): boolean {
  const dx = (positions[2 * item] as number) - x;
  const dy = (positions[2 * item + 1] as number) - y;
  return dx * dx + dy * dy <= radius * radius;
}

function twice<Items extends Float64Array | Int32Array>(items: Items): Items {
  const larger = new (items.constructor as new (length: number) => Items)(2 * items.length);
  larger.set(items);
  return larger;
}
