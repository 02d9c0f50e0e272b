/** A state that was saved under another schema: what has the same name and fits is carried over, and nothing else. */
import { expect, test } from "vitest";
import {
  bool,
  describe,
  type EntitySchema,
  entity,
  f64,
  idOf,
  list,
  map,
  optional,
  owner,
  quantised,
  ref,
  SchemaError,
  StateEncoder,
  string,
  u8,
  u16,
  u32,
} from "../../../shared/schema/index.ts";
import { Root } from "./rich-schema.ts";

function carried<S extends EntitySchema>(from: StateEncoder<EntitySchema>, old: EntitySchema, schema: S) {
  from.commit();
  return StateEncoder.carryOver(schema, from.serialize(), describe(old));
}

test("into the same schema, everything: values, ids, owners, and what comes next", () => {
  const encoder = new StateEncoder(Root);
  const { units, drops } = encoder.root;
  const a = units.set("a", {
    name: "Ann",
    route: [1, 2, 3],
    hand: ["x", "y"],
    nick: "A",
    alive: true,
    q2: 7,
  });
  a.items.set("sword", { label: "Sword", tags: ["sharp"], price: 9 }, { owner: "bob" });
  units.set("b", { h: 0.1, g: 0.2, lucky: 5, maybe: false }).target = a;
  a.favourite = drops.set("gem", { holder: a });
  encoder.root.king = a;
  encoder.root.board.replace([-1, 2]);
  units.delete("b");
  encoder.commit();
  const { encoder: copy } = carried(encoder, Root, Root);
  expect(copy.hasChanges).toBe(false);
  expect(copy.serialize()).toEqual(encoder.serialize());
  expect(copy.hash()).toBe(encoder.hash());
  for (const session of ["a", "bob"])
    expect(copy.ownerSnapshot(session)).toEqual(encoder.ownerSnapshot(session));
  expect(idOf(copy.root.units.set("c", {}))).toBe(idOf(encoder.root.units.set("c", {})));
});

const OldItem = entity({ label: string }, "Item");
const OldPlayer = entity(
  {
    score: u32,
    tiny: u8,
    x: f64,
    name: string,
    title: optional(string),
    ready: bool,
    marks: list(u8),
    words: list(string),
    friend: ref(() => OldPlayer),
    pet: ref(() => OldItem),
    secret: u16,
    items: map(OldItem),
    wares: map(OldItem),
  },
  "Player",
);
const Old = entity(
  { round: u8, players: map(OldPlayer), ghosts: map(OldPlayer), kept: map(OldItem) },
  "State",
);

const NewItem = entity({ weight: u8, label: string }, "Item");
const NewPlayer = entity(
  {
    x: quantised(0, 10, 0.5),
    score: u8,
    tiny: u32,
    name: u8,
    title: string,
    ready: u8,
    marks: list(u16),
    words: list(u8),
    friend: ref(() => NewPlayer),
    pet: ref(() => NewPlayer),
    secret: owner(u16),
    wares: string,
    items: map(NewItem),
    level: quantised(1, 9, 1),
  },
  "Player",
);
const New = entity({ players: map(NewPlayer), kept: map(NewItem), round: optional(u16) }, "State");

function oldState() {
  const encoder = new StateEncoder(Old);
  encoder.root.round = 3;
  const gem = encoder.root.kept.set("gem", { label: "gem" });
  const ghost = encoder.root.ghosts.set("ghost", {});
  const ann = encoder.root.players.set("ann", {
    ...{ score: 70_000, tiny: 5, x: 7.3, name: "Ann", ready: true, marks: [1, 2], words: ["a"], secret: 9 },
    items: { hat: { label: "hat" } },
    wares: { rope: { label: "rope" } },
  });
  const bob = encoder.root.players.set("bob", { score: 7, title: "Sir", x: 99, friend: ghost, pet: gem });
  ann.friend = bob;
  return { encoder, ids: { ann: idOf(ann), bob: idOf(bob), gem: idOf(gem) } };
}

test("into another schema, what has the same name and fits; the rest has its defaults", () => {
  const { encoder: old, ids } = oldState();
  const { encoder } = carried(old, Old, New);
  const { root } = encoder;
  expect(root.round).toBe(3);
  expect([...root.players.keys(), ...root.kept.keys()]).toEqual(["ann", "bob", "gem"]);
  const ann = root.players.get("ann");
  const bob = root.players.get("bob");
  if (ann === undefined || bob === undefined) throw new Error("a player is missing");
  const { x, score, tiny, name, title, ready, level, secret, wares } = ann;
  expect({ x, score, tiny, name, title, ready, level, secret, wares }).toEqual({
    ...{ x: 7.5, score: 0, tiny: 5, name: 0, title: "", ready: 0, level: 1, secret: 9, wares: "" },
  });
  expect([[...ann.marks], [...ann.words]]).toEqual([[1, 2], []]);
  expect([ann.friend === bob, ann.items.get("hat")?.label, ann.items.get("hat")?.weight]).toEqual([
    true,
    "hat",
    0,
  ]);
  // Whom it referred to is gone, and a thing is no player.
  expect([bob.friend, bob.pet, bob.title, bob.score, bob.x]).toEqual([undefined, undefined, "Sir", 7, 10]);
  expect([idOf(ann), idOf(bob)]).toEqual([ids.ann, ids.bob]);
  // What has become private is its owner's.
  expect(encoder.ownerSnapshot("ann")).toBeDefined();
  expect(encoder.hasChanges).toBe(false);
  // Nothing of what was left behind comes to light again.
  expect(StateEncoder.restore(New, encoder.serialize()).hash()).toBe(encoder.hash());
});

test("what it was is told under its old names", () => {
  const { encoder: old } = oldState();
  const { before } = carried(old, Old, New);
  const blank = {
    tiny: 0,
    ready: false,
    marks: [],
    words: [],
    secret: 0,
    items: new Map(),
    wares: new Map(),
  };
  expect(before).toEqual({
    round: 3,
    kept: new Map([["gem", { label: "gem" }]]),
    ghosts: new Map([
      ["ghost", { ...blank, score: 0, x: 0, name: "", title: undefined, friend: undefined, pet: undefined }],
    ]),
    players: new Map([
      [
        "ann",
        {
          ...{ score: 70_000, tiny: 5, x: 7.3, name: "Ann", title: undefined, ready: true, secret: 9 },
          ...{ marks: [1, 2], words: ["a"], friend: "bob", pet: undefined },
          items: new Map([["hat", { label: "hat" }]]),
          wares: new Map([["rope", { label: "rope" }]]),
        },
      ],
      ["bob", { ...blank, score: 7, x: 99, name: "", title: "Sir", friend: "ghost", pet: "gem" }],
    ]),
  });
});

test("bytes that are not of the schema that is named are refused", () => {
  const { encoder: old } = oldState();
  old.commit();
  expect(() => StateEncoder.carryOver(New, old.serialize(), describe(New))).toThrow(SchemaError);
});

test("quantised values go over to another grid by what they are, not by their place on it", () => {
  const Old = entity({ x: quantised(-10, 10, 0.5), heading: optional(quantised(0, 6, 0.25)) });
  const New = entity({ x: quantised(0, 100, 1), heading: optional(quantised(-6, 6, 0.5)) });
  const encoder = new StateEncoder(Old);
  Object.assign(encoder.root, { x: 7, heading: 1.5 });
  const { encoder: into, before } = carried(encoder, Old, New);
  expect(before).toEqual({ x: 7, heading: 1.5 });
  expect([into.root.x, into.root.heading]).toEqual([7, 1.5]);
  const { encoder: same } = carried(encoder, Old, Old);
  expect([same.root.x, same.root.heading]).toEqual([7, 1.5]);
});
