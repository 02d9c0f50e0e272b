/**
 * The server's side of a state: holds it, notices what changes and encodes each change once for everybody. All
 * output speaks of the state at the last commit; asking for it with changes uncommitted is an error of the caller.
 * What is encoded here is for all clients; what only some of them see, the entities of spatial maps, is left to
 * SpatialEncoder.
 */
import { ByteWriter } from "./bytes.ts";
import { carryOver, type PlainEntity, plainOf } from "./carry-over.ts";
import { readStore, writeStore } from "./checkpoint.ts";
import { describeWithSchemas, type SchemaDescriptor, schemaHash } from "./descriptor.ts";
import type { EntitySchema } from "./fields.ts";
import { compile, type Shape } from "./layout.ts";
import { LiveEntity } from "./live-base.ts";
import { makeLiveClass } from "./live-entity.ts";
import { writeAdd, writeChange, writeChanges, writeOwn, writeRemove } from "./pieces.ts";
import { hashRecords, ROOT_ID } from "./record.ts";
import { SpatialEncoder } from "./spatial-encoder.ts";
import { hasSpatialMap, layoutSpatialMaps } from "./spatial-layout.ts";
import { NO_CHANGE, type StateChange } from "./state-change.ts";
import { type Changes, EntityStore, type LiveClass, type LiveRecord } from "./store.ts";
import type { Live } from "./types.ts";

type Compiled = {
  /** Stands in every checkpoint, so that none is read by another schema. */
  readonly hash: string;
  readonly shapes: readonly Shape[];
  readonly classes: readonly LiveClass[];
};

/** By root schema: all rooms of a type share their classes. */
const compiledSchemas = new WeakMap<EntitySchema, Compiled>();

function compiledOf(schema: EntitySchema): Compiled {
  let compiled = compiledSchemas.get(schema);
  if (!compiled) {
    const { descriptor, schemas } = describeWithSchemas(schema);
    const shapes = layoutSpatialMaps(compile(descriptor), schemas);
    compiled = { hash: schemaHash(descriptor), shapes, classes: shapes.map(makeLiveClass) };
    compiledSchemas.set(schema, compiled);
  }
  return compiled;
}

/** Shared by all encoders of the process: nothing is kept in it between calls. */
const writer = new ByteWriter();

export class StateEncoder<S extends EntitySchema> {
  readonly root: Live<S>;
  /** The rest of the state, if it has spatial maps. */
  readonly spatial: SpatialEncoder | undefined;
  readonly #schemaHash: string;
  readonly #store: EntityStore;
  #snapshot: Uint8Array | undefined;

  /** @throws SchemaError for a schema that cannot be described */
  constructor(schema: S) {
    const { hash, shapes, classes } = compiledOf(schema);
    this.#schemaHash = hash;
    this.#store = new EntityStore(shapes, classes, ROOT_ID);
    this.root = this.#store.root.live as Live<S>;
    this.spatial = hasSpatialMap(shapes) ? new SpatialEncoder(this.#store) : undefined;
  }

  /**
   * @param bytes of `serialize()`
   * @returns an encoder in the same state, with the same ids, owners and next id, and nothing uncommitted
   * @throws SchemaError for bytes of another schema, or damaged ones
   */
  static restore<S extends EntitySchema>(schema: S, bytes: Uint8Array): StateEncoder<S> {
    const encoder = new StateEncoder(schema);
    readStore(encoder.#store, encoder.#schemaHash, bytes);
    return encoder;
  }

  /**
   * Takes up a state that was saved under another schema, as far as it fits this one.
   *
   * @param bytes of `serialize()`
   * @param descriptor of the schema they are of
   * @returns an encoder with nothing uncommitted, and the whole state as it was
   * @throws SchemaError for bytes that are not of that schema, or damaged ones
   */
  static carryOver<S extends EntitySchema>(
    schema: S,
    bytes: Uint8Array,
    descriptor: SchemaDescriptor,
  ): { readonly encoder: StateEncoder<S>; readonly before: PlainEntity } {
    const shapes = compile(descriptor);
    const store = new EntityStore(shapes, shapes.map(makeLiveClass), ROOT_ID);
    readStore(store, schemaHash(descriptor), bytes);
    const encoder = new StateEncoder(schema);
    carryOver(store, encoder.#store);
    return { encoder, before: plainOf(store.root) };
  }

  /** Whether anything happened since the last commit. */
  get hasChanges(): boolean {
    return this.#store.hasChanges;
  }

  /** Ends a step: encodes once what changed since the last commit. */
  commit(): StateChange {
    const store = this.#store;
    this.spatial?.beginStep();
    if (!store.hasChanges) return NO_CHANGE;
    const all = store.takeChanges();
    if (all.added.length + all.changed.length + all.removed.length === 0) return NO_CHANGE;
    const { added, changed, removed } = this.spatial?.takeOut(all) ?? all;

    writer.reset();
    writeChanges(writer, { added, changed, removed });
    const patch = writer.takeBriefly();
    if (patch.length > 0) this.#snapshot = undefined;

    const ownerPatches = store.owned.size > 0 ? encodeOwn({ added, changed, removed }) : NOBODYS;
    for (const record of all.added) store.settle(record);
    for (const record of all.changed) record.settle();
    return { isEmpty: false, patch, ownerPatches, added, removed, changed };
  }

  /** The public state, without spatial entities. The bytes are kept until it changes: do not write to them. */
  snapshot(): Uint8Array {
    this.#assertCommitted();
    if (this.#snapshot) return this.#snapshot;
    const { root, records } = this.#store;
    writer.reset();
    writeChange(writer, root, root.shape.publicMask);
    for (const record of records.values()) {
      if (record !== root && record.spatial === undefined) writeAdd(writer, record);
    }
    this.#snapshot = writer.take();
    return this.#snapshot;
  }

  /**
   * @returns the private fields of what a session owns, to be applied after a snapshot, without those of spatial
   * entities; undefined if there are none
   */
  ownerSnapshot(sessionId: string): Uint8Array | undefined {
    this.#assertCommitted();
    const owned = this.#store.owned.get(sessionId);
    if (!owned) return undefined;
    writer.reset();
    for (const record of owned) {
      if (record.spatial === undefined) writeOwn(writer, record, record.shape.privateMask);
    }
    return writer.length > 0 ? writer.take() : undefined;
  }

  /** A 32-bit number over the whole public state; equal to `Mirror.hash()` of an equal state. */
  hash(): number {
    this.#assertCommitted();
    return hashRecords(this.#store.records);
  }

  /** The whole state with ids and owners, for a checkpoint. */
  serialize(): Uint8Array {
    this.#assertCommitted();
    writer.reset();
    writeStore(writer, this.#store, this.#schemaHash);
    return writer.take();
  }

  /** Several steps as one: what PendingChanges remembers of them, with the values of now. */
  encodeMerged(
    removed: Iterable<number>,
    added: Iterable<number>,
    masks: Iterable<readonly [id: number, mask: number]>,
    sessionId: string,
  ): { readonly patch: Uint8Array; readonly own: Uint8Array | undefined } {
    this.#assertCommitted();
    // What went with the entity that held it is in the sets still, but no longer in the store.
    const changes: [LiveRecord, number][] = [];
    for (const [id, mask] of masks) {
      const record = this.#store.records.get(id);
      if (record) changes.push([record, mask]);
    }
    writer.reset();
    for (const id of removed) writeRemove(writer, id);
    for (const id of added) {
      const record = this.#store.records.get(id);
      if (!record) continue;
      writeAdd(writer, record);
      changes.push([record, record.shape.privateMask]);
    }
    for (const [record, mask] of changes) writeChange(writer, record, mask);
    const patch = writer.take();

    writer.reset();
    for (const [record, mask] of changes) if (record.owner === sessionId) writeOwn(writer, record, mask);
    return { patch, own: writer.length > 0 ? writer.take() : undefined };
  }

  #assertCommitted(): void {
    if (this.#store.hasChanges) throw new Error("the state has changes that are not committed");
  }
}

const NOBODYS: ReadonlyMap<string, Uint8Array> = new Map();

/** The private fields of new and changed entities, put together by owner. */
function encodeOwn({ added, changed }: Changes): ReadonlyMap<string, Uint8Array> {
  const byOwner = new Map<string, LiveRecord[]>();
  for (const records of [added, changed]) {
    for (const record of records) {
      if ((record.dirty & record.shape.privateMask) === 0) continue;
      const owned = byOwner.get(record.owner);
      if (owned) owned.push(record);
      else byOwner.set(record.owner, [record]);
    }
  }
  const patches = new Map<string, Uint8Array>();
  for (const [owner, records] of byOwner) {
    writer.reset();
    for (const record of records) writeOwn(writer, record, record.dirty);
    patches.set(owner, writer.take());
  }
  return patches;
}

/** @returns the number of a live entity within its room; it grows and is never used again */
export function idOf(entity: object): number {
  if (!(entity instanceof LiveEntity)) throw new TypeError("not an entity");
  return LiveEntity.recordOf(entity).id;
}
