/**
 * Bytes that are damaged or hostile: they apply or throw SchemaError, and a snapshot puts the mirror right after.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  describe,
  entity,
  LIST_LENGTH_MAX,
  list,
  Mirror,
  map,
  SchemaError,
  StateEncoder,
  u8,
} from "../../../shared/schema/index.ts";
import { Observer } from "./observer.ts";
import { Root } from "./rich-schema.ts";
import { projectState } from "./shadow.ts";

const DESCRIPTOR = describe(Root);

/** A state, and every kind of bytes that leads to it. */
function scene() {
  const encoder = new StateEncoder(Root);
  const { units, drops } = encoder.root;
  const a = units.set("a", { name: "Ann", route: [1, 2, 3], hand: ["x", "y"], nick: "A" });
  a.items.set("sword", { label: "Sword", tags: ["sharp", "日本"] });
  units.set("b", { h: 0.1, g: 0.2, lucky: 5 }).target = a;
  encoder.root.king = a;
  encoder.commit();
  const before = encoder.snapshot();
  a.favourite = drops.set("gem", { holder: a });
  a.q2 = 7;
  a.route.push(9);
  a.ammo = 9;
  a.hand.push("z");
  units.delete("b");
  units.set("b", {}).items.set("bow", {});
  encoder.root.board.replace([1, 2, 3]);
  const { patch, ownerPatches } = encoder.commit();
  const own = ownerPatches.get("a") ?? new Uint8Array(0);
  return { encoder, before, patch, own, after: encoder.snapshot(), checkpoint: encoder.serialize() };
}

const { encoder, before, patch, own, after, checkpoint } = scene();

function orSchemaError(apply: () => void): boolean {
  try {
    apply();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError);
    return false;
  }
}

/** Applies bytes to a mirror that is a step behind, and then a good snapshot. */
function feed(kind: "applyPatch" | "applySnapshot" | "applyOwn", bytes: Uint8Array): boolean {
  const mirror = new Mirror<typeof Root>(DESCRIPTOR);
  mirror.applySnapshot(before);
  if (kind === "applyOwn") mirror.applyPatch(patch);
  const applied = orSchemaError(() => mirror[kind](bytes));
  mirror.applySnapshot(after);
  expect(mirror.hash()).toBe(encoder.hash());
  new Observer(Root, mirror).check(() => mirror.applySnapshot(after));
  return applied;
}

const good = { applyPatch: patch, applySnapshot: after, applyOwn: own } as const;
const kinds = Object.keys(good) as (keyof typeof good)[];

test("the scene is whole", () => {
  for (const kind of kinds) expect(feed(kind, good[kind])).toBe(true);
});

test.each(kinds)("%s: cut short anywhere", (kind) => {
  const bytes = good[kind];
  let refused = 0;
  for (let length = 0; length < bytes.length; length++) if (!feed(kind, bytes.subarray(0, length))) refused++;
  // Only a cut between two pieces leaves something whole.
  expect(refused).toBeGreaterThan(bytes.length * 0.8);
});

test.each(kinds)("%s: any bytes changed", (kind) => {
  const bytes = good[kind];
  const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(edits, (changes) => {
      const damaged = bytes.slice();
      for (const [at, value] of changes) damaged[at] = value;
      feed(kind, damaged);
    }),
    { numRuns: 1_000 },
  );
});

test.each(kinds)("%s: any bytes at all", (kind) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      feed(kind, bytes);
    }),
    { numRuns: 1_000 },
  );
});

test("what a damaged patch did is told with the next snapshot", () => {
  const intact = new Mirror<typeof Root>(DESCRIPTOR);
  intact.applySnapshot(after);
  const whole = projectState(Root, intact.state);
  for (let length = 0; length < patch.length; length++) {
    const mirror = new Mirror<typeof Root>(DESCRIPTOR);
    mirror.applySnapshot(before);
    const heard: string[] = [];
    mirror.state.units.onRemove((_, key) => heard.push(`removed ${key}`));
    mirror.state.units.onAdd((_, key) => heard.push(`added ${key}`));
    mirror.state.drops.onAdd((_, key) => heard.push(`added ${key}`));
    mirror.state.units.onChange((_, key, fields) => heard.push(`changed ${key} ${fields.join()}`));
    orSchemaError(() => mirror.applyPatch(patch.subarray(0, length)));
    mirror.applySnapshot(after);
    const told = new Set(heard.flatMap((what) => what.split(",")));
    for (const what of ["removed b", "added b", "added gem", "changed a q2"]) expect(told).toContain(what);
    expect(projectState(Root, mirror.state)).toEqual(whole);
  }
});

test("what came with a damaged patch and is not in the snapshot was never there", () => {
  const mirror = new Mirror<typeof Root>(DESCRIPTOR);
  mirror.applySnapshot(before);
  const room = StateEncoder.restore(Root, checkpoint);
  room.root.drops.set("ghost", {});
  const { patch: ghost } = room.commit();
  new Observer(Root, mirror).check(() => {
    expect(() => mirror.applyPatch(Uint8Array.from([...ghost, 0xff]))).toThrow(SchemaError);
    expect(mirror.state.drops.has("ghost")).toBe(true);
    mirror.applySnapshot(before);
  });
  expect(mirror.state.drops.has("ghost")).toBe(false);
});

test("an entity cannot be put into itself", () => {
  const schema = entity({ as: map(entity({ bs: map(entity({ cs: map(entity({})) })) })) });
  const room = new StateEncoder(schema);
  room.root.as.set("a", { bs: { b: {} } });
  room.commit();
  const mirror = new Mirror<typeof schema>(describe(schema));
  mirror.applySnapshot(room.snapshot());
  // Adds entity 2, which is "a", to the map of entity 3, which is "b" inside it.
  expect(() => mirror.applySnapshot(Uint8Array.of(2 * 4 + 1, 3, 0, 1, 97))).toThrow(SchemaError);
  mirror.applySnapshot(room.snapshot());
  expect(mirror.hash()).toBe(room.hash());
});

test("a list on the wire has a limit", () => {
  const schema = entity({ cells: list(u8) });
  const patchOf = (length: number) =>
    Uint8Array.from([
      4,
      1,
      (length & 127) | 128,
      ((length >> 7) & 127) | 128,
      length >> 14,
      ...Array(length).fill(0),
    ]);
  const mirror = new Mirror<typeof schema>(describe(schema));
  mirror.applyPatch(patchOf(LIST_LENGTH_MAX));
  expect(mirror.state.cells.length).toBe(LIST_LENGTH_MAX);
  expect(() => mirror.applyPatch(patchOf(LIST_LENGTH_MAX + 1))).toThrow("too long");
});

test("a damaged checkpoint restores or throws SchemaError", () => {
  const edits = fc.array(fc.tuple(fc.nat(checkpoint.length - 1), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(edits, fc.nat(checkpoint.length), (changes, length) => {
      const damaged = checkpoint.slice(0, length);
      for (const [at, value] of changes) if (at < length) damaged[at] = value;
      orSchemaError(() => StateEncoder.restore(Root, damaged).commit());
    }),
    { numRuns: 1_000 },
  );
});
