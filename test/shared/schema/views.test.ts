/** Spatial maps: how they are declared, and that what is encoded for all clients has nothing of them. */
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bool,
  describe as describeSchema,
  type EntitySchema,
  entity,
  f32,
  list,
  type MapField,
  map,
  optional,
  owner,
  PendingChanges,
  quantised,
  ref,
  SchemaError,
  StateEncoder,
  string,
  u8,
} from "../../../shared/schema/index.ts";

const Item = entity({ name: string, price: owner(u8) }, "Item");
const Creature = entity(
  {
    x: quantised(0, 100, 1),
    y: f32,
    name: string,
    alive: bool,
    height: optional(u8),
    route: list(u8),
    mood: owner(u8),
    friend: ref(() => Creature),
    items: map(Item),
  },
  "Creature",
);
const State = entity({ creatures: map(Creature, { spatial: ["x", "y"] }), items: map(Item) }, "State");

describe("a spatial map", () => {
  test("is described like any other: clients need not know", () => {
    const plain = entity({ creatures: map(Creature), items: map(Item) }, "State");
    expect(describeSchema(State)).toEqual(describeSchema(plain));
    expect(new StateEncoder(State).spatial).toBeDefined();
    expect(new StateEncoder(plain).spatial).toBe(undefined);
  });

  test("has two of its entities' numbers for coordinates", () => {
    expectTypeOf(map<typeof Creature>)
      .parameter(1)
      .toEqualTypeOf<{ readonly spatial?: readonly [x: "x" | "y", y: "x" | "y"] } | undefined>();
  });

  test.each(["nothing", "name", "alive", "height", "route", "mood", "friend", "items"])(
    "cannot have %s for one",
    (name) => {
      const bad: MapField = { kind: "map", of: Creature, spatial: ["x", name] };
      expect(() => new StateEncoder(entity({ creatures: bad }))).toThrow(
        new SchemaError(`Creature.${name} is not a public number that is always there`),
      );
    },
  );

  test("cannot be inside a spatial entity, however deep", () => {
    const Bag = entity({ things: map(entity({ x: u8, y: u8 }), { spatial: ["x", "y"] }) }, "Bag");
    const Carrier = entity({ x: u8, y: u8, bags: map(Bag) }, "Carrier");
    const stateOf = (of: EntitySchema, spatial?: readonly [string, string]) =>
      new StateEncoder(entity({ things: { kind: "map", of, spatial } satisfies MapField }));
    expect(() => stateOf(Carrier, ["x", "y"])).toThrow(
      new SchemaError("Bag.things: a spatial map inside a spatial entity"),
    );
    expect(stateOf(Carrier).spatial).toBeDefined();
  });
});

describe("what is encoded for all clients", () => {
  function setup() {
    const encoder = new StateEncoder(State);
    const pending = new PendingChanges();
    return { encoder, pending, creatures: encoder.root.creatures };
  }

  test("has nothing of a spatial entity's life, nor of what is inside it", () => {
    const { encoder, pending, creatures } = setup();
    const empty = encoder.snapshot();
    const steps = [
      () => creatures.set("ann", { name: "Ann", mood: 7, items: { sword: { name: "Sword", price: 9 } } }),
      () => creatures.set("bob", { name: "Bob", friend: creatures.get("ann") }),
      () => Object.assign(creatures.get("ann") ?? {}, { x: 9, mood: 8 }),
      () => creatures.get("ann")?.items.set("shield", { name: "Shield" }, { owner: "ann" }),
      () => creatures.get("ann")?.items.delete("sword"),
      () => creatures.clear(),
    ];
    for (const step of steps) {
      step();
      const change = encoder.commit();
      expect(change.isEmpty).toBe(false);
      expect(change.patch).toHaveLength(0);
      expect([change.added, change.changed, change.removed]).toEqual([[], [], []]);
      expect(change.ownerPatches.size).toBe(0);
      expect(encoder.snapshot()).toEqual(empty);
      expect(encoder.ownerSnapshot("ann")).toBe(undefined);
      pending.add(change);
    }
    expect(pending.isEmpty).toBe(true);
  });

  test("has the same kinds of entities when they are elsewhere", () => {
    const { encoder, creatures } = setup();
    creatures.set("ann", { items: { ann: { name: "inside", price: 1 } } });
    encoder.root.items.set("ann", { name: "outside", price: 2 });
    const { patch, ownerPatches } = encoder.commit();
    for (const bytes of [patch, encoder.snapshot()]) {
      expect(Buffer.from(bytes).includes("outside")).toBe(true);
      expect(Buffer.from(bytes).includes("inside")).toBe(false);
    }
    // One piece: head, mask, the price.
    expect(ownerPatches.get("ann")).toEqual(new Uint8Array([4 * 4 + 3, 1, 2]));
    expect(encoder.ownerSnapshot("ann")).toEqual(ownerPatches.get("ann"));
  });

  test("is told apart in a checkpoint's state, too", () => {
    const { encoder, creatures } = setup();
    creatures.set("ann", { name: "Ann", mood: 3 });
    encoder.root.items.set("sword", { name: "Sword" });
    encoder.commit();
    const restored = StateEncoder.restore(State, encoder.serialize());
    expect(restored.snapshot()).toEqual(encoder.snapshot());
    expect(restored.hash()).toBe(encoder.hash());
    expect([...(restored.spatial?.entities() ?? [])].map(({ record }) => record.key)).toEqual(["ann"]);
  });
});
