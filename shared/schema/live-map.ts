/**
 * A map field on the server: entities by key, in the order they were made.
 */
import { fitsUtf8 } from "./bytes.ts";
import { type EntitySchema, KEY_BYTES_MAX } from "./fields.ts";
import type { MapLayout } from "./layout.ts";
import { LiveEntity } from "./live-base.ts";
import type { Children, LiveRecord } from "./store.ts";
import type { Init, Live } from "./types.ts";

export class LiveMap<S extends EntitySchema> implements Children {
  readonly #parent: LiveRecord;
  readonly #mapIndex: number;
  readonly #items = new Map<string, Live<S>>();

  constructor(parent: LiveRecord, mapIndex: number) {
    this.#parent = parent;
    this.#mapIndex = mapIndex;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: string): Live<S> | undefined {
    return this.#items.get(key);
  }

  has(key: string): boolean {
    return this.#items.has(key);
  }

  /**
   * Makes an entity. One that had the key before is removed first.
   * @param options.owner id of the session that sees the private fields; by default the session whose id is the key
   * @throws RangeError when a field cannot hold its value, or the key is longer than KEY_BYTES_MAX
   * @throws TypeError for a field the entity does not have
   * @throws Error when the entity that holds this map was removed
   */
  set(key: string, init: Init<S>, options?: { readonly owner?: string | undefined }): Live<S> {
    if (this.#parent.status === "gone") {
      throw new Error(`${this.#path()}: the entity that holds this map was removed`);
    }
    this.#checkKey(key);
    const store = this.#parent.store;
    const record = store.create(this.#parent, this.#mapIndex, key, options?.owner ?? key);
    const nested = assign(record, init);
    this.delete(key);
    store.link(record);
    this.adopt(record);
    for (const [map, inits] of nested) {
      for (const [childKey, childInit] of Object.entries(inits)) map.set(childKey, childInit);
    }
    return record.live as Live<S>;
  }

  adopt(record: LiveRecord): void {
    this.#items.set(record.key, record.live as Live<S>);
  }

  delete(key: string): boolean {
    const live = this.#items.get(key);
    if (live === undefined) return false;
    this.#items.delete(key);
    const record = recordOf(live);
    if (record.status !== "gone") record.store.remove(record);
    return true;
  }

  clear(): void {
    for (const key of this.#items.keys()) this.delete(key);
  }

  keys(): MapIterator<string> {
    return this.#items.keys();
  }

  values(): MapIterator<Live<S>> {
    return this.#items.values();
  }

  entries(): MapIterator<[string, Live<S>]> {
    return this.#items.entries();
  }

  [Symbol.iterator](): MapIterator<[string, Live<S>]> {
    return this.#items.entries();
  }

  forEach(callback: (entity: Live<S>, key: string) => void): void {
    for (const [key, live] of this.#items) callback(live, key);
  }

  *records(): Generator<LiveRecord> {
    for (const live of this.#items.values()) yield recordOf(live);
  }

  #checkKey(key: unknown): void {
    if (typeof key === "string" && key.isWellFormed() && fitsUtf8(key, KEY_BYTES_MAX)) return;
    throw new RangeError(`${this.#path()}: a key is at most ${KEY_BYTES_MAX} bytes of well-formed text`);
  }

  #path(): string {
    const layout = this.#parent.shape.maps[this.#mapIndex] as MapLayout;
    return `${this.#parent.shape.name}.${layout.name}`;
  }
}

function recordOf(live: object): LiveRecord {
  return LiveEntity.recordOf(live as LiveEntity);
}

type AnyLive = { [name: string]: unknown };
type NestedInit = { readonly [key: string]: Init<EntitySchema> };

/** Gives a new record its first values. @returns what is to go into its own maps, once it is part of the state */
function assign(record: LiveRecord, init: object): [LiveMap<EntitySchema>, NestedInit][] {
  const nested: [LiveMap<EntitySchema>, NestedInit][] = [];
  const live = record.live as unknown as AnyLive;
  for (const [name, value] of Object.entries(init)) {
    if (value === undefined) continue;
    switch (record.shape.parts.get(name)) {
      case "scalar":
        live[name] = value;
        break;
      case "list":
        (live[name] as { replace(values: unknown): void }).replace(value);
        break;
      case "map":
        nested.push([live[name] as LiveMap<EntitySchema>, value as NestedInit]);
        break;
      default:
        throw new TypeError(`${record.shape.name} has no field ${name}`);
    }
  }
  return nested;
}
