/**
 * An entity of a spatial map, together with all that is inside it: what a client sees, or does not see, as a whole.
 * It knows where it is, when it last changed, and where its encoded pieces lie in the bytes of the current step.
 */
import type { CoordinateLayout, PositionLayout } from "./layout.ts";
import type { Changes, LiveRecord } from "./store.ts";

/** Where pieces lie in the bytes of a step; in those of other steps they do not. */
export type PieceRange = { step: number; start: number; end: number };

export class SpatialEntity {
  readonly record: LiveRecord;
  readonly #position: PositionLayout;
  /** Number of the last commit in which it, or anything inside it, changed. */
  changedStep = 0;
  /** Number of the last commit in which something inside it came or went. */
  restructuredStep = 0;
  /** What happened inside it in this step, if anything did; undefined between commits. */
  inside: Changes | undefined = undefined;
  /** What changed in a step. */
  readonly change = noPieces();
  /** Every public field of it and of what is inside it. */
  readonly refresh = noPieces();
  /** The whole, for clients that do not know it. */
  readonly whole = noPieces();
  /** Its number in a grid; 0 while it is in none. */
  item = 0;

  constructor(record: LiveRecord, position: PositionLayout) {
    this.record = record;
    this.#position = position;
  }

  get x(): number {
    return coordinateOf(this.record, this.#position.x);
  }

  get y(): number {
    return coordinateOf(this.record, this.#position.y);
  }
}

function coordinateOf({ numbers }: LiveRecord, { slot, origin, unit }: CoordinateLayout): number {
  return origin + (numbers[slot] as number) * unit;
}

function noPieces(): PieceRange {
  return { step: 0, start: 0, end: 0 };
}
