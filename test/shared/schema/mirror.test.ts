/** The client's side: identity of views, listeners, and snapshots over a state that is there already. */
import { describe, expect, test } from "vitest";
import {
  bool,
  describe as describeSchema,
  entity,
  list,
  Mirror,
  map,
  owner,
  ref,
  StateEncoder,
  string,
  u8,
} from "../../../shared/schema/index.ts";

const Item = entity({ n: u8 });
const Player = entity({
  hp: u8,
  alive: bool,
  ammo: owner(u8),
  hand: owner(list(u8)),
  word: owner(string),
  target: ref(() => Player),
  items: map(Item),
});
const State = entity({ phase: u8, board: list(u8), players: map(Player) });

function setup() {
  const encoder = new StateEncoder(State);
  const mirror = new Mirror<typeof State>(describeSchema(State));
  mirror.applySnapshot(encoder.snapshot());
  const sync = () => mirror.applyPatch(encoder.commit().patch);
  return { encoder, mirror, sync, players: encoder.root.players, views: mirror.state.players };
}

test("a mirror works from a description that went through JSON", () => {
  const encoder = new StateEncoder(State);
  encoder.root.players.set("a", { hp: 7 });
  encoder.commit();
  const mirror = new Mirror<typeof State>(JSON.parse(JSON.stringify(describeSchema(State))));
  mirror.applySnapshot(encoder.snapshot());
  expect(mirror.state.players.get("a")?.hp).toBe(7);
  expect(mirror.hash()).toBe(encoder.hash());
});

test("views look like plain objects, and are the mirror's to write", () => {
  const { players, sync, views } = setup();
  players.set("a", { hp: 7 });
  sync();
  const view = views.get("a");
  const names = ["hp", "alive", "target", "ammo", "hand", "word", "items"];
  expect(Object.keys(view ?? {})).toEqual(names);
  expect(JSON.parse(JSON.stringify(view))).toEqual({ hp: 7, alive: false, items: {} });
  expect(() => Object.assign(view ?? {}, { hp: 8 })).toThrow(TypeError);
  expect(view?.hp).toBe(7);
  expect({ ...views.get("a") }).toMatchObject({ hp: 7, alive: false, ammo: undefined, target: undefined });
  expect([views.size, views.has("a"), views.has("b"), [...views.keys()]]).toEqual([1, true, false, ["a"]]);
  expect([...views.entries()]).toEqual([...views]);
  const seen: string[] = [];
  views.forEach((_, key) => {
    seen.push(key);
  });
  expect(seen).toEqual(["a"]);
});

describe("listeners", () => {
  test("hear of removed, added, changed, in this order, when all is applied", () => {
    const { encoder, mirror, players, sync, views } = setup();
    players.set("old", {});
    const stays = players.set("stays", { hp: 1 });
    sync();
    const heard: string[] = [];
    const note = (what: string) => {
      expect(mirror.hash()).toBe(encoder.hash());
      heard.push(what);
    };
    views.onChange((player, key, fields) => note(`changed ${key} ${fields.join()} ${player.hp}`));
    views.onAdd((player, key) => note(`added ${key} ${player.hp}`));
    views.onRemove((_, key) => note(`removed ${key}`));
    mirror.onChange(mirror.state, (fields) => note(`root ${fields.join()}`));
    stays.hp = 2;
    stays.alive = true;
    encoder.root.board.push(1);
    players.set("new", { hp: 3 });
    players.delete("old");
    sync();
    expect(heard).toEqual(["removed old", "added new 3", "changed stays hp,alive 2", "root board"]);
  });

  test("stop when unsubscribed, each by itself", () => {
    const { players, sync, views } = setup();
    let calls = 0;
    const listener = () => {
      calls++;
    };
    const stop = [views.onAdd(listener), views.onAdd(listener)];
    players.set("a", {});
    sync();
    expect(calls).toBe(2);
    stop[0]?.();
    players.set("b", {});
    sync();
    expect(calls).toBe(3);
    stop[1]?.();
    players.set("c", {});
    sync();
    expect(calls).toBe(3);
  });

  test("a listener's error is thrown when the others were called", () => {
    const { players, sync, views } = setup();
    const heard: string[] = [];
    views.onAdd(() => {
      throw new Error("mine");
    });
    views.onAdd((_, key) => {
      heard.push(key);
    });
    players.set("a", {});
    players.set("b", {});
    expect(sync).toThrow("mine");
    expect(heard).toEqual(["a", "b"]);
    sync();
    expect(heard).toEqual(["a", "b"]);
  });

  test("of a nested map, added in its holder's onAdd, hear of what came with the holder", () => {
    const { players, sync, views } = setup();
    const heard: string[] = [];
    views.onAdd((player, key) => {
      player.items.onAdd((item, itemKey) => {
        heard.push(`+${key}.${itemKey}=${item.n}`);
      });
      player.items.onRemove((_, itemKey) => {
        heard.push(`-${key}.${itemKey}`);
      });
    });
    views.onRemove((_, key) => {
      heard.push(`-${key}`);
    });
    players.set("a", { items: { i: { n: 5 } } });
    sync();
    players.delete("a");
    sync();
    expect(heard).toEqual(["+a.i=5", "-a.i", "-a"]);
  });

  test("a ref changes when its target goes", () => {
    const { players, sync, views, mirror } = setup();
    players.set("a", {}).target = players.set("b", {});
    sync();
    const view = views.get("a");
    expect(view?.target).toBe(views.get("b"));
    const heard: string[] = [];
    mirror.onChange(view ?? {}, (fields) => heard.push(...fields));
    players.delete("b");
    sync();
    expect([view?.target, heard]).toEqual([undefined, ["target"]]);
    expect(() => mirror.onChange({}, () => undefined)).toThrow(TypeError);
    players.delete("a");
    sync();
    expect(() => mirror.onChange(view ?? {}, () => undefined)).toThrow(TypeError);
    expect(() => mirror.onChange(setup().mirror.state, () => undefined)).toThrow(TypeError);
  });
});

describe("snapshots", () => {
  test("over an older state keep what is in both, and tell of differences", () => {
    const { encoder, players, sync, views, mirror } = setup();
    const same = players.set("same", {});
    const changes = players.set("changes", {});
    players.set("goes", {});
    const replaced = players.set("replaced", {});
    same.target = replaced;
    sync();
    const before = new Map(views.entries());
    const heard: string[] = [];
    views.onChange((_, key, fields) => heard.push(`changed ${key} ${fields.join()}`));
    views.onAdd((_, key) => heard.push(`added ${key}`));
    views.onRemove((_, key) => heard.push(`removed ${key}`));
    changes.hp = 5;
    same.hp = 5;
    same.hp = 0;
    players.delete("goes");
    players.set("replaced", {});
    players.set("comes", {});
    encoder.commit();
    mirror.applySnapshot(encoder.snapshot());
    expect(views.get("same")).toBe(before.get("same"));
    expect(views.get("changes")).toBe(before.get("changes"));
    expect(views.get("replaced")).not.toBe(before.get("replaced"));
    expect(heard.sort()).toEqual([
      "added comes",
      "added replaced",
      "changed changes hp",
      "changed same target",
      "removed goes",
      "removed replaced",
    ]);
    expect(mirror.hash()).toBe(encoder.hash());
    heard.length = 0;
    mirror.applySnapshot(encoder.snapshot());
    expect(heard).toEqual([]);
  });

  test("of a room that went back to a checkpoint and made others with the same ids", () => {
    const { encoder, players, sync, views, mirror } = setup();
    const checkpoint = encoder.serialize();
    players.set("a", { items: { i: {} } });
    players.set("b", {});
    sync();
    const restored = StateEncoder.restore(State, checkpoint);
    restored.root.players.set("b", {});
    restored.root.players.set("c", { items: { j: {} } });
    restored.commit();
    mirror.applySnapshot(restored.snapshot());
    expect([...views.keys()].sort()).toEqual(["b", "c"]);
    expect(mirror.hash()).toBe(restored.hash());
  });
});

test("private fields are unknown until they are sent, empty ones too", () => {
  const { encoder, players, mirror, views } = setup();
  players.set("ann", {});
  const change = encoder.commit();
  mirror.applyPatch(change.patch);
  const ann = views.get("ann");
  expect([ann?.ammo, ann?.hand, ann?.word]).toEqual([undefined, undefined, undefined]);
  const heard: string[] = [];
  views.onChange((_, __, fields) => heard.push(...fields));
  mirror.applyOwn(change.ownerPatches.get("ann") ?? new Uint8Array(0));
  expect([ann?.ammo, ann?.hand, ann?.word]).toEqual([0, [], ""]);
  expect(heard).toEqual(["ammo", "hand", "word"]);
});

test("a ref to an entity of another kind shows nothing", () => {
  const Goal = entity({ n: u8 });
  const Hunter = entity({ goal: ref(() => Goal) });
  const Hunt = entity({ hunters: map(Hunter), goals: map(Goal) });
  const encoder = new StateEncoder(Hunt);
  for (const key of ["a", "b"]) encoder.root.hunters.set(key, {});
  encoder.root.goals.set("c", {});
  encoder.commit();
  const mirror = new Mirror<typeof Hunt>(describeSchema(Hunt));
  mirror.applySnapshot(encoder.snapshot());
  // A CHANGE of entity 2, the first hunter: its one field is the id of another entity.
  const refer = (id: number) => mirror.applyPatch(Uint8Array.of(2 * 4, 1, id));
  refer(4);
  expect(mirror.state.hunters.get("a")?.goal).toBe(mirror.state.goals.get("c"));
  refer(3);
  expect(mirror.state.hunters.get("a")?.goal).toBeUndefined();
});
