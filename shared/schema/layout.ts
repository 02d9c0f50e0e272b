/**
 * A schema made ready for work: for each entity its fields in wire order, with the bit each has in a change mask and
 * the slot where a record keeps its value. Built from a description alone, so that server and client lay out alike;
 * the description may come from the network and is checked.
 */
import type { SchemaDescriptor, TypeDescriptor } from "./descriptor.ts";
import { assertFieldName, ENTITY_TYPES_MAX, FIELDS_MAX, quantised, quantisedIndexMax } from "./fields.ts";
import type { Row } from "./rows.ts";
import { SchemaError } from "./schema-error.ts";

/**
 * What a value is on the wire. All but STRING are kept as numbers: BOOL as 0 or 1, QUANTISED as the index of its point,
 * REF as an entity id or 0.
 */
export const Kind = {
  U8: 0,
  U16: 1,
  U32: 2,
  I8: 3,
  I16: 4,
  I32: 5,
  F32: 6,
  F64: 7,
  BOOL: 8,
  QUANTISED: 9,
  REF: 10,
  STRING: 11,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export type FieldLayout = {
  readonly name: string;
  readonly kind: Kind;
  readonly optional: boolean;
  readonly list: boolean;
  readonly private: boolean;
  /** Place in the record's numbers, strings or lists. */
  slot: number;
  /** Its bit in a mask of changes; 0 outside entities. */
  bit: number;
  /** Least of integers and quantised values. */
  readonly min: number;
  /** Of quantised values. */
  readonly step: number;
  /** Largest number that is kept of integers, bools and quantised values. */
  readonly storedMax: number;
  /** Of a number on the wire, if it is there; 0 when values differ in it. */
  readonly bytes: number;
  /** What a ref refers to. */
  readonly entity: number;
};

export type MapLayout = {
  readonly name: string;
  readonly entity: number;
  /** Where its entities keep their position, if it is a spatial map; on the server only. */
  readonly spatial: PositionLayout | undefined;
};
export type PositionLayout = { readonly x: CoordinateLayout; readonly y: CoordinateLayout };
/** A slot among a record's numbers, and what a number in it stands for: origin + number * unit. */
export type CoordinateLayout = { readonly slot: number; readonly origin: number; readonly unit: number };

export type Shape = {
  /** Of the entity in the description. */
  readonly index: number;
  readonly name: string;
  /** Public fields, then those private to the owner; field n has bit 1 << n. */
  readonly fields: readonly FieldLayout[];
  readonly publicCount: number;
  readonly publicMask: number;
  readonly privateMask: number;
  readonly publicMaskBytes: number;
  readonly privateMaskBytes: number;
  readonly refs: readonly FieldLayout[];
  /** Some entity's ref refers to entities of this kind. */
  readonly isReferredTo: boolean;
  readonly maps: readonly MapLayout[];
  /** What a new record's numbers and strings are. */
  readonly blankNumbers: readonly number[];
  readonly blankStrings: readonly (string | undefined)[];
  readonly listCount: number;
  /** What `rowOf` remembers, by mask. */
  readonly rows: Map<number, Row>;
  /** Every field's place by its name. */
  readonly parts: ReadonlyMap<string, "scalar" | "list" | "map">;
};

/** @throws SchemaError for what is not the description of a schema */
export function compile(descriptor: SchemaDescriptor): readonly Shape[] {
  try {
    if (!(descriptor.length >= 1 && descriptor.length <= ENTITY_TYPES_MAX)) {
      throw new SchemaError(`a schema has 1 to ${ENTITY_TYPES_MAX} entities`);
    }
    const compiled = descriptor.map((_, index) => compileEntity(descriptor, index));
    const referredTo = new Set(compiled.flatMap(({ refs }) => refs.map(({ entity }) => entity)));
    const shapes = compiled.map((shape) => ({ ...shape, isReferredTo: referredTo.has(shape.index) }));
    assertNoCycle(shapes);
    return shapes;
  } catch (error) {
    // A description from the network can be any value: whatever it trips over, it is no description.
    throw error instanceof SchemaError ? error : new SchemaError(`not a schema: ${String(error)}`);
  }
}

function compileEntity(descriptor: SchemaDescriptor, index: number): Omit<Shape, "isReferredTo"> {
  const [name, described] = descriptor[index] as SchemaDescriptor[number];
  if (described.length > FIELDS_MAX) throw new SchemaError(`${name} has too many fields`);
  const publicFields: FieldLayout[] = [];
  const privateFields: FieldLayout[] = [];
  const maps: MapLayout[] = [];
  const parts = new Map<string, "scalar" | "list" | "map">();
  for (const [fieldName, type] of described) {
    assertFieldName(fieldName);
    if (parts.has(fieldName)) throw new SchemaError(`${name} has two fields ${fieldName}`);
    if (typeof type !== "string" && type[0] === "map") {
      maps.push({ name: fieldName, entity: entityIndex(type[1], descriptor), spatial: undefined });
      parts.set(fieldName, "map");
      continue;
    }
    const field = layoutField(fieldName, type, descriptor);
    (field.private ? privateFields : publicFields).push(field);
    parts.set(fieldName, field.list ? "list" : "scalar");
  }
  const fields = [...publicFields, ...privateFields];
  const publicCount = publicFields.length;
  return {
    index,
    name,
    fields,
    publicCount,
    ...assignSlots(fields),
    publicMask: maskOf(publicFields),
    privateMask: maskOf(privateFields),
    publicMaskBytes: (publicCount + 7) >> 3,
    privateMaskBytes: (privateFields.length + 7) >> 3,
    refs: fields.filter((field) => field.kind === Kind.REF),
    maps,
    rows: new Map(),
    parts,
  };
}

/** Entities hold each other to a depth the schema bounds, so that walking into them cannot exhaust the stack. */
function assertNoCycle(shapes: readonly Shape[]): void {
  const open = new Set<number>();
  const done = new Set<number>();
  const visit = (index: number): void => {
    const shape = shapes[index];
    if (!shape || done.has(index)) return;
    if (open.has(index)) throw new SchemaError(`${shape.name} holds itself`);
    open.add(index);
    for (const map of shape.maps) visit(map.entity);
    open.delete(index);
    done.add(index);
  };
  for (const shape of shapes) visit(shape.index);
}

function assignSlots(fields: readonly FieldLayout[]) {
  // Begun with a fraction, it is an array of doubles from the first, and so are its copies.
  const blankNumbers = [0.5];
  blankNumbers.length = 0;
  const blankStrings: (string | undefined)[] = [];
  let listCount = 0;
  fields.forEach((field, place) => {
    field.bit = 1 << place;
    if (field.list) field.slot = listCount++;
    else if (field.kind === Kind.STRING) field.slot = blankStrings.push(field.optional ? undefined : "") - 1;
    else field.slot = blankNumbers.push(blankNumber(field)) - 1;
  });
  return { blankNumbers, blankStrings, listCount };
}

/** Absent numbers are NaN: no field can hold one. */
function blankNumber(field: FieldLayout): number {
  if (field.optional) return Number.NaN;
  return field.kind === Kind.QUANTISED ? indexOf(field, 0) : 0;
}

function maskOf(fields: readonly FieldLayout[]): number {
  return fields.reduce((mask, field) => mask | field.bit, 0);
}

function entityIndex(index: number, descriptor: SchemaDescriptor): number {
  if (!Number.isInteger(index) || index < 0 || index >= descriptor.length) {
    throw new SchemaError(`no entity ${index}`);
  }
  return index;
}

const INTEGERS = {
  u8: [Kind.U8, 1, 0, 0xff],
  u16: [Kind.U16, 2, 0, 0xffff],
  u32: [Kind.U32, 4, 0, 0xffff_ffff],
  i8: [Kind.I8, 1, -0x80, 0x7f],
  i16: [Kind.I16, 2, -0x8000, 0x7fff],
  i32: [Kind.I32, 4, -0x8000_0000, 0x7fff_ffff],
} as const;

/** @returns the field of the lowest bit in a mask */
export function firstField({ fields }: Shape, mask: number): FieldLayout {
  return fields[31 - Math.clz32(mask & -mask)] as FieldLayout;
}

/** Lays out one field, without a place in a record. */
export function layoutField(
  name: string,
  type: TypeDescriptor,
  entities: SchemaDescriptor = [],
): FieldLayout {
  const base = {
    name,
    optional: false,
    list: false,
    private: false,
    slot: 0,
    bit: 0,
    min: 0,
    step: 0,
    storedMax: 0,
    bytes: 0,
    entity: 0,
  };
  if (typeof type === "string") {
    if (type === "string") return { ...base, kind: Kind.STRING };
    if (type === "bool") return { ...base, kind: Kind.BOOL, bytes: 1, storedMax: 1 };
    if (type === "f32") return { ...base, kind: Kind.F32, bytes: 4 };
    if (type === "f64") return { ...base, kind: Kind.F64, bytes: 8 };
    if (!Object.hasOwn(INTEGERS, type)) throw new SchemaError(`no type ${type}`);
    const [kind, bytes, min, storedMax] = INTEGERS[type];
    return { ...base, kind, bytes, min, storedMax };
  }
  switch (type[0]) {
    case "quantised": {
      const { min, max, step } = quantised(type[1], type[2], type[3]);
      const storedMax = quantisedIndexMax(min, max, step);
      const bytes = storedMax < 0x100 ? 1 : storedMax < 0x1_0000 ? 2 : storedMax < 0x100_0000 ? 3 : 4;
      return { ...base, kind: Kind.QUANTISED, min, step, storedMax, bytes };
    }
    case "ref":
      return { ...base, kind: Kind.REF, entity: entityIndex(type[1], entities) };
    case "optional":
      return { ...layoutPlain(name, type[1]), optional: true };
    case "list":
      return { ...layoutPlain(name, type[1]), list: true };
    case "owner": {
      const field = layoutField(name, type[1], entities);
      if (field.private) throw new SchemaError(`${name}: an owner's field of an owner's field`);
      return { ...field, private: true };
    }
    default:
      throw new SchemaError(`no type ${String(type[0])}`);
  }
}

function layoutPlain(name: string, type: TypeDescriptor): FieldLayout {
  if (typeof type === "string" || type[0] === "quantised") return layoutField(name, type);
  throw new SchemaError(`${name}: a ${type[0]} cannot stand here`);
}

/**
 * @returns the index of the point of a quantised field's grid that is nearest to a value. The sum is several times faster
 * than Math.round, and equal to it but for the one double below 1/2.
 */
export function indexOf({ min, step, storedMax }: FieldLayout, value: number): number {
  return value > min ? Math.min(Math.floor((value - min) / step + 0.5), storedMax) : 0;
}

/** @returns the point of a quantised field's grid that has this index */
export function pointAt({ min, step }: FieldLayout, index: number): number {
  return min + index * step;
}
