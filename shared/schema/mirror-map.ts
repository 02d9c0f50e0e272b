/**
 * A map field in the mirror: the entities by key, in the order in which they were made or, in a spatial map, came into
 * view, and who wants to know of changes. For what is there already when a listener is added, iterate.
 */
import type { EntitySchema } from "./fields.ts";
import type { View } from "./types.ts";

export type Unsubscribe = () => void;
export type EntityListener<V> = (entity: V, key: string) => void;
export type ChangeListener<V> = (entity: V, key: string, fields: readonly string[]) => void;

/** How many listen to changes anywhere in a mirror: as long as nobody does, changes are not noted. */
export type Audience = { listeners: number };

/** The mirror's own side of a map; what users hold only reads it. */
export class MapSource<V> {
  readonly audience: Audience;
  readonly items = new Map<string, V>();
  readonly onAdd = new Set<ChangeListener<V>>();
  readonly onChange = new Set<ChangeListener<V>>();
  readonly onRemove = new Set<ChangeListener<V>>();

  constructor(audience: Audience) {
    this.audience = audience;
  }
}

export class MirrorMap<S extends EntitySchema> implements Iterable<[string, View<S>]> {
  readonly #source: MapSource<View<S>>;

  constructor(source: MapSource<View<S>>) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.items.size;
  }

  get(key: string): View<S> | undefined {
    return this.#source.items.get(key);
  }

  has(key: string): boolean {
    return this.#source.items.has(key);
  }

  keys(): MapIterator<string> {
    return this.#source.items.keys();
  }

  values(): MapIterator<View<S>> {
    return this.#source.items.values();
  }

  entries(): MapIterator<[string, View<S>]> {
    return this.#source.items.entries();
  }

  [Symbol.iterator](): MapIterator<[string, View<S>]> {
    return this.#source.items.entries();
  }

  forEach(callback: EntityListener<View<S>>): void {
    for (const [key, view] of this.#source.items) callback(view, key);
  }

  /** Called for each entity added from now on; holders come before what they hold. */
  onAdd(listener: EntityListener<View<S>>): Unsubscribe {
    return subscribe(this.#source.onAdd, listener);
  }

  /** Called once per patch for each entity of this map with changed fields. */
  onChange(listener: ChangeListener<View<S>>): Unsubscribe {
    return subscribeToChanges(this.#source.onChange, listener, this.#source.audience);
  }

  /** Called for each entity removed; its fields are as they were last. */
  onRemove(listener: EntityListener<View<S>>): Unsubscribe {
    return subscribe(this.#source.onRemove, listener);
  }
}

export function subscribe<V>(listeners: Set<ChangeListener<V>>, listener: ChangeListener<V>): Unsubscribe {
  // One entry per subscription, though the function may be the same.
  const entry: ChangeListener<V> = (entity, key, fields) => listener(entity, key, fields);
  listeners.add(entry);
  return () => {
    listeners.delete(entry);
  };
}

export function subscribeToChanges<V>(
  listeners: Set<ChangeListener<V>>,
  listener: ChangeListener<V>,
  audience: Audience,
): Unsubscribe {
  const unsubscribe = subscribe(listeners, listener);
  audience.listeners += 1;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    audience.listeners -= 1;
    unsubscribe();
  };
}
