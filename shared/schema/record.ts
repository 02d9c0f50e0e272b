/**
 * What an entity is underneath, on the server and in the mirror alike: its identity and its values in slots that
 * the shape gives to each field. Absent numbers are NaN, absent strings and lists undefined.
 */
import { Kind, type Shape } from "./layout.ts";

/** The root's id; 0 in a ref means none. */
export const ROOT_ID = 1;

export type ListValue = number | string | boolean;

export class EntityRecord {
  readonly id: number;
  readonly shape: Shape;
  /** Undefined for the root. */
  readonly parent: EntityRecord | undefined;
  /** Which of the parent's maps holds it, and under which key. */
  readonly mapIndex: number;
  readonly key: string;
  readonly numbers: number[];
  readonly strings: (string | undefined)[];
  readonly lists: (ListValue[] | undefined)[];
  /** Hash of what it is, without its values; made when it is asked for first. */
  identity: number | undefined;

  constructor(id: number, shape: Shape, parent: EntityRecord | undefined, mapIndex: number, key: string) {
    this.id = id;
    this.shape = shape;
    this.parent = parent;
    this.mapIndex = mapIndex;
    this.key = key;
    this.numbers = shape.blankNumbers.slice();
    this.strings = shape.blankStrings.slice();
    this.lists = [];
    for (let i = 0; i < shape.listCount; i++) this.lists.push([]);
    this.identity = undefined;
  }
}

/**
 * A number over the public part of a state that does not depend on the order of its entities: the sum, modulo 2^32,
 * of a hash of each. A ref to an entity that is gone counts as none.
 */
export function hashRecords(records: ReadonlyMap<number, EntityRecord>): number {
  let sum = 0;
  for (const record of records.values()) sum = (sum + hashRecord(record, records)) >>> 0;
  return sum;
}

function hashRecord(record: EntityRecord, records: ReadonlyMap<number, EntityRecord>): number {
  const { shape } = record;
  record.identity ??= hashIdentity(record);
  let hash = record.identity;
  for (let i = 0; i < shape.publicCount; i++) {
    const field = shape.fields[i] as Shape["fields"][number];
    if (field.list) {
      const values = record.lists[field.slot] as ListValue[];
      hash = mix(hash, values.length);
      for (const value of values) {
        hash = typeof value === "string" ? mixText(hash, value) : mixNumber(hash, Number(value));
      }
    } else if (field.kind === Kind.STRING) {
      const text = record.strings[field.slot];
      hash = text === undefined ? mix(hash, ABSENT) : mixText(hash, text);
    } else {
      const value = record.numbers[field.slot] as number;
      hash = mixNumber(hash, field.kind === Kind.REF && !records.has(value) ? 0 : value);
    }
  }
  return finish(hash);
}

function hashIdentity({ id, parent, mapIndex, key }: EntityRecord): number {
  return mixText(mix(mixNumber(mixNumber(0, id), parent?.id ?? 0), mapIndex), key);
}

const ABSENT = 0x7ff8_0001;
const scratch = new DataView(new ArrayBuffer(8));

function mixNumber(hash: number, value: number): number {
  const integer = value | 0;
  if (integer === value) return mix(hash, integer);
  if (Number.isNaN(value)) return mix(hash, ABSENT);
  scratch.setFloat64(0, value, true);
  return mix(mix(hash, scratch.getInt32(0, true)), scratch.getInt32(4, true));
}

function mixText(hash: number, text: string): number {
  let mixed = mix(hash, text.length);
  for (let i = 0; i < text.length; i++) mixed = mix(mixed, text.charCodeAt(i));
  return mixed;
}

/** One step, and the end, of MurmurHash3 (32 bits): https://github.com/aappleby/smhasher */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
