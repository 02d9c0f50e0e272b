/**
 * Listens to everything in a mirror and compares, after each time bytes are applied, what listeners were told with
 * the differences between the mirror before and after.
 */

import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { EntitySchema, Mirror, MirrorMap } from "../../../shared/schema/index.ts";
import { isRef, walk } from "./shadow.ts";

type Event = {
  readonly type: "removed" | "added" | "changed";
  readonly entity: object;
  readonly fields: string;
};
const ORDER = { removed: 0, added: 1, changed: 2 };

export class Observer<S extends EntitySchema> {
  readonly #schema: S;
  readonly #mirror: Mirror<S>;
  #events: Event[] = [];

  constructor(schema: S, mirror: Mirror<S>) {
    this.#schema = schema;
    this.#mirror = mirror;
    mirror.onChange(mirror.state, (fields) => this.#note("changed", mirror.state, fields));
    this.#listen(schema, mirror.state);
  }

  #note(type: Event["type"], entity: object, fields: readonly string[] = []): void {
    this.#events.push({ type, entity, fields: [...fields].sort().join() });
  }

  /** Maps of entities that come later are listened to from the moment they are announced. */
  #listen(schema: EntitySchema, entity: object): void {
    for (const [name, field] of Object.entries(schema.fields)) {
      if (field.kind !== "map") continue;
      const map = (entity as { readonly [name: string]: MirrorMap<EntitySchema> })[name];
      map?.onAdd((child, key) => {
        if (map.get(key) !== child) expect.fail(`${key} was announced, but is not there`);
        this.#note("added", child);
        this.#listen(field.of, child);
      });
      map?.onRemove((child, key) => {
        if (map.get(key) === child) expect.fail(`${key} was removed, but is there`);
        this.#note("removed", child);
      });
      map?.onChange((child, _key, fields) => this.#note("changed", child, fields));
    }
  }

  /** Runs `apply` and checks what listeners heard of it. */
  check(apply: () => void): void {
    const before = this.#shallowCopies();
    this.#events = [];
    apply();
    const after = this.#shallowCopies();

    const types = this.#events.map((event) => ORDER[event.type]);
    expect(types).toEqual([...types].sort());
    const heard = new Map(this.#events.map((event) => [event.entity, `${event.type} ${event.fields}`]));
    expect(heard.size).toBe(this.#events.length);

    const differences = new Map<object, string>();
    for (const entity of before.keys()) if (!after.has(entity)) differences.set(entity, "removed ");
    for (const [entity, values] of after) {
      const old = before.get(entity);
      if (!old) {
        differences.set(entity, "added ");
        continue;
      }
      const fields = Object.keys(values).filter((name) => !isDeepStrictEqual(values[name], old[name]));
      if (fields.length > 0) differences.set(entity, `changed ${fields.sort().join()}`);
    }
    for (const [entity, difference] of differences) {
      if (heard.get(entity) !== difference) expect(heard.get(entity)).toBe(difference);
    }
    expect(heard.size).toBe(differences.size);
  }

  #shallowCopies(): Map<object, { [name: string]: unknown }> {
    const copies = new Map<object, { [name: string]: unknown }>();
    for (const { schema, entity } of walk(this.#schema, this.#mirror.state)) {
      const copy: { [name: string]: unknown } = {};
      for (const [name, field] of Object.entries(schema.fields)) {
        if (field.kind === "map") continue;
        const value = entity[name];
        // Who a ref shows is told by identity, so it is wrapped against being compared by content.
        if (isRef(field)) copy[name] = value === undefined ? undefined : identityOf(value as object);
        else copy[name] = Array.isArray(value) ? [...value] : value;
      }
      copies.set(entity, copy);
    }
    return copies;
  }
}

const identities = new WeakMap<object, number>();
let nextIdentity = 1;

function identityOf(entity: object): number {
  const known = identities.get(entity) ?? nextIdentity++;
  identities.set(entity, known);
  return known;
}
