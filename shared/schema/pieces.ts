/**
 * What patches are made of. Each piece says one thing about one entity, names it by its whole id and can be read by
 * itself, so that pieces may be left out or put together per client, as long as a map's holder comes before what it
 * holds. A piece begins with a varint, the id times 4 plus the operation:
 *
 *   CHANGE  mask of public fields, then the values of those in it
 *   ADD     parent's id, index of the parent's map (1 byte), key, then every public field
 *   REMOVE  nothing more; what is inside the entity goes with it
 *   OWN     mask of private fields, then the values of those in it; stands in the owner's own patches only
 */
import type { ByteWriter } from "./bytes.ts";
import { writeField } from "./codec.ts";
import type { FieldLayout } from "./layout.ts";
import type { EntityRecord } from "./record.ts";
import type { Changes } from "./store.ts";

export const Operation = { CHANGE: 0, ADD: 1, REMOVE: 2, OWN: 3 } as const;

function writeHead(writer: ByteWriter, id: number, operation: number): void {
  writer.varint(id * 4 + operation);
}

export function writeRemove(writer: ByteWriter, id: number): void {
  writeHead(writer, id, Operation.REMOVE);
}

export function writeAdd(writer: ByteWriter, record: EntityRecord): void {
  writeHead(writer, record.id, Operation.ADD);
  writer.varint(record.parent?.id ?? 0);
  writer.u8(record.mapIndex);
  writer.string(record.key);
  writeFields(writer, record, record.shape.publicMask);
}

/** @param mask which fields; the others' bits are ignored, and without any public one nothing is written */
export function writeChange(writer: ByteWriter, record: EntityRecord, mask: number): void {
  const { publicMask, publicMaskBytes } = record.shape;
  const fields = mask & publicMask;
  if (fields === 0) return;
  writeHead(writer, record.id, Operation.CHANGE);
  writer.low(fields, publicMaskBytes);
  writeFields(writer, record, fields);
}

/** All that clients who know the state before the changes need to know it after them, but for private fields. */
export function writeChanges(writer: ByteWriter, { removed, added, changed }: Changes): void {
  for (const { id } of removed) writeRemove(writer, id);
  for (const record of added) writeAdd(writer, record);
  for (const record of changed) writeChange(writer, record, record.dirty);
}

/** A change of private fields. */
export function writeOwn(writer: ByteWriter, record: EntityRecord, mask: number): void {
  const { privateMask, privateMaskBytes, publicCount } = record.shape;
  const fields = mask & privateMask;
  if (fields === 0) return;
  writeHead(writer, record.id, Operation.OWN);
  writer.low(fields >>> publicCount, privateMaskBytes);
  writeFields(writer, record, fields);
}

/** In the order of their bits. */
export function writeFields(writer: ByteWriter, record: EntityRecord, mask: number): void {
  const { fields } = record.shape;
  for (let rest = mask; rest !== 0; rest &= rest - 1) {
    writeField(writer, record, fields[31 - Math.clz32(rest & -rest)] as FieldLayout);
  }
}
