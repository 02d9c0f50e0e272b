/**
 * What patches are made of. Each piece says one thing about one entity, names it by its whole id and can be read by
 * itself, so that pieces may be left out or put together per client, as long as a map's holder comes before what it
 * holds. A piece begins with a varint, the id times 4 plus the operation:
 *
 *   CHANGE  mask of public fields, then the values of those in it
 *   ADD     parent's id, index of the parent's map (1 byte), key, then every public field
 *   REMOVE  nothing more; what is inside the entity goes with it
 *   OWN     mask of private fields, then the values of those in it; stands in the owner's own patches only
 *
 * Where the same fields of several entities of one kind have changed, as they do in most steps of most games, they share
 * one piece: a CHANGE of entity 0, which there is none of, then which entities, the mask, and the values of each.
 */
import type { ByteWriter } from "./bytes.ts";
import { writeField } from "./codec.ts";
import { firstField, type Shape } from "./layout.ts";
import type { EntityRecord } from "./record.ts";
import { rowOf, writeRows } from "./rows.ts";
import type { Changes, LiveRecord } from "./store.ts";

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
  if (changed.length < GROUP_MIN) for (const record of changed) writeChange(writer, record, record.dirty);
  else writeGroups(writer, changed);
}

/** In place of an entity's id. */
export const GROUP = 0;
/** A group of fewer entities is not smaller than a piece for each. */
const GROUP_MIN = 3;
/** What belongs to none of so many is written by itself, so that finding an entity's group stays cheap. */
const GROUPS_MAX = 32;

/** Entities of one kind of which the same fields have changed. */
type Group = { readonly shape: Shape; readonly mask: number; readonly records: LiveRecord[] };

function writeGroups(writer: ByteWriter, changed: LiveRecord[]): void {
  const { shape, dirty } = changed[0] as LiveRecord;
  if (changed.every((record) => record.dirty === dirty && record.shape === shape)) {
    const mask = dirty & shape.publicMask;
    if (mask !== 0) writeGroup(writer, changed, mask);
    return;
  }
  const groups: Group[] = [];
  for (const record of changed) {
    const { shape } = record;
    const mask = record.dirty & shape.publicMask;
    if (mask === 0) continue;
    let at = 0;
    while (at < groups.length && (groups[at]?.mask !== mask || groups[at]?.shape !== shape)) at += 1;
    if (at < groups.length) groups[at]?.records.push(record);
    else if (at < GROUPS_MAX) groups.push({ shape, mask, records: [record] });
    else writeChange(writer, record, mask);
  }
  for (const { mask, records } of groups) {
    if (records.length < GROUP_MIN) for (const record of records) writeChange(writer, record, mask);
    else writeGroup(writer, records, mask);
  }
}

function writeGroup(writer: ByteWriter, group: LiveRecord[], mask: number): void {
  const { shape } = group[0] as LiveRecord;
  // Most games go through their entities in the order in which they were made.
  let to = runEnd(group, 0);
  if (to < group.length && !isSorted(group)) {
    group.sort(byId);
    to = runEnd(group, 0);
  }
  writeHead(writer, GROUP, Operation.CHANGE);
  writer.varint(group.length);
  // Each run of consecutive ids: how many are left out before it, times 2; plus 1 and its length less 2 for several.
  let next = 0;
  for (let from = 0; from < group.length; from = to, to = runEnd(group, from)) {
    const { id } = group[from] as LiveRecord;
    const isSeveral = to - from > 1;
    writer.varint((id - next) * 2 + Number(isSeveral));
    if (isSeveral) writer.varint(to - from - 2);
    next = id + to - from;
  }
  writer.low(mask, shape.publicMaskBytes);
  const row = rowOf(shape, mask);
  if (row.bytes > 0) writeRows(writer, group, row);
  else for (const record of group) writeFields(writer, record, mask);
}

/** @returns where the consecutive ids end that begin there */
function runEnd(group: readonly LiveRecord[], from: number): number {
  const first = group[from];
  if (first === undefined) return from;
  const { id } = first;
  let to = from + 1;
  while (to < group.length && (group[to] as LiveRecord).id === id + to - from) to += 1;
  return to;
}

function isSorted(group: readonly LiveRecord[]): boolean {
  let last = 0;
  for (const { id } of group) {
    if (id < last) return false;
    last = id;
  }
  return true;
}

function byId(a: LiveRecord, b: LiveRecord): number {
  return a.id - b.id;
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
  for (let rest = mask; rest !== 0; rest &= rest - 1) {
    writeField(writer, record, firstField(record.shape, rest));
  }
}
