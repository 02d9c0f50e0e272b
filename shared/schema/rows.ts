/**
 * The same fields of several entities of one kind. When the wire has fixed widths for all of them, as for most of what a
 * game sends, their values are rows of one length: its bytes are reserved or checked once, and nothing about a field
 * is looked up again for each entity.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { finite, isSignedKind, outOfRange, writeNumber } from "./codec.ts";
import { type FieldLayout, Kind, type Shape } from "./layout.ts";
import type { MirrorRecord } from "./mirror-record.ts";
import type { EntityRecord } from "./record.ts";

/** So many are written for each, and what is too much of the last one lies behind the end. */
const INTEGER_BYTES_MAX = 4;

/** Rows remembered for one shape. */
const ROWS_MAX = 64;

/** The fields of a mask; `bytes` is 0 when entities differ in how many they take. */
export type Row = {
  readonly fields: readonly FieldLayout[];
  readonly bytes: number;
  readonly hasFloats: boolean;
};

export function rowOf({ fields, rows }: Shape, mask: number): Row {
  const known = rows.get(mask);
  if (known !== undefined) return known;
  const ofMask = fields.filter(({ bit }) => (bit & mask) !== 0);
  const isFixed = ofMask.every(({ bytes, optional, list }) => bytes > 0 && !optional && !list);
  const bytes = isFixed ? ofMask.reduce((sum, field) => sum + field.bytes, 0) : 0;
  const row = { fields: ofMask, bytes, hasFloats: ofMask.some(isFloat) };
  if (rows.size >= ROWS_MAX) rows.clear();
  rows.set(mask, row);
  return row;
}

function isFloat({ kind }: FieldLayout): boolean {
  return kind === Kind.F32 || kind === Kind.F64;
}

export function writeRows(writer: ByteWriter, group: readonly EntityRecord[], row: Row): void {
  const { fields, bytes: rowBytes, hasFloats } = row;
  if (hasFloats) return writeMixed(writer, group, fields);
  writer.reserve(rowBytes * group.length + INTEGER_BYTES_MAX);
  const { view } = writer;
  let at = writer.length;
  for (let i = 0; i < group.length; i++) {
    const { numbers } = group[i] as EntityRecord;
    for (let k = 0; k < fields.length; k++) {
      const { slot, bytes } = fields[k] as FieldLayout;
      // Where it has fewer bytes than that, the next value is written over the others.
      view.setInt32(at, numbers[slot] as number, true);
      at += bytes;
    }
  }
  writer.length = at;
}

function writeMixed(
  writer: ByteWriter,
  group: readonly EntityRecord[],
  fields: readonly FieldLayout[],
): void {
  for (const { numbers } of group) {
    for (const field of fields) writeNumber(writer, field, numbers[field.slot] as number);
  }
}

/**
 * Reads rows into their records.
 *
 * @param notes in each record, which of its fields have become others
 * @throws SchemaError, when a part of them may have been read
 */
export function readRows(reader: ByteReader, group: readonly MirrorRecord[], row: Row, notes: boolean): void {
  let column = reader.skip(row.bytes * group.length);
  for (const field of row.fields) {
    if (isFloat(field)) readFloats(reader.view, group, field, column, row.bytes, notes);
    else readIntegers(reader.bytes, group, field, column, row.bytes, notes);
    column += field.bytes;
  }
}

/** What `integer` does, with all that it asks of the field asked once. */
function readIntegers(
  from: Uint8Array,
  group: readonly MirrorRecord[],
  field: FieldLayout,
  column: number,
  rowBytes: number,
  notes: boolean,
): void {
  const { slot, bit, bytes, storedMax } = field;
  const isSigned = isSignedKind(field.kind);
  const shift = 32 - 8 * bytes;
  let at = column;
  for (let i = 0; i < group.length; i++) {
    let low = from[at] as number;
    if (bytes > 1) {
      low |= (from[at + 1] as number) << 8;
      if (bytes > 2) low |= (from[at + 2] as number) << 16;
      if (bytes > 3) low |= (from[at + 3] as number) << 24;
    }
    const value = isSigned ? (low << shift) >> shift : low >>> 0;
    if (value > storedMax) throw outOfRange(field, value);
    at += rowBytes;
    const record = group[i] as MirrorRecord;
    const { numbers } = record;
    if (notes) {
      if (numbers[slot] === value) continue;
      record.changed |= bit;
    }
    numbers[slot] = value;
  }
}

function readFloats(
  view: DataView,
  group: readonly MirrorRecord[],
  field: FieldLayout,
  column: number,
  rowBytes: number,
  notes: boolean,
): void {
  const { kind, slot, bit } = field;
  let at = column;
  for (const record of group) {
    const value = finite(field, kind === Kind.F32 ? view.getFloat32(at, true) : view.getFloat64(at, true));
    at += rowBytes;
    if (notes && record.numbers[slot] !== value) record.changed |= bit;
    record.numbers[slot] = value;
  }
}
