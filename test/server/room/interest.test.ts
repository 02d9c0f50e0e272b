/** The promise of interest management: a client has exactly what it may see, and is never sent anything else. */
import fc from "fast-check";
import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { Client } from "../../../server/room/client.ts";
import { Interest, LEAVE_RADIUS_RATIO, Sight, type StatePatches } from "../../../server/room/interest.ts";
import { InterestGrid } from "../../../server/room/interest-grid.ts";
import {
  describe as describeSchema,
  entity,
  f64,
  idOf,
  type Live,
  Mirror,
  map,
  owner,
  ref,
  StateEncoder,
  string,
  u8,
} from "../../../shared/schema/index.ts";
import type { SpatialEncoder } from "../../../shared/schema/spatial-encoder.ts";
import { countLooks } from "./count-looks.ts";
import { SESSIONS, World } from "./interest-world.ts";

const RUNS = 2_000;

type Command = readonly [what: keyof World & string, a: number, b: number, c: number];

const command: fc.Arbitrary<Command> = fc.tuple(
  fc.oneof(
    ...(
      [
        ["add", 10],
        ["move", 8],
        ["assign", 8],
        ["remove", 3],
        ["clear", 1],
        ["view", 6],
        ["commit", 6],
        ["join", 4],
        ["leave", 1],
        ["resume", 1],
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

test("every mirror equals what its client may see after any history", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: "max" }), (commands) => {
      const world = new World();
      for (const session of SESSIONS.keys()) world.join(session);
      for (const [what, a, b, c] of commands)
        (world[what] as (a: number, b: number, c: number) => void)(a, b, c);
      for (const session of SESSIONS.keys()) world.catchUp(session, session);
      world.commit();
    }),
    { numRuns: RUNS },
  );
});

const Item = entity({ size: u8 }, "Item");
const Creature = entity(
  {
    x: f64,
    y: f64,
    name: string,
    friend: ref(() => Creature),
    mood: owner(u8),
    plan: owner(u8),
    items: map(Item),
  },
  "Creature",
);
const State = entity({ phase: u8, creatures: map(Creature, { spatial: ["x", "y"] }) }, "State");

describe("a client", () => {
  let encoder: StateEncoder<typeof State>;
  let interest: Interest;
  let client: Client;
  let sight: Sight;
  let mirror: Mirror<typeof State>;
  let ann: Live<typeof Creature>;

  /** Sends the client what has changed; `isSkipped` lets it miss that. */
  function step({ isSkipped = false } = {}): StatePatches {
    const { patch } = encoder.commit();
    interest.update();
    if (isSkipped) return { patch, own: undefined };
    const frame = interest.frame(sight, client, { patch, own: undefined });
    mirror.applyPatch(frame.patch);
    if (frame.own) mirror.applyOwn(frame.own);
    return frame;
  }

  function seen(): string[] {
    return [...mirror.state.creatures.keys()];
  }

  beforeEach(() => {
    encoder = new StateEncoder(State);
    interest = new Interest(encoder.spatial as SpatialEncoder);
    client = new Client({ send: () => undefined, kick: () => undefined }, "ann", 0, undefined);
    sight = new Sight();
    mirror = new Mirror(describeSchema(State));
    ann = encoder.root.creatures.set("ann", { name: "Ann", mood: 1, plan: 2 });
    client.view = { x: 0, y: 0, radius: 10 };
    step();
  });

  it("without a view sees nothing of spatial maps, and all else", () => {
    client.view = undefined;
    encoder.root.phase = 3;
    step();
    expect(seen()).toEqual([]);
    expect(mirror.state.phase).toBe(3);
  });

  it("refuses a view that is none", () => {
    for (const view of [
      { x: Number.NaN, y: 0, radius: 1 },
      { x: 0, y: Number.POSITIVE_INFINITY, radius: 1 },
      { x: 0, y: 0, radius: -1 },
      { x: 0, y: 0, radius: Number.POSITIVE_INFINITY },
      { x: 0, y: 0, radius: Number.NaN },
    ]) {
      expect(() => (client.view = view)).toThrow(RangeError);
    }
    expect(client.view).toEqual({ x: 0, y: 0, radius: 10 });
  });

  it("has a view that is what was set, whatever becomes of the object", () => {
    const view = { x: 0, y: 0, radius: 10 };
    client.view = view;
    view.radius = 0;
    ann.x = 9;
    step();
    expect(seen()).toEqual(["ann"]);
  });

  it("sees what comes up to the radius, and loses it beyond the leave radius only", () => {
    encoder.root.creatures.set("bob", { x: 10.01 });
    step();
    expect(seen()).toEqual(["ann"]);
    const leave = 10 * LEAVE_RADIUS_RATIO;
    const way = [
      [10, true],
      [leave, true],
      [leave + 0.01, false],
      [leave, false],
      [10.01, false],
      [10, true],
    ] as const;
    for (const [x, isSeen] of way) {
      ann.x = x;
      step();
      expect([x, seen().includes("ann")]).toEqual([x, isSeen]);
    }
  });

  it("gets of a change its bytes alone, and nothing when nothing it sees has changed", () => {
    const bob = encoder.root.creatures.set("bob", { x: 99 });
    step();
    ann.name = "A";
    bob.name = "B";
    // A change of Ann, mask of the name, the name.
    expect(step()).toEqual({ patch: new Uint8Array([idOf(ann) * 4, 0b100, 1, 65]), own: undefined });
    bob.name = "C";
    expect(step()).toEqual({ patch: new Uint8Array(0), own: undefined });
    client.view = { x: 1, y: 0, radius: 10 };
    expect(step()).toEqual({ patch: new Uint8Array(0), own: undefined });
  });

  it("gets of its private fields those that changed, once", () => {
    ann.mood = 5;
    expect(step().own).toEqual(new Uint8Array([idOf(ann) * 4 + 3, 0b01, 5]));
    ann.plan = 6;
    expect(step().own).toEqual(new Uint8Array([idOf(ann) * 4 + 3, 0b10, 6]));
    expect(step().own).toBe(undefined);
    ann.name = "A";
    expect(step().own).toBe(undefined);
    expect(mirror.state.creatures.get("ann")).toMatchObject({ mood: 5, plan: 6 });
  });

  it("gets all private fields again when what it owns comes back into view", () => {
    ann.x = 99;
    expect(step().own).toBe(undefined);
    ann.mood = 9;
    expect(step().own).toBe(undefined);
    ann.x = 0;
    expect(step().own).toEqual(new Uint8Array([idOf(ann) * 4 + 3, 0b11, 9, 2]));
  });

  it("follows a ref as soon as it sees whom it names", () => {
    const bob = encoder.root.creatures.set("bob", { x: 99 });
    ann.friend = bob;
    step();
    expect(mirror.state.creatures.get("ann")?.friend).toBe(undefined);
    bob.x = 1;
    step();
    expect(mirror.state.creatures.get("ann")?.friend).toBe(mirror.state.creatures.get("bob"));
    client.view = { x: -10, y: 0, radius: 10 };
    step();
    expect(mirror.state.creatures.get("ann")?.friend).toBeDefined();
    bob.x = 99;
    step();
    expect(mirror.state.creatures.get("ann")?.friend).toBe(undefined);
  });

  it("costs a look at what is near, not at everything", () => {
    for (let i = 1; i <= 2_000; i++) encoder.root.creatures.set(`c${i}`, { x: i * 100 });
    client.view = { x: 100_000, y: 0, radius: 500 };
    step();
    // Now the radius is known, and the grid is fitted to it.
    step();
    const collect = vi.spyOn(InterestGrid.prototype, "collect");
    step();
    const looks = countLooks(collect.mock.contexts[0] as InterestGrid);
    collect.mockRestore();
    step();
    expect(seen()).toHaveLength(11);
    expect(looks()).toBeLessThan(50);
  });

  it("is told of what took another's key", () => {
    encoder.root.creatures.set("ann", { name: "Anna", x: 5 });
    step();
    expect(mirror.state.creatures.get("ann")?.name).toBe("Anna");
    encoder.root.creatures.set("ann", { name: "Annie", x: 99 });
    step();
    expect(seen()).toEqual([]);
  });

  it("is not confused by entities that come in the place of others, however late it hears of them", () => {
    for (const key of ["b", "c", "d"]) encoder.root.creatures.set(key, { name: key });
    step();
    for (const key of ["b", "c", "d"]) encoder.root.creatures.delete(key);
    step({ isSkipped: true });
    encoder.root.creatures.set("e", { name: "e" });
    encoder.root.creatures.set("far", { name: "far", x: 99 });
    step({ isSkipped: true });
    encoder.root.creatures.set("f", { name: "f" });
    step();
    expect(Array.from(mirror.state.creatures, ([key, { name }]) => [key, name]).sort()).toEqual([
      ["ann", "Ann"],
      ["e", "e"],
      ["f", "f"],
    ]);
  });

  describe("that was skipped", () => {
    it("keeps what it knows, and gets the newest values", () => {
      const view = mirror.state.creatures.get("ann");
      for (const name of ["B", "C"]) {
        ann.name = name;
        ann.mood = name.charCodeAt(0);
        step({ isSkipped: true });
      }
      step();
      expect(mirror.state.creatures.get("ann")).toBe(view);
      expect(view).toMatchObject({ name: "C", mood: 67 });
      ann.x = 1;
      expect(step().patch).toHaveLength(2 + 8);
    });

    it("gets what was rebuilt inside as a new whole", () => {
      ann.items.set("a", { size: 1 });
      ann.items.set("b", { size: 2 });
      step();
      ann.items.delete("a");
      step({ isSkipped: true });
      ann.items.set("c", { size: 3 });
      step({ isSkipped: true });
      step();
      const items = mirror.state.creatures.get("ann")?.items ?? [];
      expect(Array.from(items, ([key, { size }]) => [key, size])).toEqual([
        ["b", 2],
        ["c", 3],
      ]);
    });

    it("gets nothing of what came and went meanwhile", () => {
      const bob = encoder.root.creatures.set("bob", {});
      step({ isSkipped: true });
      bob.x = 99;
      step({ isSkipped: true });
      expect(step().patch).toHaveLength(0);
    });
  });

  it("is served the same by an interest management that begins in the middle of a step", () => {
    encoder.root.creatures.set("bob", {});
    interest = new Interest(encoder.spatial as SpatialEncoder);
    step();
    expect(seen()).toEqual(["ann", "bob"]);
    encoder.root.creatures.delete("bob");
    step();
    encoder.root.creatures.set("cyd", {});
    step();
    expect(seen()).toEqual(["ann", "cyd"]);
  });
});
