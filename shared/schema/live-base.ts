/**
 * The base of every entity an author handles; the fields are accessors on a subclass made for each shape.
 *
 * The setters of numbers are here, as one function each. What a game's step assigns is fast as long as the compiler can
 * put all of it in place, and it puts in place only so many words of a step: a function that these called would come on
 * top of them for every assignment.
 */
import type { LiveRecord } from "./store.ts";

export type Setter = (this: LiveEntity, value: unknown) => void;
/** What a value that was assigned is kept as. @throws RangeError for what the field cannot hold */
export type Rounding = (value: unknown) => number;

export class LiveEntity {
  readonly #record: LiveRecord;

  constructor(record: LiveRecord) {
    this.#record = record;
  }

  static recordOf(live: LiveEntity): LiveRecord {
    return live.#record;
  }

  /**
   * The hot one: most of what changes is a quantised number that is always there.
   *
   * @param points how many there are, from `min` on
   * @param rarely for what is no number of theirs
   */
  static quantisedSetter(
    slot: number,
    bit: number,
    min: number,
    step: number,
    points: number,
    rarely: Rounding,
  ): Setter {
    return function (value) {
      const record = this.#record;
      const { numbers, dirty } = record;
      // As in indexOf, for what is on the grid.
      const place = typeof value === "number" ? (value - min) / step + 0.5 : -1;
      const stored = place >= 0 && place < points ? place >>> 0 : rarely(value);
      if (numbers[slot] === stored) return;
      numbers[slot] = stored;
      if (dirty === 0) record.store.dirty.push(record);
      record.dirty = dirty | bit;
    };
  }

  /** For any other number that is always there. */
  static numberSetter(slot: number, bit: number, rounding: Rounding): Setter {
    return function (value) {
      const record = this.#record;
      const { numbers, dirty } = record;
      const stored = rounding(value);
      if (numbers[slot] === stored) return;
      numbers[slot] = stored;
      if (dirty === 0) record.store.dirty.push(record);
      record.dirty = dirty | bit;
    };
  }
}
