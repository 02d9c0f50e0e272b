/** [S3] Where the same fields of several entities have changed, they share one piece of the patch. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  describe,
  entity,
  Mirror,
  map,
  SchemaError,
  StateEncoder,
  u8,
  u16,
} from "../../../shared/schema/index.ts";

const Pawn = entity({ x: u16, y: u16, hp: u8 });
const Flag = entity({ n: u8 });
const State = entity({ pawns: map(Pawn), flags: map(Flag) });

/** Pawns have the ids 2, 3, ..., and the flags those after them. */
function withPawns(count: number, flags = 0) {
  const encoder = new StateEncoder(State);
  for (let n = 0; n < count; n++) encoder.root.pawns.set(`p${n}`, {});
  for (let n = 0; n < flags; n++) encoder.root.flags.set(`f${n}`, {});
  encoder.commit();
  const mirror = new Mirror<typeof State>(describe(State));
  mirror.applySnapshot(encoder.snapshot());
  return { encoder, mirror };
}

test("whichever entities change, in whatever order, and whatever fields, the mirror is equal", () => {
  const field = fc.constantFrom("x", "y", "hp");
  const change = fc.record({ pawn: fc.nat(19), field, value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 5 }), (steps) => {
      const { encoder, mirror } = withPawns(20, 4);
      for (const changes of steps) {
        for (const { pawn, field, value } of changes) {
          const live = encoder.root.pawns.get(`p${pawn}`);
          if (live !== undefined) live[field as "hp"] = value;
        }
        for (const flag of encoder.root.flags.values()) flag.n = changes.length % 256;
        mirror.applyPatch(encoder.commit().patch);
        expect(mirror.hash()).toBe(encoder.hash());
      }
    }),
    { numRuns: 300 },
  );
});

test("the last entity may be the first that has changed", () => {
  const { encoder, mirror } = withPawns(6);
  for (const n of [5, 0, 3, 1, 4]) {
    const pawn = encoder.root.pawns.get(`p${n}`);
    if (pawn !== undefined) pawn.x = 100 + n;
  }
  mirror.applyPatch(encoder.commit().patch);
  expect([...mirror.state.pawns.values()].map(({ x }) => x)).toEqual([100, 101, 0, 103, 104, 105]);
});

test("a full room costs two bytes a field and a few for all of it", () => {
  const { encoder } = withPawns(32);
  for (const pawn of encoder.root.pawns.values()) pawn.x = 7;
  expect(encoder.commit().patch).toHaveLength(32 * 2 + 5);
});

// Of three pawns (2 to 4) and a flag (5): the group's mark, how many, which, the mask, values.
test.each<[string, number[]]>([
  ["has entities of two kinds", [0, 3, 7, 1, 1, 1, 0, 1, 0, 1]],
  ["has fewer entities than its runs", [0, 2, 5, 1, 1, 1, 0, 1, 0, 1, 0]],
  ["has nobody", [0, 0, 1]],
  ["has somebody who is not there", [0, 3, 9, 1, 1, 1, 0, 1, 0, 1, 0]],
  ["claims an endless run", [0, 3, 5, 255, 255, 255, 255, 255, 255, 3, 1]],
  ["has a field too many", [0, 2, 5, 0, 8, 1, 0, 1, 0]],
  ["ends too early", [0, 2, 5, 0, 1, 1, 0]],
])("[S11] a group that %s is refused", (_what, bytes) => {
  const { mirror } = withPawns(3, 1);
  expect(() => mirror.applyPatch(Uint8Array.from(bytes))).toThrow(SchemaError);
});

test("a group is part of no snapshot", () => {
  const { mirror } = withPawns(3);
  const group = Uint8Array.from([0, 2, 5, 0, 1, 1, 0, 1, 0]);
  mirror.applyPatch(group);
  expect(mirror.state.pawns.get("p1")?.x).toBe(1);
  expect(() => mirror.applySnapshot(group)).toThrow(SchemaError);
});
