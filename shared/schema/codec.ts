/**
 * Values and the wire: what a field makes of an assigned value, and how it is written and read. Reading is strict:
 * a value that writing cannot have made is a SchemaError.
 */
import { type ByteReader, type ByteWriter, fitsUtf8 } from "./bytes.ts";
import { LIST_LENGTH_MAX, STRING_BYTES_MAX } from "./fields.ts";
import { type FieldLayout, indexOf, Kind, pointAt } from "./layout.ts";
import type { EntityRecord, ListValue } from "./record.ts";
import { SchemaError } from "./schema-error.ts";

/** A presence byte and 8 of a double or a varint. */
const SCALAR_BYTES_MAX = 9;

/**
 * The number a field keeps for an assigned value. Adding 0 turns -0 into 0, so that equal values have equal bits.
 * @throws RangeError naming the field when it cannot hold the value
 */
export function toNumber(field: FieldLayout, entity: string, value: unknown): number {
  if (field.kind === Kind.BOOL) {
    if (typeof value === "boolean") return value ? 1 : 0;
  } else if (typeof value === "number") {
    switch (field.kind) {
      case Kind.QUANTISED:
        if (Number.isFinite(value)) return indexOf(field, value);
        break;
      case Kind.F32: {
        const rounded = Math.fround(value);
        if (Number.isFinite(rounded)) return rounded + 0;
        break;
      }
      case Kind.F64:
        if (Number.isFinite(value)) return value + 0;
        break;
      default:
        if (Number.isInteger(value) && value >= field.min && value <= field.storedMax) return value + 0;
    }
  }
  throw refused(field, entity, value);
}

/** @throws RangeError naming the field when it cannot hold the value */
export function toText(field: FieldLayout, entity: string, value: unknown): string {
  if (typeof value === "string" && fitsUtf8(value, STRING_BYTES_MAX)) return value.toWellFormed();
  throw refused(field, entity, value);
}

/** A list's element: lists keep values as users see them. */
export function toListValue(field: FieldLayout, entity: string, value: unknown): ListValue {
  if (field.kind === Kind.STRING) return toText(field, entity, value);
  return shownNumber(field, toNumber(field, entity, value)) as ListValue;
}

/** What users see of a kept number. @returns undefined for an absent one */
export function shownNumber(field: FieldLayout, stored: number): number | boolean | undefined {
  if (Number.isNaN(stored)) return undefined;
  if (field.kind === Kind.BOOL) return stored === 1;
  return field.kind === Kind.QUANTISED ? pointAt(field, stored) : stored;
}

export function refused(field: FieldLayout, entity: string, value: unknown): RangeError {
  const shown = typeof value === "string" ? `a string of ${value.length} characters` : String(value);
  return new RangeError(`${entity ? `${entity}.` : ""}${field.name} cannot hold ${shown}`);
}

export function writeField(writer: ByteWriter, record: EntityRecord, field: FieldLayout): void {
  if (field.list) writeList(writer, field, record.lists[field.slot] as ListValue[]);
  else if (field.kind === Kind.STRING) writeText(writer, field, record.strings[field.slot]);
  else writeNumber(writer, field, record.numbers[field.slot] as number);
}

/** @returns whether the record's value was another before */
export function readField(reader: ByteReader, record: EntityRecord, field: FieldLayout): boolean {
  if (field.list) return readList(reader, field, record.lists[field.slot] as ListValue[]);
  if (field.kind === Kind.STRING) {
    const text = readText(reader, field);
    if (record.strings[field.slot] === text) return false;
    record.strings[field.slot] = text;
    return true;
  }
  const value = readNumber(reader, field);
  if (Object.is(record.numbers[field.slot], value)) return false;
  record.numbers[field.slot] = value;
  return true;
}

export function writeText(writer: ByteWriter, field: FieldLayout, value: string | undefined): void {
  if (field.optional) writer.u8(value === undefined ? 0 : 1);
  if (value !== undefined) writer.string(value);
}

export function readText(reader: ByteReader, field: FieldLayout): string | undefined {
  return field.optional && !readFlag(reader) ? undefined : reader.string(STRING_BYTES_MAX);
}

/** @param value a kept number */
export function writeNumber(writer: ByteWriter, field: FieldLayout, value: number): void {
  writer.reserve(SCALAR_BYTES_MAX);
  if (field.optional) {
    const present = !Number.isNaN(value);
    writer.bytes[writer.length++] = present ? 1 : 0;
    if (!present) return;
  }
  switch (field.kind) {
    case Kind.F32:
      writer.view.setFloat32(writer.length, value, true);
      writer.length += 4;
      return;
    case Kind.F64:
      writer.view.setFloat64(writer.length, value, true);
      writer.length += 8;
      return;
    case Kind.REF:
      return writer.varint(value);
    default:
      return writer.low(value, field.bytes);
  }
}

/** @returns a number to keep; NaN for an absent one */
export function readNumber(reader: ByteReader, field: FieldLayout): number {
  if (field.optional && !readFlag(reader)) return Number.NaN;
  switch (field.kind) {
    case Kind.F32:
      return finite(field, reader.view.getFloat32(reader.skip(4), true));
    case Kind.F64:
      return finite(field, reader.view.getFloat64(reader.skip(8), true));
    case Kind.REF:
      return reader.varint();
    default:
      return integer(field, reader.low(field.bytes));
  }
}

/** @throws SchemaError for what is not finite; -0 becomes 0, as when it is assigned */
export function finite({ name }: FieldLayout, value: number): number {
  if (!Number.isFinite(value)) throw new SchemaError(`${name} is not finite`);
  return value + 0;
}

/** @param low the field's bytes, as the low ones of 32 bits */
function integer(field: FieldLayout, low: number): number {
  const shift = 32 - 8 * field.bytes;
  const value = isSignedKind(field.kind) ? (low << shift) >> shift : low >>> 0;
  if (value > field.storedMax) throw outOfRange(field, value);
  return value;
}

export function isSignedKind(kind: Kind): boolean {
  return kind === Kind.I8 || kind === Kind.I16 || kind === Kind.I32;
}

/** An index off the grid, or a bool that is neither 0 nor 1. */
export function outOfRange({ name }: FieldLayout, value: number): SchemaError {
  return new SchemaError(`${name} cannot be ${value}`);
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new SchemaError(`${flag} is neither yes nor no`);
  return flag === 1;
}

function writeList(writer: ByteWriter, field: FieldLayout, values: readonly ListValue[]): void {
  writer.varint(values.length);
  for (const value of values) {
    if (typeof value === "string") writer.string(value);
    else writeNumber(writer, field, field.kind === Kind.QUANTISED ? indexOf(field, +value) : Number(value));
  }
}

function readList(reader: ByteReader, field: FieldLayout, values: ListValue[]): boolean {
  const length = reader.varint();
  if (length > LIST_LENGTH_MAX) throw new SchemaError("a list is too long");
  let changed = values.length !== length;
  for (let i = 0; i < length; i++) {
    const value = readListValue(reader, field);
    if (values[i] === value) continue;
    values[i] = value;
    changed = true;
  }
  values.length = length;
  return changed;
}

function readListValue(reader: ByteReader, field: FieldLayout): ListValue {
  if (field.kind === Kind.STRING) return reader.string(STRING_BYTES_MAX);
  return shownNumber(field, readNumber(reader, field)) as ListValue;
}
