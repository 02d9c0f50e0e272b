/**
 * The server's entities of one room: who exists, who owns what, and what changed since the last commit. Marking a
 * change is the hot path: one bit, and one push for an entity's first change of a step.
 */
import type { Shape } from "./layout.ts";
import type { LiveEntity } from "./live-base.ts";
import { EntityRecord, type ListValue } from "./record.ts";
import { SpatialEntity } from "./spatial-entity.ts";

export type LiveClass = new (record: LiveRecord) => LiveEntity;

/** A collection of children, as far as the store must know it. */
export interface Children {
  records(): Iterable<LiveRecord>;
  /** Holds a record that was linked. */
  adopt(record: LiveRecord): void;
}

/** What a step did. */
export type Changes = {
  /** Holders before what they hold. */
  readonly added: LiveRecord[];
  /** Known before. */
  readonly changed: LiveRecord[];
  /** Known before; what was inside them is not listed. */
  readonly removed: LiveRecord[];
};

/** All bits set: what is dirty already is never put on the dirty list. */
const ALL = -1;

export class LiveRecord extends EntityRecord {
  declare readonly parent: LiveRecord | undefined;
  readonly store: EntityStore;
  /** Session that sees the private fields. */
  readonly owner: string;
  /** The LiveEntity that authors handle. */
  readonly live: object;
  /** Its collections, by slot. */
  readonly liveLists: Iterable<ListValue>[] = [];
  readonly children: Children[] = [];
  /** `new`: no client knows it yet. */
  status: "new" | "known" | "gone" = "new";
  /** Bits of the fields that changed since the last commit. */
  dirty = ALL;
  /** The spatial entity that it is or is inside of: who sees that one sees this. Undefined: all clients do. */
  readonly spatial: SpatialEntity | undefined;
  /** Bits of the fields that changed at the last commit in which any did, and of what is spatial its number. */
  changedMask = 0;
  changedStep = 0;

  constructor(
    store: EntityStore,
    id: number,
    shape: Shape,
    parent: LiveRecord | undefined,
    mapIndex: number,
    key: string,
    owner: string,
  ) {
    super(id, shape, parent, mapIndex, key);
    this.store = store;
    this.owner = owner;
    this.live = new (store.classes[shape.index] as LiveClass)(this);
    const position = parent?.shape.maps[mapIndex]?.spatial;
    this.spatial = position ? new SpatialEntity(this, position) : parent?.spatial;
  }

  /** A commit has said what changed, of what clients know already. */
  settle(): void {
    this.changedMask = this.dirty;
    this.dirty = 0;
  }

  /** A field has another value. */
  mark(bit: number): void {
    if (this.dirty === 0) this.store.dirty.push(this);
    this.dirty |= bit;
  }
}

export class EntityStore {
  readonly shapes: readonly Shape[];
  readonly classes: readonly LiveClass[];
  /** In the order of their ids, which is that of their making. */
  readonly records = new Map<number, LiveRecord>();
  readonly root: LiveRecord;
  /** Those of each session that have private fields. */
  readonly owned = new Map<string, Set<LiveRecord>>();
  nextId: number;
  /** Since the last commit. A record on a list may be gone by then. */
  dirty: LiveRecord[] = [];
  added: LiveRecord[] = [];
  /** Those that clients know; what was inside them is not listed. */
  removed: LiveRecord[] = [];
  /** Whether any record of the lists may be gone. */
  #hasGone = false;
  /** All spatial entities that clients may know, also those that went with what held them. */
  removedSpatial: SpatialEntity[] = [];

  constructor(shapes: readonly Shape[], classes: readonly LiveClass[], rootId: number) {
    this.shapes = shapes;
    this.classes = classes;
    this.nextId = rootId + 1;
    this.root = new LiveRecord(this, rootId, shapes[0] as Shape, undefined, 0, "", "");
    this.records.set(rootId, this.root);
    this.settle(this.root);
  }

  get hasChanges(): boolean {
    return this.dirty.length > 0 || this.added.length > 0 || this.removed.length > 0;
  }

  /** Ends a step: what it did, without what is gone by now. */
  takeChanges(): Changes {
    const { added, dirty, removed } = this;
    this.added = [];
    this.dirty = [];
    this.removed = [];
    if (!this.#hasGone) return { added, changed: dirty, removed };
    this.#hasGone = false;
    const isThere = (record: LiveRecord) => record.status !== "gone";
    return { added: added.filter(isThere), changed: dirty.filter(isThere), removed };
  }

  /** A record that is not part of the state until it is linked. */
  create(parent: LiveRecord, mapIndex: number, key: string, owner: string): LiveRecord {
    return this.createWithId(this.nextId++, parent, mapIndex, key, owner);
  }

  createWithId(id: number, parent: LiveRecord, mapIndex: number, key: string, owner: string): LiveRecord {
    const target = parent.shape.maps[mapIndex]?.entity ?? 0;
    return new LiveRecord(this, id, this.shapes[target] as Shape, parent, mapIndex, key, owner);
  }

  link(record: LiveRecord): void {
    this.records.set(record.id, record);
    this.added.push(record);
    if (record.shape.privateMask === 0) return;
    const owned = this.owned.get(record.owner);
    if (owned) owned.add(record);
    else this.owned.set(record.owner, new Set([record]));
  }

  /** Takes a record that its map has let go, and everything inside it, out of the state. */
  remove(record: LiveRecord): void {
    if (record.status === "known") this.removed.push(record);
    this.#forget(record);
  }

  #forget(record: LiveRecord): void {
    if (record.status === "known" && record.spatial?.record === record) {
      this.removedSpatial.push(record.spatial);
    }
    record.status = "gone";
    if (record.dirty !== 0) this.#hasGone = true;
    record.dirty = ALL;
    this.records.delete(record.id);
    const owned = this.owned.get(record.owner);
    if (owned?.delete(record) && owned.size === 0) this.owned.delete(record.owner);
    for (const children of record.children) {
      for (const child of children.records()) this.#forget(child);
    }
  }

  /** From here on the record's changes count. */
  settle(record: LiveRecord): void {
    record.status = "known";
    record.settle();
  }
}
