/**
 * Takes a state over into another schema: what has the same name in both, with a value that the new field can hold.
 * Whatever else is new has its default, whatever else is old is left behind. Entities keep their ids and owners.
 */
import { LiveEntity } from "./live-base.ts";
import type { EntityStore, LiveRecord } from "./store.ts";

/** An entity as plain data: its maps are Maps, its lists arrays, and a ref is the key of the entity it refers to. */
export type PlainEntity = { readonly [field: string]: unknown };

type Fields = { [name: string]: unknown };

/** @param to a new store; nothing in it counts as changed afterwards */
export function carryOver(from: EntityStore, to: EntityStore): void {
  const carried: [old: LiveRecord, made: LiveRecord][] = [[from.root, to.root]];
  // Holders come before what they hold, in the order of their ids.
  for (const old of from.records.values()) {
    const made = place(old, to);
    if (made !== undefined) carried.push([old, made]);
  }
  for (const [old, made] of carried) copyFields(old, made);
  for (const [old, made] of carried) copyRefs(old, made);
  for (const [, made] of carried) to.settle(made);
  to.nextId = from.nextId;
  to.added = [];
  to.dirty = [];
}

export function plainOf(record: LiveRecord): PlainEntity {
  const live = record.live as Fields;
  const plain: Fields = {};
  for (const [name, part] of record.shape.parts) {
    const value = live[name];
    if (part === "list") plain[name] = [...(value as Iterable<unknown>)];
    else plain[name] = value instanceof LiveEntity ? LiveEntity.recordOf(value).key : value;
  }
  record.shape.maps.forEach(({ name }, index) => {
    const held = record.children[index]?.records() ?? [];
    plain[name] = new Map(Array.from(held, (inner) => [inner.key, plainOf(inner)]));
  });
  return plain;
}

/** @returns undefined when there is no such map any more */
function place(old: LiveRecord, to: EntityStore): LiveRecord | undefined {
  const name = old.parent?.shape.maps[old.mapIndex]?.name;
  const parent = to.records.get(old.parent?.id ?? 0);
  const mapIndex = parent?.shape.maps.findIndex((map) => map.name === name) ?? -1;
  if (parent === undefined || mapIndex < 0) return undefined;
  const made = to.createWithId(old.id, parent, mapIndex, old.key, old.owner);
  to.link(made);
  parent.children[mapIndex]?.adopt(made);
  return made;
}

function copyFields(old: LiveRecord, made: LiveRecord): void {
  const values = old.live as Fields;
  const live = made.live as Fields;
  for (const [name, part] of made.shape.parts) {
    const value = values[name];
    if (part === "map" || part !== old.shape.parts.get(name) || value instanceof LiveEntity) continue;
    orDefault(() => {
      if (part === "list") (live[name] as { replace(values: unknown): void }).replace(value);
      else live[name] = value;
    });
  }
}

function copyRefs(old: LiveRecord, made: LiveRecord): void {
  const values = old.live as Fields;
  const live = made.live as Fields;
  for (const { name } of made.shape.refs) {
    const target = values[name];
    if (!(target instanceof LiveEntity)) continue;
    const { id } = LiveEntity.recordOf(target);
    orDefault(() => {
      live[name] = made.store.records.get(id)?.live;
    });
  }
}

/** A value that the field cannot hold is left behind. */
function orDefault(assign: () => void): void {
  try {
    assign();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
