/**
 * What users hold of an entity in the mirror: own, enumerable, read-only properties, so that views can be spread, listed and
 * turned into JSON. They look into the record's slots: bytes that are read become numbers there, and nothing is
 * copied into views.
 */
import { scalarGetter } from "./getters.ts";
import { type FieldLayout, Kind, type Shape } from "./layout.ts";
import type { MirrorRecord } from "./mirror-record.ts";

export class EntityView {
  readonly #record: MirrorRecord;

  constructor(record: MirrorRecord) {
    this.#record = record;
  }

  static recordOf(view: EntityView): MirrorRecord {
    return view.#record;
  }
}

export type ViewClass = new (record: MirrorRecord) => EntityView;

const { recordOf } = EntityView;

/** A class for each shape: objects of one class with other getters would not share their hidden class. */
export function makeViewClass(shape: Shape): ViewClass {
  const getters: [name: string, get: (this: EntityView) => unknown][] = [];
  for (const field of shape.fields) getters.push([field.name, getterOf(field)]);
  shape.maps.forEach(({ name }, index) => {
    getters.push([
      name,
      function () {
        return recordOf(this).maps[index]?.shown;
      },
    ]);
  });
  const properties = getters.map(([name, get]) => [name, { get, enumerable: true }] as const);
  return class extends EntityView {
    constructor(record: MirrorRecord) {
      super(record);
      for (const [name, property] of properties) Object.defineProperty(this, name, property);
    }
  };
}

function getterOf(field: FieldLayout): (this: EntityView) => unknown {
  const { slot } = field;
  if (field.list) {
    return function () {
      return recordOf(this).lists[slot];
    };
  }
  if (field.kind === Kind.REF) {
    return function () {
      return recordOf(this).targets[slot];
    };
  }
  return scalarGetter(field, recordOf);
}
