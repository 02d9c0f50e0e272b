/**
 * The client's live copy of a room's state, built from the schema's description alone. Bytes are checked as they are
 * read; listeners are called when a whole patch is applied, in the order removed, added, changed.
 *
 * When applying throws SchemaError, the mirror may hold a part of those bytes: it needs a snapshot, after which it
 * is right again and its listeners have heard of every difference.
 */
import { ByteReader } from "./bytes.ts";
import type { SchemaDescriptor } from "./descriptor.ts";
import { type EntitySchema, KEY_BYTES_MAX } from "./fields.ts";
import { firstField, type Shape } from "./layout.ts";
import { classesOf } from "./mirror-classes.ts";
import { type Audience, type ChangeListener, subscribeToChanges, type Unsubscribe } from "./mirror-map.ts";
import { MirrorRecord } from "./mirror-record.ts";
import { EntityView, type ViewClass } from "./mirror-view.ts";
import { GROUP, Operation } from "./pieces.ts";
import { hashRecords, ROOT_ID } from "./record.ts";
import { readRows, rowOf } from "./rows.ts";
import { SchemaError } from "./schema-error.ts";
import type { View } from "./types.ts";

type Source = "snapshot" | "patch" | "own";

export class Mirror<S extends EntitySchema> {
  readonly state: View<S>;
  readonly #shapes: readonly Shape[];
  readonly #viewClasses: readonly ViewClass[];
  readonly #root: MirrorRecord;
  readonly #records = new Map<number, MirrorRecord>();
  /** Records with refs: whom they show depends on who comes and goes. */
  readonly #refHolders = new Set<MirrorRecord>();
  /** Records whose refs may have been read and not resolved yet. */
  #unresolved: MirrorRecord[] = [];
  /** Of a kind that refs refer to. */
  #haveTargetsChanged = false;
  readonly #audience: Audience = { listeners: 0 };
  #snapshots = 0;
  // What listeners have not been told.
  #removed: MirrorRecord[] = [];
  #added: MirrorRecord[] = [];
  #changed: MirrorRecord[] = [];

  /** @throws SchemaError for what is not the description of a schema */
  constructor(descriptor: SchemaDescriptor) {
    const { shapes, viewClasses } = classesOf(descriptor);
    this.#shapes = shapes;
    this.#viewClasses = viewClasses;
    this.#root = this.#make(ROOT_ID, 0, undefined, 0, "");
    this.#root.isNew = false;
    this.#register(this.#root);
    this.state = this.#root.view as object as View<S>;
  }

  /**
   * Makes the public state equal to a snapshot. What is in both stays the same object, and listeners hear of
   * differences only.
   * @throws SchemaError
   */
  applySnapshot(bytes: Uint8Array): void {
    this.#snapshots++;
    this.#read(bytes, "snapshot");
    for (const record of this.#records.values()) {
      if (record !== this.#root && record.snapshot !== this.#snapshots) this.#remove(record);
    }
    this.#announce();
  }

  /** @throws SchemaError */
  applyPatch(bytes: Uint8Array): void {
    this.#read(bytes, "patch");
    this.#announce();
  }

  /** Applies a patch of this client's private fields. @throws SchemaError */
  applyOwn(bytes: Uint8Array): void {
    this.#read(bytes, "own");
    this.#announce();
  }

  /** A 32-bit number over the public state; equal to `StateEncoder.hash()` of an equal state. */
  hash(): number {
    return hashRecords(this.#records);
  }

  /**
   * Calls `listener` once per patch in which fields of the entity changed.
   * @throws TypeError for what is not an entity of this mirror
   */
  onChange(entityView: object, listener: (changedFieldNames: readonly string[]) => void): Unsubscribe {
    const record = entityView instanceof EntityView ? EntityView.recordOf(entityView) : undefined;
    if (!record || this.#records.get(record.id) !== record)
      throw new TypeError("not an entity of this mirror");
    record.listeners ??= new Set();
    return subscribeToChanges(record.listeners, (_entity, _key, fields) => listener(fields), this.#audience);
  }

  #read(bytes: Uint8Array, source: Source): void {
    const reader = new ByteReader(bytes);
    while (reader.remaining > 0) {
      const head = reader.varint();
      const operation = head % 4;
      const id = (head - operation) / 4;
      if (operation === Operation.CHANGE && id === GROUP && source === "patch") this.#readGroup(reader);
      else if (operation === Operation.CHANGE && source !== "own")
        this.#readChange(reader, this.#recordOf(id));
      else if (operation === Operation.OWN && source === "own") this.#readOwn(reader, this.#recordOf(id));
      else if (operation === Operation.ADD && source !== "own") this.#readAdd(reader, id, source);
      else if (operation === Operation.REMOVE && source === "patch") this.#remove(this.#recordOf(id));
      else throw new SchemaError(`operation ${operation} cannot be part of this`);
    }
  }

  #readChange(reader: ByteReader, record: MirrorRecord): void {
    this.#readFields(reader, record, readPublicMask(reader, record.shape));
  }

  #readGroup(reader: ByteReader): void {
    const count = reader.varint();
    const group: MirrorRecord[] = [];
    for (let id = 0; group.length < count; ) {
      const head = reader.varint();
      const isSeveral = head % 2 === 1;
      id += (head - Number(isSeveral)) / 2;
      const end = id + (isSeveral ? reader.varint() + 2 : 1);
      // An id that is not there ends it, however long the run claims to be.
      for (; id < end; id += 1) group.push(this.#recordOf(id));
    }
    const shape = group[0]?.shape;
    if (shape === undefined || group.length !== count)
      throw new SchemaError("a group has no such number of entities");
    const mask = readPublicMask(reader, shape);
    const row = rowOf(shape, mask);
    for (const record of group) {
      if (record.shape !== shape) throw new SchemaError("a group has entities of several kinds");
      if (row.bytes === 0) this.#readFields(reader, record, mask);
    }
    if (row.bytes === 0) return;
    const isHeard = this.#audience.listeners > 0;
    if (isHeard && this.#changed.length === 0) this.#changed = group;
    else if (isHeard) for (const record of group) this.#changed.push(record);
    readRows(reader, group, row, isHeard);
  }

  #readOwn(reader: ByteReader, record: MirrorRecord): void {
    const { privateMask, privateMaskBytes, publicCount } = record.shape;
    const bits = reader.low(privateMaskBytes);
    const mask = bits << publicCount;
    if ((mask & ~privateMask) !== 0 || mask >>> publicCount !== bits >>> 0) {
      throw new SchemaError(`${record.shape.name} has fewer private fields`);
    }
    this.#readFields(reader, record, mask);
  }

  #readAdd(reader: ByteReader, id: number, source: Source): void {
    const parent = this.#recordOf(reader.varint());
    const mapIndex = reader.u8();
    const map = parent.shape.maps[mapIndex];
    if (!map) throw new SchemaError(`${parent.shape.name} has no map ${mapIndex}`);
    const key = reader.string(KEY_BYTES_MAX);
    const known = this.#records.get(id);
    if (known && source === "patch") throw new SchemaError(`entity ${id} is there already`);
    const isSame = known?.parent === parent && known.mapIndex === mapIndex && known.key === key;
    const record = known && isSame ? known : this.#add(id, map.entity, parent, mapIndex, key);
    record.snapshot = this.#snapshots;
    this.#readFields(reader, record, record.shape.publicMask);
  }

  #add(id: number, entity: number, parent: MirrorRecord, mapIndex: number, key: string): MirrorRecord {
    const record = this.#make(id, entity, parent, mapIndex, key);
    const sameId = this.#records.get(id);
    if (sameId) this.#remove(sameId);
    const sameKey = record.holder?.items.get(key);
    if (sameKey) this.#remove(EntityView.recordOf(sameKey));
    if (parent.isGone) throw new SchemaError(`entity ${id} cannot hold itself`);
    record.holder?.items.set(key, record.view);
    this.#register(record);
    this.#added.push(record);
    return record;
  }

  #make(
    id: number,
    entity: number,
    parent: MirrorRecord | undefined,
    mapIndex: number,
    key: string,
  ): MirrorRecord {
    const shape = this.#shapes[entity] as Shape;
    const viewClass = this.#viewClasses[entity] as ViewClass;
    return new MirrorRecord(id, shape, viewClass, parent, mapIndex, key, this.#audience);
  }

  #register(record: MirrorRecord): void {
    this.#records.set(record.id, record);
    if (record.shape.isReferredTo) this.#haveTargetsChanged = true;
    if (record.shape.refs.length > 0) this.#refHolders.add(record);
  }

  /** Takes out what the entity holds first, then the entity. */
  #remove(record: MirrorRecord): void {
    if (!record.holder) throw new SchemaError("the root cannot be removed");
    for (const { source } of record.maps) {
      for (const view of source.items.values()) this.#remove(EntityView.recordOf(view));
    }
    record.isGone = true;
    record.holder.items.delete(record.key);
    this.#records.delete(record.id);
    if (record.shape.isReferredTo) this.#haveTargetsChanged = true;
    this.#refHolders.delete(record);
    if (!record.isNew) this.#removed.push(record);
  }

  #readFields(reader: ByteReader, record: MirrorRecord, mask: number): void {
    // Noted before, so that what is read is not forgotten if the next field cannot be.
    if (record.changed === 0) this.#changed.push(record);
    if (record.shape.refs.length > 0) this.#unresolved.push(record);
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      record.read(reader, firstField(record.shape, rest));
    }
  }

  #recordOf(id: number): MirrorRecord {
    const record = this.#records.get(id);
    if (!record) throw new SchemaError(`there is no entity ${id}`);
    return record;
  }

  /** Only now is it known who is there: before, a ref could show someone who is about to go. */
  #resolveRefs(): void {
    for (const record of this.#haveTargetsChanged ? this.#refHolders : this.#unresolved) {
      for (const field of record.shape.refs) record.resolve(field, this.#records);
      if (record.changed !== 0) this.#changed.push(record);
    }
    this.#unresolved = [];
    this.#haveTargetsChanged = false;
  }

  /** Tells the listeners everything; the first error of one is thrown when all have been called. */
  #announce(): void {
    this.#resolveRefs();
    const removed = this.#removed;
    const added = this.#added.filter((record) => !record.isGone);
    const changed = this.#changed;
    this.#removed = [];
    this.#added = [];
    this.#changed = [];
    for (const record of added) {
      record.isNew = false;
      record.changed = 0;
    }
    const errors: unknown[] = [];
    for (const record of removed) tell(record.holder?.onRemove, record, [], errors);
    for (const record of added) tell(record.holder?.onAdd, record, [], errors);
    for (const record of changed) {
      // An entity may be listed twice; the first time takes all.
      const mask = record.changed;
      record.changed = 0;
      if (record.listeners === undefined && !record.holder?.onChange.size) continue;
      if (mask === 0 || record.isGone) continue;
      const fields = record.changedFieldNames(mask);
      tell(record.holder?.onChange, record, fields, errors);
      tell(record.listeners, record, fields, errors);
    }
    if (errors.length > 0) throw errors[0];
  }
}

function readPublicMask(reader: ByteReader, { name, publicMask, publicMaskBytes }: Shape): number {
  const mask = reader.low(publicMaskBytes);
  if ((mask & ~publicMask) !== 0) throw new SchemaError(`${name} has fewer fields`);
  return mask;
}

function tell(
  listeners: ReadonlySet<ChangeListener<EntityView>> | undefined,
  { view, key }: MirrorRecord,
  fields: readonly string[],
  errors: unknown[],
): void {
  if (!listeners) return;
  for (const listener of listeners) {
    try {
      listener(view, key, fields);
    } catch (error) {
      errors.push(error);
    }
  }
}
