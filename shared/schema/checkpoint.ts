/**
 * A whole state as bytes and back: public and private fields, ids, owners, the next id. Order: format version,
 * hash of the schema, next id, the root's fields, then every entity in the order of their ids.
 */
import { ByteReader, type ByteWriter } from "./bytes.ts";
import { readField } from "./codec.ts";
import { KEY_BYTES_MAX, STRING_BYTES_MAX } from "./fields.ts";
import { writeFields } from "./pieces.ts";
import { SchemaError } from "./schema-error.ts";
import type { EntityStore, LiveRecord } from "./store.ts";

const FORMAT_VERSION = 1;

export function writeStore(writer: ByteWriter, store: EntityStore, schemaHash: string): void {
  writer.u8(FORMAT_VERSION);
  writer.string(schemaHash);
  writer.varint(store.nextId);
  writeAll(writer, store.root);
  for (const record of store.records.values()) {
    if (!record.parent) continue;
    writer.varint(record.id);
    writer.varint(record.parent.id);
    writer.u8(record.mapIndex);
    writer.string(record.key);
    const ownKey = record.owner === record.key;
    writer.u8(ownKey ? 1 : 0);
    if (!ownKey) writer.string(record.owner);
    writeAll(writer, record);
  }
}

function writeAll(writer: ByteWriter, record: LiveRecord): void {
  writeFields(writer, record, record.shape.publicMask | record.shape.privateMask);
}

/**
 * @param store a new one of the same schema
 * @throws SchemaError for bytes of another schema, or damaged ones
 */
export function readStore(store: EntityStore, schemaHash: string, bytes: Uint8Array): void {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT_VERSION) throw new SchemaError("the checkpoint has another format");
  if (reader.string(STRING_BYTES_MAX) !== schemaHash) {
    throw new SchemaError("the checkpoint has another schema");
  }
  const nextId = reader.varint();
  readAll(reader, store.root);
  while (reader.remaining > 0) {
    const id = reader.varint();
    const parent = store.records.get(reader.varint());
    const mapIndex = reader.u8();
    const children = parent?.children[mapIndex];
    // Ids grow in a checkpoint, as they did when the entities were made.
    if (!parent || !children || id < store.nextId || id >= nextId) {
      throw new SchemaError(`the checkpoint's entity ${id} has no place`);
    }
    const key = reader.string(KEY_BYTES_MAX);
    const owner = reader.u8() === 1 ? key : reader.string(STRING_BYTES_MAX);
    const record = store.createWithId(id, parent, mapIndex, key, owner);
    readAll(reader, record);
    store.link(record);
    store.settle(record);
    children.adopt(record);
    store.nextId = id + 1;
  }
  store.nextId = nextId;
  store.added = [];
}

function readAll(reader: ByteReader, record: LiveRecord): void {
  for (const field of record.shape.fields) readField(reader, record, field);
}
