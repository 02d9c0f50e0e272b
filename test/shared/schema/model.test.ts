/**
 * The promise of state sync: whatever happens to a state, and however late, skipped or restarted a client is, every
 * mirror that is up to date equals the server's state, and nobody receives another's private fields.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  describe,
  type EntitySchema,
  type Field,
  type Init,
  type LiveList,
  type LiveMap,
  Mirror,
  PendingChanges,
  StateEncoder,
} from "../../../shared/schema/index.ts";
import { Observer } from "./observer.ts";
import { Root, SECRET, sample } from "./rich-schema.ts";
import { isRef, type Plain, projectShadow, projectState, ShadowEntity } from "./shadow.ts";

const RUNS = 2_000;
const SESSIONS = ["ann", "bob", "cyd", "dan"];
/** Sessions own what has their name for a key. */
const KEYS = [...SESSIONS, "k1", "k2", "日本", ""];
const DESCRIPTOR = describe(Root);

type LiveEntity = { [name: string]: unknown };

class Client {
  readonly session: string;
  readonly mirror = new Mirror<typeof Root>(DESCRIPTOR);
  readonly observer = new Observer(Root, this.mirror);
  /** What it was not sent; undefined while it is up to date. */
  pending: PendingChanges | undefined;

  constructor(session: string) {
    this.session = session;
  }

  receive(kind: "applySnapshot" | "applyPatch", bytes: Uint8Array, own: Uint8Array | undefined): void {
    if (textOf(bytes).includes(SECRET)) expect.fail(`a secret in public bytes: ${textOf(bytes)}`);
    this.observer.check(() => this.mirror[kind](bytes));
    if (!own) return;
    for (const [, owner] of textOf(own).matchAll(/secret:([^;]*)/g)) expect(owner).toBe(this.session);
    this.observer.check(() => this.mirror.applyOwn(own));
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** A room: the server's state, its shadow, and clients. Numbers choose what happens. */
class World {
  encoder = new StateEncoder(Root);
  readonly shadow = new ShadowEntity(Root);
  readonly clients = new Map<string, Client>();

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

  assign(a: number, b: number, c: number): void {
    const entity = this.#pick(a) as ShadowEntity;
    const fields = Object.entries(entity.schema.fields).filter(([, field]) => field.kind !== "map");
    const [name, field] = fields[b % fields.length] as [string, Field];
    const live = this.#liveOf(entity);
    if (isRef(field)) {
      const target = c % 4 === 0 ? undefined : this.#pick(c, refSchema(field));
      entity.values[name] = target;
      live[name] = target && this.#liveOf(target);
      return;
    }
    const { assigned, stored } = sample(field, c, entity.owner);
    entity.values[name] = stored;
    if (Array.isArray(assigned)) changeList(live[name] as LiveList<number>, assigned, c);
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
    this.#mapOf(holder, name).set(
      key,
      init as Init<EntitySchema>,
      owner === undefined ? undefined : { owner },
    );
  }

  remove(a: number): void {
    const entity = this.#pick(a) as ShadowEntity;
    if (!entity.parent) return;
    expect(this.#mapOf(entity.parent, entity.mapName).delete(entity.key)).toBe(true);
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

  commit(): void {
    const change = this.encoder.commit();
    for (const client of this.clients.values()) {
      if (client.pending) client.pending.add(change);
      else if (!change.isEmpty) {
        client.receive("applyPatch", change.patch, change.ownerPatches.get(client.session));
      }
    }
    expect(this.encoder.commit().isEmpty).toBe(true);
    this.check();
  }

  join(a: number): void {
    const session = SESSIONS[a % SESSIONS.length] as string;
    if (this.clients.has(session)) return;
    this.commit();
    const client = new Client(session);
    this.clients.set(session, client);
    client.receive("applySnapshot", this.encoder.snapshot(), this.encoder.ownerSnapshot(session));
  }

  leave(a: number): void {
    this.clients.delete(SESSIONS[a % SESSIONS.length] as string);
  }

  skip(a: number): void {
    this.commit();
    const client = this.clients.get(SESSIONS[a % SESSIONS.length] as string);
    if (client) client.pending ??= new PendingChanges();
  }

  catchUp(a: number, b: number): void {
    const client = this.clients.get(SESSIONS[a % SESSIONS.length] as string);
    if (!client?.pending) return;
    this.commit();
    if (b % 3 === 0) {
      client.receive("applySnapshot", this.encoder.snapshot(), this.encoder.ownerSnapshot(client.session));
    } else if (!client.pending.isEmpty) {
      const { patch, own } = client.pending.encode(this.encoder, client.session);
      client.receive("applyPatch", patch, own);
    }
    client.pending = undefined;
    this.check();
  }

  /** The room goes on in another process. */
  restart(): void {
    this.commit();
    const bytes = this.encoder.serialize();
    const restored = StateEncoder.restore(Root, bytes);
    expect(restored.serialize()).toEqual(bytes);
    expect(restored.snapshot()).toEqual(this.encoder.snapshot());
    expect(restored.hash()).toBe(this.encoder.hash());
    this.encoder = restored;
  }

  check(): void {
    expectSame(projectState(Root, this.encoder.root), projectShadow(this.shadow, undefined));
    for (const client of this.clients.values()) {
      if (client.pending) continue;
      expectSame(projectState(Root, client.mirror.state), projectShadow(this.shadow, client.session));
      expect(client.mirror.hash()).toBe(this.encoder.hash());
    }
  }
}

/** The same end in several ways. */
function changeList(live: LiveList<number>, values: readonly number[], way: number): void {
  if (way % 3 === 0) return live.replace(values);
  if (way % 3 === 1) live.clear();
  while (live.length > values.length) live.pop();
  values.forEach((value, i) => {
    if (i < live.length) live.set(i, value);
    else live.push(value);
  });
}

function refSchema(field: Field): EntitySchema | undefined {
  if (field.kind === "owner" || field.kind === "optional") return refSchema(field.of);
  return field.kind === "ref" ? ((field.target as () => unknown)() as EntitySchema) : undefined;
}

function expectSame(actual: Plain, expected: Plain): void {
  // The quick comparison first: the one that explains is slow.
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected);
}

type Command = readonly [what: keyof World & string, a: number, b: number, c: number];

const command: fc.Arbitrary<Command> = fc.tuple(
  fc.oneof(
    ...(
      [
        ["assign", 10],
        ["add", 6],
        ["remove", 3],
        ["clear", 1],
        ["commit", 5],
        ["join", 3],
        ["leave", 1],
        ["skip", 2],
        ["catchUp", 2],
        ["restart", 1],
      ] as const
    ).map(([what, weight]) => ({ arbitrary: fc.constant(what), weight })),
  ),
  fc.nat(63),
  fc.nat(63),
  fc.nat(1_000),
);

test("every mirror equals the server's state after any history", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
      const world = new World();
      for (const [what, a, b, c] of commands)
        (world[what] as (a: number, b: number, c: number) => void)(a, b, c);
      for (const session of SESSIONS.keys()) world.catchUp(session, session);
      world.commit();
    }),
    { numRuns: RUNS },
  );
});
