/**
 * The words a schema is written in: field types, collections, entities. They are plain data that say what a field
 * holds and how it is written to the wire; what reads and writes by them is in layout.ts and codec.ts.
 */

export const STRING_BYTES_MAX = 1_024;
/** Keys of maps, in UTF-8. */
export const KEY_BYTES_MAX = 256;
export const LIST_LENGTH_MAX = 16_384;
/** Fields of one entity, collections included: a change is a mask of 32 bits. */
export const FIELDS_MAX = 32;
/** Kinds of entities in one schema. */
export const ENTITY_TYPES_MAX = 255;

export type NumberKind = "u8" | "u16" | "u32" | "i8" | "i16" | "i32" | "f32" | "f64";

export interface NumberField<K extends NumberKind = NumberKind> {
  readonly kind: K;
}
export interface BoolField {
  readonly kind: "bool";
}
export interface StringField {
  readonly kind: "string";
}
export interface QuantisedField {
  readonly kind: "quantised";
  readonly min: number;
  readonly max: number;
  readonly step: number;
}
/** A value by itself: what lists and inputs are made of. */
export type PlainField = NumberField | BoolField | StringField | QuantisedField;

/** `target` is called late, so that entities can refer to themselves and to each other. */
export interface RefField<G extends () => void = () => void> {
  readonly kind: "ref";
  readonly target: G;
}
export interface OptionalField<F extends PlainField | RefField = PlainField | RefField> {
  readonly kind: "optional";
  readonly of: F;
}
export interface ListField<F extends PlainField = PlainField> {
  readonly kind: "list";
  readonly of: F;
}
export type ScalarField = PlainField | RefField | OptionalField;

export interface OwnerField<F extends ScalarField | ListField = ScalarField | ListField> {
  readonly kind: "owner";
  readonly of: F;
}
export interface MapField<S extends EntitySchema = EntitySchema> {
  readonly kind: "map";
  readonly of: S;
  /** Names of the entities' coordinates, when clients see them by where they are. */
  readonly spatial: SpatialNames | undefined;
}
export type SpatialNames = readonly [x: string, y: string];
export type Field = ScalarField | ListField | OwnerField | MapField;
export type Fields = { readonly [name: string]: Field };

export interface EntitySchema<F extends Fields = Fields> {
  readonly kind: "entity";
  /** For error messages. */
  readonly name: string;
  readonly fields: F;
}

export const u8: NumberField<"u8"> = { kind: "u8" };
export const u16: NumberField<"u16"> = { kind: "u16" };
export const u32: NumberField<"u32"> = { kind: "u32" };
export const i8: NumberField<"i8"> = { kind: "i8" };
export const i16: NumberField<"i16"> = { kind: "i16" };
export const i32: NumberField<"i32"> = { kind: "i32" };
/** Finite; read back rounded to single precision. */
export const f32: NumberField<"f32"> = { kind: "f32" };
/** Finite. */
export const f64: NumberField<"f64"> = { kind: "f64" };
export const bool: BoolField = { kind: "bool" };
/** At most STRING_BYTES_MAX bytes of UTF-8; lone surrogates are replaced. */
export const string: StringField = { kind: "string" };

/**
 * A number on the grid `min + index * step`, written as its index in 1 to 4 bytes. What is assigned is clamped and
 * snapped to the nearest point of the grid.
 * @throws RangeError for a grid that is empty, larger than 2^32 points or finer than doubles are around its ends
 */
export function quantised(min: number, max: number, step: number): QuantisedField {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max && step > 0)) {
    throw new RangeError(`quantised(${min}, ${max}, ${step}): needs finite min < max and step > 0`);
  }
  const points = quantisedIndexMax(min, max, step);
  if (points < 1 || points > 0xffff_ffff) {
    throw new RangeError(`quantised(${min}, ${max}, ${step}): needs 2 to 2^32 points`);
  }
  if (Math.max(Math.abs(min), Math.abs(max)) * 2 ** -50 >= step) {
    throw new RangeError(`quantised(${min}, ${max}, ${step}): the step is lost in rounding`);
  }
  return { kind: "quantised", min: min + 0, max, step };
}

/** @returns the last index of the grid; a `max` within a millionth of a step of the grid counts as on it. */
export function quantisedIndexMax(min: number, max: number, step: number): number {
  return Math.floor((max - min) / step + 1e-6);
}

/** The value or undefined. */
export function optional<F extends PlainField | RefField>(of: F): OptionalField<F> {
  return { kind: "optional", of };
}

/** Another entity of the room; undefined for none, and from the moment that entity is removed. */
export function ref<G extends () => void>(target: G): RefField<G> {
  return { kind: "ref", target };
}

/** Only the entity's owner receives this field. */
export function owner<F extends ScalarField | ListField>(of: F): OwnerField<F> {
  return { kind: "owner", of };
}

/** An array of values. A change sends the whole list: for large sparse data use a map. */
export function list<F extends PlainField>(of: F): ListField<F> {
  return { kind: "list", of };
}

/** Names of an entity's public numbers. */
type NumberName<S extends EntitySchema> = {
  [K in keyof S["fields"] & string]: S["fields"][K] extends NumberField | QuantisedField ? K : never;
}[keyof S["fields"] & string];

/**
 * Entities by string key, in the order they were made.
 * @param options.spatial two numbers of the entity, its x and y: each client is sent only those in its view, with
 * what is inside them
 */
export function map<S extends EntitySchema>(
  of: S,
  options: { readonly spatial?: readonly [x: NumberName<S>, y: NumberName<S>] } = {},
): MapField<S> {
  return { kind: "map", of, spatial: options.spatial };
}

const FIELD_NAME = /^[A-Za-z_$][\w$]*$/;

/** @throws RangeError for a name that cannot be a property of an entity */
export function assertFieldName(name: string): void {
  if (!FIELD_NAME.test(name) || name === "__proto__" || name === "constructor") {
    throw new RangeError(`"${name}" cannot name a field`);
  }
}

/**
 * An entity: something with an identity that is replicated field by field. The root of a state is one, too.
 * @param name for error messages; by default the field that first leads to it
 * @throws RangeError for more than FIELDS_MAX fields, or a name that cannot be a property
 */
export function entity<F extends Fields>(fields: F, name = ""): EntitySchema<F> {
  const names = Object.keys(fields);
  if (names.length > FIELDS_MAX) {
    throw new RangeError(`entity ${name} has ${names.length} fields, at most ${FIELDS_MAX} are possible`);
  }
  for (const fieldName of names) assertFieldName(fieldName);
  return { kind: "entity", name, fields };
}
