/** How fields are read, on the server and in the mirror alike: from the slots of the entity's record. */
import { shownNumber } from "./codec.ts";
import { type FieldLayout, Kind } from "./layout.ts";
import type { EntityRecord } from "./record.ts";

/**
 * @param field a number or a string, and no ref
 * @param recordOf the record of what users hold
 */
export function scalarGetter<T>(
  field: FieldLayout,
  recordOf: (entity: T) => EntityRecord,
): (this: T) => unknown {
  const { slot, min, step } = field;
  if (field.kind === Kind.STRING) {
    return function () {
      return recordOf(this).strings[slot];
    };
  }
  // What the mirror has not been told of is absent like an optional value.
  if (field.optional || field.private || field.kind === Kind.BOOL) {
    return function () {
      return shownNumber(field, recordOf(this).numbers[slot] as number);
    };
  }
  if (field.kind === Kind.QUANTISED) {
    return function () {
      return min + (recordOf(this).numbers[slot] as number) * step;
    };
  }
  return function () {
    return recordOf(this).numbers[slot];
  };
}
