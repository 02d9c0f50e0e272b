/**
 * A room's state with spatial maps, its shadow, and clients with views. After everything a client is sent, its mirror
 * is compared with the part of the shadow that it may see, worked out by looking at every entity; and the bytes are
 * searched for what it may not see. Numbers choose what happens.
 */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { Client } from "../../../server/room/client.ts";
import { Interest, Sight, type StatePatches } from "../../../server/room/interest.ts";
import {
  describe,
  type EntitySchema,
  type Field,
  type Init,
  type LiveList,
  type LiveMap,
  Mirror,
  PendingChanges,
  type StateChange,
  StateEncoder,
} from "../../../shared/schema/index.ts";
import type { SpatialEncoder } from "../../../shared/schema/spatial-encoder.ts";
import { Observer } from "../../shared/schema/observer.ts";
import { SECRET, sample } from "../../shared/schema/rich-schema.ts";
import { isRef, type Plain, projectShadow, projectState, ShadowEntity } from "../../shared/schema/shadow.ts";
import { Root } from "./interest-schema.ts";

export const SESSIONS = ["ann", "bob", "cyd"];
/** Sessions own what has their name for a key. */
const KEYS = [...SESSIONS, "k1", "k2", "k3"];
const RADII = [0, 3, 10, 25, 60, 100, 1e9];
/** What is known is seen up to so many times the radius. */
const LEAVE_RATIO = 1.1;
const DESCRIPTOR = describe(Root);
const NOBODY = { send: () => undefined, kick: () => undefined };

type LiveEntity = { [name: string]: unknown };

class Viewer {
  readonly client: Client;
  readonly mirror = new Mirror<typeof Root>(DESCRIPTOR);
  readonly observer = new Observer(Root, this.mirror);
  sight = new Sight();
  /** The spatial entities it was last shown. */
  seen = new Set<ShadowEntity>();
  /** What it was not sent; undefined while it is up to date. */
  pending: PendingChanges | undefined;

  constructor(session: string) {
    this.client = new Client(NOBODY, session, 0, undefined);
  }

  /** Everything may be sent to it that is not in a spatial map, or is in one and in its view. */
  isSeen(entity: ShadowEntity): boolean {
    const spatial = spatialOf(entity);
    return spatial === undefined || this.seen.has(spatial);
  }

  /** Looks at every entity there is. */
  look(all: readonly ShadowEntity[]): void {
    const { view } = this.client;
    const before = this.seen;
    this.seen = new Set();
    if (view === undefined) return;
    for (const entity of all) {
      if (spatialOf(entity) !== entity) continue;
      const { x, y } = positionOf(entity);
      const radius = before.has(entity) ? view.radius * LEAVE_RATIO : view.radius;
      if ((x - view.x) ** 2 + (y - view.y) ** 2 <= radius ** 2) this.seen.add(entity);
    }
  }

  /** The client has a new connection: nothing is known of what it was shown. */
  forget(): void {
    this.sight = new Sight();
    this.seen = new Set();
    this.pending = undefined;
  }
}

/** The names of the coordinates, if an entity is in a spatial map. */
function coordinatesOf({ parent, mapName }: ShadowEntity): readonly [string, string] | undefined {
  const field: Field | undefined = parent?.schema.fields[mapName];
  return field?.kind === "map" ? field.spatial : undefined;
}

function spatialOf(entity: ShadowEntity): ShadowEntity | undefined {
  if (coordinatesOf(entity)) return entity;
  return entity.parent && spatialOf(entity.parent);
}

function positionOf(entity: ShadowEntity): { readonly x: number; readonly y: number } {
  const [x, y] = coordinatesOf(entity) ?? ["", ""];
  return { x: entity.values[x] as number, y: entity.values[y] as number };
}

export class World {
  encoder = new StateEncoder(Root);
  interest = interestOf(this.encoder);
  readonly shadow = new ShadowEntity(Root);
  readonly viewers = new Map<string, Viewer>();
  /** Who has which label: of those that are gone, too, since their bytes are not to be sent either. */
  readonly #labelled = new Map<string, ShadowEntity>();
  #labels = 0;

  constructor() {
    this.#label(this.shadow);
    this.commit();
  }

  /** Gives an entity a label that nothing has had before. */
  #label(entity: ShadowEntity): void {
    const label = `<${++this.#labels}>`;
    this.#labelled.set(label, entity);
    entity.values.label = label;
    this.#liveOf(entity).label = label;
  }

  /** The n-th entity there is. */
  #pick(n: number, schema?: EntitySchema): ShadowEntity | undefined {
    const all = [...this.shadow.all()].filter((entity) => !schema || entity.schema === schema);
    return all[n % all.length];
  }

  #liveOf(shadow: ShadowEntity): LiveEntity {
    if (!shadow.parent) return this.encoder.root as unknown as LiveEntity;
    const live = this.#mapOf(shadow.parent, shadow.mapName).get(shadow.key);
    return live as unknown as LiveEntity;
  }

  #mapOf(holder: ShadowEntity, name: string): LiveMap<EntitySchema> {
    return this.#liveOf(holder)[name] as LiveMap<EntitySchema>;
  }

  // What happens to the state.

  move(a: number, b: number, c: number): void {
    const movable = [...this.shadow.all()].filter((entity) => coordinatesOf(entity));
    const entity = movable[a % movable.length];
    if (entity === undefined) return;
    this.#place(entity, b, c);
    this.#label(entity);
  }

  #place(entity: ShadowEntity, b: number, c: number): void {
    const [x, y] = coordinatesOf(entity) ?? ["", ""];
    const live = this.#liveOf(entity);
    live[x] = entity.values[x] = (b * 13) % 101;
    live[y] = entity.values[y] = (c * 7) % 101;
  }

  assign(a: number, b: number, c: number): void {
    const entity = this.#pick(a) as ShadowEntity;
    const coordinates = coordinatesOf(entity) ?? [];
    const fields = Object.entries(entity.schema.fields).filter(
      ([name, field]) =>
        field.kind !== "map" && name !== "label" && !(coordinates as readonly string[]).includes(name),
    );
    const chosen = fields[b % Math.max(1, fields.length)];
    if (chosen) this.#assignField(entity, chosen[0], chosen[1], c);
    // Without a change of the label, too: nothing but private fields.
    if (chosen?.[1].kind !== "owner" || c % 2 === 0) this.#label(entity);
  }

  #assignField(entity: ShadowEntity, name: string, field: Field, c: number): void {
    const live = this.#liveOf(entity);
    if (isRef(field)) {
      const target = c % 4 === 0 ? undefined : this.#pick(c, refSchema(field));
      entity.values[name] = target;
      live[name] = target && this.#liveOf(target);
      return;
    }
    const { assigned, stored } = sample(field, c, entity.owner);
    entity.values[name] = stored;
    if (Array.isArray(assigned)) (live[name] as LiveList<number>).replace(assigned);
    else live[name] = assigned;
  }

  add(a: number, b: number, c: number): void {
    const holders = [...this.shadow.all()].filter((entity) => Object.keys(entity.maps).length > 0);
    const holder = holders[a % holders.length] as ShadowEntity;
    const names = Object.keys(holder.maps);
    const name = names[b % names.length] as string;
    const { of: schema } = holder.schema.fields[name] as { of: EntitySchema };
    const key = KEYS[c % KEYS.length] as string;
    const owner = c % 3 === 0 ? (SESSIONS[b % SESSIONS.length] as string) : undefined;
    const child = new ShadowEntity(schema, holder, name, key, owner ?? key);
    const init: Plain = {};
    Object.entries(schema.fields).forEach(([fieldName, field], i) => {
      if ((c + i) % 3 === 0 || field.kind === "map" || isRef(field)) return;
      const { assigned, stored } = sample(field, c + i, child.owner);
      init[fieldName] = assigned;
      child.values[fieldName] = stored;
    });
    holder.maps[name]?.get(key)?.remove();
    holder.maps[name]?.set(key, child);
    this.#mapOf(holder, name).set(key, init as Init<EntitySchema>, owner === undefined ? {} : { owner });
    this.#label(child);
    if (coordinatesOf(child)) this.#place(child, b + c, a + c);
  }

  remove(a: number): void {
    const entity = this.#pick(a) as ShadowEntity;
    if (!entity.parent) return;
    this.#mapOf(entity.parent, entity.mapName).delete(entity.key);
    entity.remove();
  }

  clear(a: number, b: number): void {
    const entity = this.#pick(a) as ShadowEntity;
    const names = Object.keys(entity.maps);
    const name = names[b % names.length];
    if (name === undefined) return;
    this.#mapOf(entity, name).clear();
    for (const child of [...(entity.maps[name]?.values() ?? [])]) child.remove();
  }

  // What happens to clients.

  view(a: number, b: number, c: number): void {
    const viewer = this.#viewer(a);
    if (viewer === undefined) return;
    if (b === 0) viewer.client.view = undefined;
    else {
      const radius = RADII[c % RADII.length] as number;
      viewer.client.view = { x: (b * 11) % 101, y: (c * 5) % 101, radius };
    }
  }

  commit(): void {
    const change = this.encoder.commit();
    this.interest.update();
    for (const viewer of this.viewers.values()) {
      if (viewer.pending) viewer.pending.add(change);
      else this.#sendChange(viewer, change);
    }
  }

  join(a: number): void {
    const session = SESSIONS[a % SESSIONS.length] as string;
    if (this.viewers.has(session)) return;
    this.commit();
    const viewer = new Viewer(session);
    this.viewers.set(session, viewer);
    if (a % 2 === 0) this.view(a, a * 3 + 1, a + 4);
    this.#sendSnapshot(viewer);
  }

  leave(a: number): void {
    this.viewers.delete(SESSIONS[a % SESSIONS.length] as string);
  }

  /** The client comes back over another connection, with the mirror it has. */
  resume(a: number): void {
    this.commit();
    const viewer = this.#viewer(a);
    if (viewer) this.#sendSnapshot(viewer);
  }

  /** The client is too slow for this step and the next ones. */
  skip(a: number): void {
    this.commit();
    const viewer = this.#viewer(a);
    if (viewer) viewer.pending ??= new PendingChanges();
  }

  catchUp(a: number, b: number): void {
    const viewer = this.#viewer(a);
    if (!viewer?.pending) return;
    this.commit();
    if (b % 4 === 0) this.#sendSnapshot(viewer);
    else this.#send(viewer, "applyPatch", viewer.pending.encode(this.encoder, viewer.client.sessionId));
    viewer.pending = undefined;
  }

  /** The room goes on in another process. */
  restart(): void {
    this.commit();
    this.encoder = StateEncoder.restore(Root, this.encoder.serialize());
    this.interest = interestOf(this.encoder);
    for (const viewer of this.viewers.values()) this.#sendSnapshot(viewer);
  }

  #viewer(a: number): Viewer | undefined {
    return this.viewers.get(SESSIONS[a % SESSIONS.length] as string);
  }

  // What is sent, and checked.

  #sendChange(viewer: Viewer, { patch, ownerPatches }: StateChange): void {
    this.#send(viewer, "applyPatch", { patch, own: ownerPatches.get(viewer.client.sessionId) });
  }

  #sendSnapshot(viewer: Viewer): void {
    viewer.forget();
    const own = this.encoder.ownerSnapshot(viewer.client.sessionId);
    this.#send(viewer, "applySnapshot", { patch: this.encoder.snapshot(), own });
  }

  #send(viewer: Viewer, kind: "applySnapshot" | "applyPatch", shared: StatePatches): void {
    const { patch, own } = this.interest.frame(viewer.sight, viewer.client, shared);
    viewer.look([...this.shadow.all()]);
    this.#searchFor(viewer, patch, own);
    viewer.observer.check(() => viewer.mirror[kind](patch));
    if (own) viewer.observer.check(() => viewer.mirror.applyOwn(own));
    expectSame(
      sortSpatial(Root, projectState(Root, viewer.mirror.state)),
      sortSpatial(
        Root,
        projectShadow(this.shadow, viewer.client.sessionId, (entity) => viewer.isSeen(entity)),
      ),
    );
  }

  /** Looks for what a client must not be sent. */
  #searchFor(viewer: Viewer, patch: Uint8Array, own: Uint8Array | undefined): void {
    const text = textOf(patch);
    if (text.includes(SECRET)) expect.fail(`a secret in public bytes: ${text}`);
    for (const [label] of text.matchAll(/<\d+>/g)) {
      const entity = this.#labelled.get(label) as ShadowEntity;
      if (entity.isGone || !viewer.isSeen(entity)) expect.fail(`${entity.path} is not seen, but sent`);
    }
    for (const [, owner] of textOf(own ?? new Uint8Array()).matchAll(/secret:([^;]*)/g)) {
      expect(owner).toBe(viewer.client.sessionId);
    }
  }
}

function interestOf({ spatial }: StateEncoder<typeof Root>): Interest {
  return new Interest(spatial as SpatialEncoder);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function refSchema(field: Field): EntitySchema | undefined {
  if (field.kind === "owner" || field.kind === "optional") return refSchema(field.of);
  return field.kind === "ref" ? ((field.target as () => unknown)() as EntitySchema) : undefined;
}

/** A client has spatial entities in the order in which they came into its view. */
function sortSpatial(schema: EntitySchema, projected: Plain): Plain {
  for (const [name, field] of Object.entries(schema.fields)) {
    if (field.kind !== "map") continue;
    const entries = projected[name] as [string, Plain][];
    if (field.spatial) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, entity] of entries) sortSpatial(field.of, entity);
  }
  return projected;
}

function expectSame(actual: Plain, expected: Plain): void {
  // The quick comparison first: the one that explains is slow.
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected);
}
