/** The server's side: entities and their lives, what is encoded when, and for whom. */
import { describe, expect, test } from "vitest";
import {
  describe as describeSchema,
  entity,
  idOf,
  list,
  Mirror,
  map,
  optional,
  owner,
  PENDING_ENTITIES_MAX,
  PendingChanges,
  quantised,
  ref,
  SchemaError,
  StateEncoder,
  string,
  u8,
  u16,
  u32,
} from "../../../shared/schema/index.ts";

const Item = entity({ n: u8, code: owner(u32) }, "Item");
const Player = entity(
  {
    hp: u8,
    name: string,
    ammo: owner(u16),
    target: ref(() => Player),
    best: ref(() => Item),
    items: map(Item),
  },
  "Player",
);
const State = entity({ phase: u8, board: list(u8), players: map(Player) });

function setup() {
  const encoder = new StateEncoder(State);
  return { encoder, root: encoder.root, players: encoder.root.players };
}

function contains(bytes: Uint8Array | undefined, part: readonly number[]): boolean {
  return Buffer.from(bytes ?? []).includes(Buffer.from(part));
}

describe("commit", () => {
  test("encodes what changed, once", () => {
    const { encoder, root } = setup();
    root.phase = 3;
    const change = encoder.commit();
    // Id 1, a change; mask of the first field; its value.
    expect([...change.patch]).toEqual([1 * 4, 0b01, 3]);
    expect(change).toMatchObject({ isEmpty: false, changed: [{ id: 1, changedMask: 0b01 }], added: [] });
    expect(change.removed).toEqual([]);
    expect(encoder.commit()).toMatchObject({ isEmpty: true, patch: new Uint8Array(0) });
  });

  test("an added entity is a piece with its map, key and every public field", () => {
    const { encoder, players } = setup();
    players.set("k", { hp: 9, name: "Ann" });
    // Id 2, an addition; parent 1, map 0; key; hp, name, no target, no best.
    expect([...encoder.commit().patch]).toEqual([2 * 4 + 1, 1, 0, 1, 107, 9, 3, 65, 110, 110, 0, 0]);
  });

  test("what is absent already is not marked when it is taken away", () => {
    const encoder = new StateEncoder(entity({ n: optional(u8), q: optional(quantised(0, 1, 0.5)) }));
    Object.assign(encoder.root, { n: undefined, q: undefined });
    expect(encoder.hasChanges).toBe(false);
    Object.assign(encoder.root, { n: 0, q: 0 });
    expect(encoder.hasChanges).toBe(true);
  });

  test("equal values mark nothing", () => {
    const { encoder, root, players } = setup();
    const player = players.set("a", { hp: 1, name: "Ann", ammo: 5 });
    player.target = player;
    root.board.replace([1, 2]);
    encoder.commit();
    Object.assign(player, { hp: 1, name: "Ann", ammo: 5, target: player });
    root.phase = 0;
    root.board.replace([1, 2]);
    root.board.set(1, 2);
    expect(encoder.hasChanges).toBe(false);
  });

  test("what came and went within a step leaves no bytes", () => {
    const { encoder, players } = setup();
    players.set("a", {}).items.set("i", {});
    players.delete("a");
    expect(encoder.hasChanges).toBe(true);
    expect(encoder.commit().isEmpty).toBe(true);
    players.set("a", {});
    encoder.commit();
    players.get("a")?.items.set("i", {});
    players.clear();
    expect([...encoder.commit().patch]).toEqual([4 * 4 + 2]);
  });
});

describe("lives of entities", () => {
  test("ids grow and are never used again, across a checkpoint too", () => {
    const { encoder, players } = setup();
    const ids = [idOf(encoder.root), idOf(players.set("a", {})), idOf(players.set("a", {}))];
    players.delete("a");
    encoder.commit();
    const restored = StateEncoder.restore(State, encoder.serialize());
    ids.push(idOf(restored.root.players.set("a", {})));
    expect(ids).toEqual([1, 2, 3, 4]);
    expect(() => idOf({})).toThrow(TypeError);
  });

  test("a ref to what is gone reads as undefined, nested entities included", () => {
    const { players } = setup();
    const [a, b] = [players.set("a", {}), players.set("b", {})];
    a.target = b;
    a.best = b.items.set("i", {});
    expect(a.best).toBe(b.items.get("i"));
    players.delete("b");
    expect([a.target, a.best]).toEqual([undefined, undefined]);
    a.target = b;
    expect(a.target).toBe(undefined);
  });

  test("set on a key in use makes a new entity at the end", () => {
    const { players } = setup();
    const first = players.set("a", { hp: 1 });
    players.set("b", { hp: 2 });
    const second = players.set("a", { name: "new" });
    expect(second).not.toBe(first);
    expect([second.hp, [...players.keys()]]).toEqual([0, ["b", "a"]]);
    expect([...players.values()].map((player) => player.hp)).toEqual([2, 0]);
  });

  test("a failed set leaves the state as it was", () => {
    const { encoder, players } = setup();
    const first = players.set("a", { hp: 1 });
    encoder.commit();
    expect(() => players.set("a", { hp: 256 })).toThrow("Player.hp cannot hold 256");
    expect(players.get("a")).toBe(first);
    expect(encoder.hasChanges).toBe(false);
  });

  test("what is gone can be read and written, but holds nothing new", () => {
    const { encoder, players } = setup();
    const player = players.set("a", { hp: 5 });
    encoder.commit();
    players.delete("a");
    encoder.commit();
    player.hp -= 1;
    expect(player.hp).toBe(4);
    expect(encoder.hasChanges).toBe(false);
    expect(() => player.items.set("i", {})).toThrow(
      "Player.items: the entity that holds this map was removed",
    );
    expect(players.delete("a")).toBe(false);
  });

  test("nested values may come with the entity", () => {
    const { encoder, root, players } = setup();
    players.set("a", { items: { i: { n: 1 }, j: { n: 2 } } });
    expect(players.get("a")?.items.get("j")?.n).toBe(2);
    encoder.commit();
    const mirror = new Mirror<typeof State>(describeSchema(State));
    mirror.applySnapshot(encoder.snapshot());
    expect(mirror.state.players.get("a")?.items.get("j")?.n).toBe(2);
    expect([...root.players].length).toBe(1);
  });
});

describe("private fields", () => {
  test("are in the owner's bytes alone", () => {
    const { encoder, players } = setup();
    const secret = [0xef, 0xbe, 0xad, 0xde];
    players.set("ann", { items: { i: {} } }).items.set("sword", { code: 0xdeadbeef });
    players.get("ann")?.items.set("gift", { code: 0xdeadbeef }, { owner: "bob" });
    const change = encoder.commit();
    // "sword" is owned by the session of that name: the owner is the key unless another is given.
    expect([...change.ownerPatches.keys()]).toEqual(
      ["ann", "i", "sword", "gift", "bob"].filter((k) => k !== "gift"),
    );
    expect(contains(change.ownerPatches.get("bob"), secret)).toBe(true);
    expect(contains(change.ownerPatches.get("ann"), secret)).toBe(false);
    expect(contains(change.patch, secret)).toBe(false);
    expect(contains(encoder.snapshot(), secret)).toBe(false);
    expect(contains(encoder.ownerSnapshot("bob"), secret)).toBe(true);
    expect(contains(encoder.ownerSnapshot("ann"), secret)).toBe(false);
    expect(encoder.ownerSnapshot("nobody")).toBe(undefined);
  });

  test("change nothing public", () => {
    const { encoder, players } = setup();
    const player = players.set("ann", {});
    encoder.commit();
    const [snapshot, hash] = [encoder.snapshot(), encoder.hash()];
    player.ammo = 7;
    const change = encoder.commit();
    expect([change.isEmpty, change.patch.length, change.ownerPatches.size]).toEqual([false, 0, 1]);
    expect(encoder.snapshot()).toBe(snapshot);
    expect(encoder.hash()).toBe(hash);
  });

  test("are forgotten with the entity", () => {
    const { encoder, players } = setup();
    players.set("ann", { ammo: 1 });
    players.delete("ann");
    encoder.commit();
    expect(encoder.ownerSnapshot("ann")).toBe(undefined);
  });

  test("cannot be the root's", () => {
    expect(() => new StateEncoder(entity({ secret: owner(u8) }))).toThrow(SchemaError);
  });
});

describe("output", () => {
  test("speaks of committed state only", () => {
    const { encoder, root } = setup();
    root.phase = 1;
    const pending = new PendingChanges();
    for (const ask of [
      () => encoder.snapshot(),
      () => encoder.ownerSnapshot("a"),
      () => encoder.hash(),
      () => encoder.serialize(),
      () => pending.encode(encoder, "a"),
    ]) {
      expect(ask).toThrow("not committed");
    }
  });

  test("the snapshot is kept until something public changes", () => {
    const { encoder, root } = setup();
    const first = encoder.snapshot();
    encoder.commit();
    expect(encoder.snapshot()).toBe(first);
    root.phase = 1;
    encoder.commit();
    expect(encoder.snapshot()).not.toBe(first);
  });

  test("patches are not touched by later commits", () => {
    const { encoder, root } = setup();
    root.phase = 1;
    const { patch } = encoder.commit();
    root.phase = 2;
    encoder.commit();
    expect([...patch]).toEqual([4, 1, 1]);
  });

  test("hashes differ where states do", () => {
    const { encoder, root, players } = setup();
    const seen = new Set<number>();
    const note = () => {
      encoder.commit();
      seen.add(encoder.hash());
    };
    note();
    root.phase = 1;
    note();
    root.board.push(0);
    note();
    root.board.push(0);
    note();
    const a = players.set("a", {});
    note();
    const b = players.set("b", {});
    note();
    a.target = b;
    note();
    a.name = "Ann";
    note();
    expect(seen.size).toBe(8);
  });
});

test("the hash does not see a ref to what is gone", () => {
  const { encoder, players } = setup();
  const a = players.set("a", {});
  encoder.commit();
  const hash = encoder.hash();
  a.target = players.set("b", {});
  encoder.commit();
  expect(encoder.hash()).not.toBe(hash);
  players.delete("b");
  encoder.commit();
  expect(encoder.hash()).toBe(hash);
});

describe("checkpoints", () => {
  test("keep owners, private fields and refs", () => {
    const { encoder, players } = setup();
    const ann = players.set("ann", { ammo: 3 }, { owner: "her-session" });
    players.set("bob", { ammo: 4 }).target = ann;
    encoder.commit();
    const restored = StateEncoder.restore(State, encoder.serialize());
    expect(restored.hasChanges).toBe(false);
    expect(restored.ownerSnapshot("her-session")).toEqual(encoder.ownerSnapshot("her-session"));
    const { players: again } = restored.root;
    expect([again.get("ann")?.ammo, again.get("bob")?.target]).toEqual([3, again.get("ann")]);
    again.delete("ann");
    expect(again.get("bob")?.target).toBe(undefined);
  });

  test("are of one schema", () => {
    const bytes = new StateEncoder(State).serialize();
    expect(() => StateEncoder.restore(entity({ phase: u8 }), bytes)).toThrow("another schema");
    expect(() => StateEncoder.restore(State, new Uint8Array([9]))).toThrow("another format");
  });
});

test("a checkpoint's ids grow, and its entities have a holder", () => {
  const schema = entity({ things: map(entity({ n: u8 })) });
  const encoder = new StateEncoder(schema);
  encoder.root.things.set("a", {});
  encoder.root.things.set("b", {});
  encoder.commit();
  const bytes = encoder.serialize();
  // Version, hash and its length, next id; then id, parent, map, length of the key, key, owner, n of each.
  const [nextIdAt, secondAt] = [10, 18];
  expect([bytes[nextIdAt], bytes[secondAt], bytes[secondAt + 1], bytes[secondAt + 2]]).toEqual([4, 3, 1, 0]);
  for (const [at, value] of [
    [secondAt, 2],
    [secondAt, 1],
    [secondAt, 4],
    [secondAt + 1, 9],
    [secondAt + 2, 1],
  ] as const) {
    expect(() => StateEncoder.restore(schema, bytes.with(at, value))).toThrow("has no place");
  }
});

describe("pending changes", () => {
  test("of many steps are one small patch with the values of now", () => {
    const { encoder, root, players } = setup();
    const pending = new PendingChanges();
    for (let i = 1; i <= 100; i++) {
      root.phase = i;
      players.set("a", { hp: i });
      pending.add(encoder.commit());
    }
    expect(pending.isEmpty).toBe(false);
    const { patch, own } = pending.encode(encoder, "a");
    expect(patch.length).toBeLessThan(20);
    expect(own).toBeDefined();
    expect(pending.encode(encoder, "b").own).toBe(undefined);
    const mirror = new Mirror<typeof State>(describeSchema(State));
    mirror.applyPatch(patch);
    expect(mirror.hash()).toBe(encoder.hash());
  });

  test("what came and went is not remembered", () => {
    const { encoder, players } = setup();
    const pending = new PendingChanges();
    players.set("a", {});
    pending.add(encoder.commit());
    players.delete("a");
    pending.add(encoder.commit());
    expect(pending.isEmpty).toBe(true);
    expect(pending.encode(encoder, "a").patch.length).toBe(0);
  });

  test("overflow, and begin anew", () => {
    const { encoder, root, players } = setup();
    const pending = new PendingChanges();
    for (let i = 0; i < PENDING_ENTITIES_MAX; i++) players.set(`p${i}`, {});
    pending.add(encoder.commit());
    expect(pending.overflowed).toBe(false);
    root.phase = 1;
    pending.add(encoder.commit());
    expect([pending.overflowed, pending.isEmpty]).toEqual([true, false]);
    expect(() => pending.encode(encoder, "a")).toThrow("snapshot");
    pending.clear();
    expect([pending.overflowed, pending.isEmpty]).toEqual([false, true]);
  });
});
