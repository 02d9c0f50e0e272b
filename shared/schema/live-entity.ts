/**
 * Makes the class of a shape's entities: an accessor on the prototype for every field, over the record's slots.
 * Reading gives exactly what clients will have; assigning an equal value marks nothing.
 */
import { refused, toNumber, toText } from "./codec.ts";
import { scalarGetter } from "./getters.ts";
import { type FieldLayout, Kind, type Shape } from "./layout.ts";
import { LiveEntity, type Setter } from "./live-base.ts";
import { LiveList } from "./live-list.ts";
import { LiveMap } from "./live-map.ts";
import type { LiveClass, LiveRecord } from "./store.ts";

type Accessor = PropertyDescriptor & ThisType<LiveEntity>;

const { recordOf } = LiveEntity;

export function makeLiveClass(shape: Shape): LiveClass {
  const Made = class extends LiveEntity {
    constructor(record: LiveRecord) {
      super(record);
      for (const field of shape.fields) if (field.list) record.liveLists.push(new LiveList(record, field));
      for (let i = 0; i < shape.maps.length; i++) record.children.push(new LiveMap(record, i));
    }
  };
  for (const field of shape.fields) define(Made, field.name, accessorOf(field, shape.name));
  shape.maps.forEach((map, index) => {
    define(Made, map.name, {
      get() {
        return recordOf(this).children[index];
      },
    });
  });
  return Made;
}

function define(liveClass: LiveClass, name: string, accessor: Accessor): void {
  Object.defineProperty(liveClass.prototype, name, { enumerable: true, ...accessor });
}

function accessorOf(field: FieldLayout, entity: string): Accessor {
  if (field.list) return listAccessor(field);
  if (field.kind === Kind.REF) return refAccessor(field, entity);
  return { get: scalarGetter(field, recordOf), set: scalarSetter(field, entity) };
}

function scalarSetter(field: FieldLayout, entity: string): Setter {
  if (field.kind === Kind.STRING) return textSetter(field, entity);
  if (field.optional) return optionalNumberSetter(field, entity);
  const { slot, bit, min, step, storedMax } = field;
  const rounding = (value: unknown) => toNumber(field, entity, value);
  if (field.kind !== Kind.QUANTISED) return LiveEntity.numberSetter(slot, bit, rounding);
  return LiveEntity.quantisedSetter(slot, bit, min, step, storedMax + 1, rounding);
}

function optionalNumberSetter(field: FieldLayout, entity: string): Setter {
  const { slot, bit } = field;
  return function (value) {
    const record = recordOf(this);
    const stored = value === undefined ? Number.NaN : toNumber(field, entity, value);
    if (Object.is(record.numbers[slot], stored)) return;
    record.numbers[slot] = stored;
    record.mark(bit);
  };
}

function textSetter(field: FieldLayout, entity: string): Setter {
  const { slot, bit, optional } = field;
  return function (value) {
    const record = recordOf(this);
    const stored = optional && value === undefined ? undefined : toText(field, entity, value);
    if (record.strings[slot] === stored) return;
    record.strings[slot] = stored;
    record.mark(bit);
  };
}

function refAccessor(field: FieldLayout, entity: string): Accessor {
  const { slot, bit } = field;
  return {
    get() {
      const record = recordOf(this);
      return record.store.records.get(record.numbers[slot] as number)?.live;
    },
    set(value: unknown) {
      const record = recordOf(this);
      const target = value === undefined ? undefined : targetOf(value, record, field);
      if (value !== undefined && target === undefined)
        throw refused(field, entity, "an entity of another kind");
      // The id of an entity that is gone reads as none.
      const before = record.store.records.get(record.numbers[slot] as number);
      const after = target?.status === "gone" ? undefined : target;
      if (before === after) return;
      record.numbers[slot] = after?.id ?? 0;
      record.mark(bit);
    },
  };
}

/** @returns undefined for what the field may not refer to */
function targetOf(value: unknown, from: LiveRecord, field: FieldLayout): LiveRecord | undefined {
  if (!(value instanceof LiveEntity)) return undefined;
  const target = recordOf(value);
  return target.store === from.store && target.shape.index === field.entity ? target : undefined;
}

function listAccessor(field: FieldLayout): Accessor {
  const { slot } = field;
  return {
    get() {
      return recordOf(this).liveLists[slot];
    },
  };
}
