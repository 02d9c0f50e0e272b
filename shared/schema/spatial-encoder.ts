/**
 * The part of a state that a client sees or does not see: the entities of spatial maps, with what is inside them.
 * Each step their changes are encoded once; whoever decides what a client sees puts its patch together from these
 * pieces, which are valid until the next commit. What not every client needs is encoded when the first one does.
 */
import { ByteWriter } from "./bytes.ts";
import { writeAdd, writeChange, writeChanges, writeOwn, writeRemove } from "./pieces.ts";
import type { PieceRange, SpatialEntity } from "./spatial-entity.ts";
import type { Changes, EntityStore, LiveRecord } from "./store.ts";

/** Instead of the number of a commit. */
export const NOT_KNOWN = -1;

const NOTHING: ReadonlySet<LiveRecord> = new Set();

export class SpatialEncoder {
  readonly #store: EntityStore;
  /** Of this step. */
  readonly #pieces = new ByteWriter();
  /** Above 0, which stands for never. */
  #step = 1;
  #added: SpatialEntity[] = [];
  #changed: SpatialEntity[] = [];
  #removed: SpatialEntity[] = [];

  constructor(store: EntityStore) {
    this.#store = store;
  }

  /** Number of the last commit. */
  get step(): number {
    return this.#step;
  }

  /** What came with the last commit. */
  get added(): readonly SpatialEntity[] {
    return this.#added;
  }

  /** What was there before the last commit and changed with it. */
  get changed(): readonly SpatialEntity[] {
    return this.#changed;
  }

  /** What went with the last commit, by itself or with what held it. */
  get removed(): readonly SpatialEntity[] {
    return this.#removed;
  }

  /** All there were at the last commit and are still there. */
  *entities(): Generator<SpatialEntity> {
    for (const record of this.#store.records.values()) {
      if (record.spatial?.record === record && record.status === "known") yield record.spatial;
    }
  }

  /** For a client that does not know the entity. */
  writeAdd(patch: ByteWriter, entity: SpatialEntity): void {
    this.#copy(patch, entity.whole, entity.record, writeWhole);
  }

  /**
   * For a client that knows the entity.
   * @param knownStep number of the commit as of which it does
   */
  writeUpdate(patch: ByteWriter, entity: SpatialEntity, knownStep: number): void {
    if (entity.changedStep <= knownStep) return;
    if (knownStep === this.#step - 1) {
      patch.copy(this.#pieces.bytes, entity.change.start, entity.change.end);
    } else if (entity.restructuredStep <= knownStep) {
      this.#copy(patch, entity.refresh, entity.record, writeRefresh);
    } else {
      // Which of the things inside it the client knows is not kept.
      writeRemove(patch, entity.record.id);
      this.writeAdd(patch, entity);
    }
  }

  /** For a client that knows the entity. One that went with what held it needs no words. */
  writeRemove(patch: ByteWriter, { record }: SpatialEntity): void {
    if (record.parent?.status !== "gone") writeRemove(patch, record.id);
  }

  /** Whether a session has private fields, in spatial entities or others. */
  isOwner(sessionId: string): boolean {
    const { owned } = this.#store;
    return owned.size > 0 && owned.has(sessionId);
  }

  /**
   * The private fields that a session has in spatial entities.
   * @param knownStepOf number of the commit as of which the session knows an entity; NOT_KNOWN before it is added;
   * undefined: it is not to know it
   */
  writeOwn(
    own: ByteWriter,
    sessionId: string,
    knownStepOf: (entity: SpatialEntity) => number | undefined,
  ): void {
    for (const record of this.#store.owned.get(sessionId) ?? NOTHING) {
      const knownStep = record.spatial && knownStepOf(record.spatial);
      if (knownStep === undefined) continue;
      if (knownStep !== this.#step - 1) writeOwn(own, record, record.shape.privateMask);
      else if (record.changedStep === this.#step) writeOwn(own, record, record.changedMask);
    }
  }

  #copy(
    patch: ByteWriter,
    range: PieceRange,
    record: LiveRecord,
    write: (pieces: ByteWriter, record: LiveRecord) => void,
  ): void {
    const pieces = this.#pieces;
    if (range.step !== this.#step) {
      range.step = this.#step;
      range.start = pieces.length;
      write(pieces, record);
      range.end = pieces.length;
    }
    patch.copy(pieces.bytes, range.start, range.end);
  }

  /** @internal For the commit, before anything else: a new step. */
  beginStep(): void {
    this.#step++;
    this.#pieces.reset();
    this.#added = [];
    this.#changed = [];
    this.#removed = this.#store.removedSpatial;
    this.#store.removedSpatial = [];
  }

  /** @internal For the commit: encodes what is spatial of the changes. @returns the others */
  takeOut(all: Changes): Changes {
    const others: Changes = { added: [], changed: [], removed: [] };
    for (const record of all.removed) {
      const entity = record.spatial;
      if (entity === undefined) others.removed.push(record);
      // Otherwise the entity went as a whole.
      else if (entity.record.status === "known") this.#touchInside(entity).removed.push(record);
    }
    for (const record of all.added) {
      const entity = record.spatial;
      if (entity === undefined) others.added.push(record);
      else if (entity.record === record) this.#added.push(entity);
      // Otherwise it is part of a new whole.
      else if (entity.record.status === "known") this.#touchInside(entity, record).added.push(record);
    }
    for (const record of all.changed) {
      const entity = record.spatial;
      if (entity === undefined) others.changed.push(record);
      else if (entity.record === record) this.#touch(entity, record);
      else this.#touchInside(entity, record).changed.push(record);
    }
    for (const entity of this.#changed) this.#encodeChange(entity);
    return others;
  }

  /** @param changed the record that changed, of those that are there still */
  #touch(entity: SpatialEntity, changed?: LiveRecord): void {
    if (changed) {
      changed.changedMask = changed.dirty;
      changed.changedStep = this.#step;
    }
    if (entity.changedStep !== this.#step) {
      entity.changedStep = this.#step;
      this.#changed.push(entity);
    }
  }

  #touchInside(entity: SpatialEntity, changed?: LiveRecord): Changes {
    this.#touch(entity, changed);
    entity.inside ??= { added: [], changed: [], removed: [] };
    return entity.inside;
  }

  #encodeChange(entity: SpatialEntity): void {
    const { record, inside, change } = entity;
    const pieces = this.#pieces;
    change.step = this.#step;
    change.start = pieces.length;
    writeChange(pieces, record, record.dirty);
    if (inside !== undefined) {
      if (inside.removed.length + inside.added.length > 0) entity.restructuredStep = this.#step;
      writeChanges(pieces, inside);
      entity.inside = undefined;
    }
    change.end = pieces.length;
  }
}

function writeWhole(pieces: ByteWriter, record: LiveRecord): void {
  writeAdd(pieces, record);
  for (const children of record.children) {
    for (const child of children.records()) writeWhole(pieces, child);
  }
}

function writeRefresh(pieces: ByteWriter, record: LiveRecord): void {
  writeChange(pieces, record, record.shape.publicMask);
  for (const children of record.children) {
    for (const child of children.records()) writeRefresh(pieces, child);
  }
}
