/**
 * Arithmetic over some fields of plain objects: what is blended and interpolated is named by field, as plain numbers
 * or as angles in radians.
 */

/** The fields of `T` that hold numbers. */
export type NumberKey<T> = { [K in keyof T]-?: T[K] extends number ? K : never }[keyof T] & string;

const FULL_TURN = 2 * Math.PI;

export class NumberFields {
  readonly names: readonly string[];
  /** How many of them are plain numbers; angles follow. */
  readonly #numbers: number;

  constructor(numbers: readonly string[] = [], angles: readonly string[] = []) {
    this.names = [...numbers, ...angles];
    this.#numbers = numbers.length;
  }

  valuesOf(object: object): number[] {
    return this.names.map((name) => (object as Record<string, number>)[name] as number);
  }

  /** @returns what leads from one to the other, angles by the shorter way */
  differences(from: readonly number[], to: readonly number[]): number[] {
    return from.map((value, i) => {
      const difference = (to[i] as number) - value;
      return i < this.#numbers ? difference : difference - FULL_TURN * Math.round(difference / FULL_TURN);
    });
  }

  /** Length of a difference over the plain numbers. */
  distance(differences: readonly number[]): number {
    return Math.hypot(...differences.slice(0, this.#numbers));
  }
}
