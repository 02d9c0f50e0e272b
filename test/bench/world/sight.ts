/** Which creatures one viewer sees: they come into view within the radius, and leave it a little beyond. */
import { type Point, WORLD } from "./world.ts";

export type SightChanges = {
  readonly entered: (creature: number) => void;
  readonly left: (creature: number) => void;
};

export class Sight {
  readonly #seen: Uint8Array;
  readonly #enterSquared: number;
  readonly #keepSquared: number;
  #size = 0;

  constructor(creatures: number, radius: number = WORLD.viewRadius) {
    this.#seen = new Uint8Array(creatures);
    this.#enterSquared = radius ** 2;
    this.#keepSquared = (radius * WORLD.keepFactor) ** 2;
  }

  /** How many it sees. */
  get size(): number {
    return this.#size;
  }

  /**
   * Looks again.
   * @param positions x and y of each creature, one after the other
   */
  update({ x, y }: Point, positions: Float64Array, { entered, left }: SightChanges): void {
    const seen = this.#seen;
    for (let index = 0; index < seen.length; index++) {
      const dx = (positions[2 * index] as number) - x;
      const dy = (positions[2 * index + 1] as number) - y;
      const squared = dx * dx + dy * dy;
      if (seen[index] === 0 && squared <= this.#enterSquared) {
        seen[index] = 1;
        this.#size += 1;
        entered(index);
      } else if (seen[index] === 1 && squared > this.#keepSquared) {
        seen[index] = 0;
        this.#size -= 1;
        left(index);
      }
    }
  }
}
