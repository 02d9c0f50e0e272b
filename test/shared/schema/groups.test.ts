/** [S3] Where the same fields of several entities have changed, they share one piece of the patch. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../shared/schema/bytes.ts";
import {
  bool,
  describe,
  type EntitySchema,
  entity,
  f32,
  f64,
  i8,
  i16,
  i32,
  list,
  Mirror,
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
import { compile, type Shape } from "../../../shared/schema/layout.ts";
import { EntityRecord } from "../../../shared/schema/record.ts";
import { rowOf, writeRows } from "../../../shared/schema/rows.ts";

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

test("listeners hear of all groups of a patch", () => {
  const { encoder, mirror } = withPawns(6);
  const heard: string[] = [];
  mirror.state.pawns.onChange((_, key, fields) => heard.push(`${key} ${fields.join()}`));
  for (const [n, pawn] of [...encoder.root.pawns.values()].entries()) pawn[n % 2 === 0 ? "x" : "hp"] = 9;
  mirror.applyPatch(encoder.commit().patch);
  expect(heard).toEqual(["p0 x", "p2 x", "p4 x", "p1 hp", "p3 hp", "p5 hp"]);
});

test("who begins to listen hears of what changes from then on, whoever stops", () => {
  const { encoder, mirror } = withPawns(3);
  const step = (field: "x" | "hp", value: number) => {
    for (const pawn of encoder.root.pawns.values()) pawn[field] = value;
    mirror.applyPatch(encoder.commit().patch);
    expect(mirror.hash()).toBe(encoder.hash());
  };
  const heard: string[] = [];
  const [pawn] = mirror.state.pawns.values();
  if (pawn === undefined) throw new Error("no pawn");
  step("x", 1);
  const stop = mirror.state.pawns.onChange((_, key, fields) => heard.push(`${key} ${fields.join()}`));
  const stopToo = mirror.onChange(pawn, (fields) => heard.push(...fields));
  step("hp", 1);
  expect(heard.splice(0)).toEqual(["p0 hp", "hp", "p1 hp", "p2 hp"]);
  stop();
  stop();
  step("x", 2);
  expect(heard.splice(0)).toEqual(["x"]);
  stopToo();
  step("hp", 2);
  expect(heard).toEqual([]);
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

/** What is tried on each type: the ends of its range, and something between. */
const Fields = {
  a: u8,
  b: u16,
  c: u32,
  d: i8,
  e: i16,
  f: i32,
  g: f32,
  h: f64,
  i: bool,
  j: quantised(-1, 1, 0.01),
  k: quantised(0, 6_553.5, 0.1),
  l: quantised(-100_000, 100_000, 0.02),
  m: quantised(0, 2 ** 32 - 1, 1),
  n: optional(u16),
  o: string,
  p: ref(() => Thing),
  q: owner(u8),
  r: list(u8),
};
const Thing: EntitySchema<typeof Fields> = entity(Fields, "Thing");
const SAMPLES = {
  a: [0, 255],
  b: [256, 65_535],
  c: [1, 2 ** 31, 2 ** 32 - 1],
  d: [-128, -1, 127],
  e: [-32_768, 255, 32_767],
  f: [-(2 ** 31), -2, 2 ** 31 - 1],
  g: [0.1, -3.4e38, -0],
  h: [0.1, 5e-324, -1.7e308],
  i: [true, false],
  j: [-1, 0.505, 1],
  k: [0.1, 3_000, 6_553.5],
  l: [-100_000, 0.01, 100_000],
  m: [1, 2 ** 31, 2 ** 32 - 1],
  n: [undefined, 0, 65_535],
  o: ["", "é"],
  q: [1, 2],
  r: [[], [1], [2, 3, 4]],
} as const;

test("every type of field, alone or with others, comes through a group", () => {
  const World = entity({ things: map(Thing) });
  const names = fc.subarray(Object.keys(SAMPLES) as (keyof typeof SAMPLES)[], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.nat(11)), { minLength: 1, maxLength: 4 }), (steps) => {
      const encoder = new StateEncoder(World);
      for (let n = 0; n < 5; n++) encoder.root.things.set(`t${n}`, {});
      encoder.commit();
      const mirror = new Mirror<typeof World>(describe(World));
      mirror.applySnapshot(encoder.snapshot());
      for (const [changed, seed] of steps) {
        let n = seed;
        for (const thing of encoder.root.things.values()) {
          n += 1;
          for (const name of changed) {
            const value = SAMPLES[name][n % SAMPLES[name].length];
            if (Array.isArray(value)) thing.r.replace(value);
            else Object.assign(thing, { [name]: value });
          }
          if (n % 2 === 0) thing.p = encoder.root.things.get(`t${n % 5}`);
        }
        mirror.applyPatch(encoder.commit().patch);
        for (const [key, { p, q: _, ...seen }] of mirror.state.things) {
          const { p: meant, q: __, ...live } = valuesOf(encoder.root.things.get(key) ?? {});
          expect({ ...seen, r: [...seen.r] }).toEqual({ ...live, r: [...(live.r as Iterable<number>)] });
          expect(p).toBe(mirror.state.things.get(keyOf(encoder.root.things, meant)));
        }
        expect(mirror.hash()).toBe(encoder.hash());
      }
    }),
    { numRuns: 200 },
  );
});

function valuesOf(live: object): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    Object.keys(Fields).map((name) => [name, (live as Record<string, unknown>)[name]]),
  );
}

function keyOf(things: Iterable<readonly [key: string, thing: object]>, wanted: unknown): string {
  for (const [key, thing] of things) if (thing === wanted) return key;
  return "nobody";
}

test("entities may differ in what has changed more than a patch has groups", () => {
  const names = Array.from({ length: 8 }, (_, n) => `f${n}`);
  const Many = entity({ many: map(entity(Object.fromEntries(names.map((name) => [name, u8])))) });
  const encoder = new StateEncoder(Many);
  for (let n = 0; n < 256; n++) encoder.root.many.set(`${n}`, {});
  encoder.commit();
  const mirror = new Mirror<typeof Many>(describe(Many));
  mirror.applySnapshot(encoder.snapshot());
  for (const [key, one] of encoder.root.many) {
    for (let n = 0; n < 8; n++) if ((Number(key) >> n) % 2 === 1) Object.assign(one, { [`f${n}`]: 7 });
  }
  mirror.applyPatch(encoder.commit().patch);
  expect(mirror.hash()).toBe(encoder.hash());
});

/** Three entities with one field, and a group that changes it in each of them; `bytes` are its values. */
function withField(field: typeof bool | ReturnType<typeof quantised> | typeof f32 | typeof f64) {
  const One = entity({ ones: map(entity({ v: field })) });
  const encoder = new StateEncoder(One);
  for (let n = 0; n < 3; n++) encoder.root.ones.set(`o${n}`, {});
  encoder.commit();
  const mirror = new Mirror<typeof One>(describe(One));
  mirror.applySnapshot(encoder.snapshot());
  const apply = (bytes: readonly number[]) => mirror.applyPatch(Uint8Array.from([0, 3, 5, 1, 1, ...bytes]));
  const values = () => [...mirror.state.ones.values()].map(({ v }) => v);
  return { encoder, mirror, apply, values };
}

const INFINITE_F32 = [0, 0, 0x80, 0x7f];
const NAN_F64 = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f];

test.each<[string, Parameters<typeof withField>[0], number[]]>([
  ["an index off the grid", quantised(0, 10, 1), [10, 11, 10]],
  ["an index off a grid of two bytes", quantised(0, 300, 1), [44, 1, 45, 1, 0, 0]],
  ["an index off a grid of three bytes", quantised(0, 65_536, 1), [0, 0, 1, 1, 0, 1, 0, 0, 0]],
  ["an index off a grid of four bytes", quantised(0, 2 ** 31, 1), [0, 0, 0, 128, 1, 0, 0, 128, 0, 0, 0, 0]],
  ["what is neither yes nor no", bool, [1, 2, 1]],
  ["an infinite number", f32, [0, 0, 0, 0, ...INFINITE_F32, 0, 0, 0, 0]],
  ["what is no number", f64, [...Array(8).fill(0), ...NAN_F64, ...Array(8).fill(0)]],
])("[S5] a group with %s is refused", (_what, field, bytes) => {
  const { apply } = withField(field);
  expect(() => apply(bytes)).toThrow(SchemaError);
});

test("what a refused group has changed is told with the next snapshot", () => {
  const { encoder, mirror, apply, values } = withField(quantised(0, 10, 1));
  const heard: string[] = [];
  mirror.state.ones.onChange((_, key, fields) => heard.push(`${key} ${fields.join()}`));
  expect(() => apply([4, 11, 5])).toThrow(SchemaError);
  expect(heard).toEqual([]);
  const first = encoder.root.ones.get("o0");
  if (first !== undefined) first.v = 4;
  encoder.commit();
  mirror.applySnapshot(encoder.snapshot());
  expect(heard).toEqual(["o0 v"]);
  expect(values()).toEqual([4, 0, 0]);
});

test("a group that is too short for its last value changes nothing", () => {
  const { apply, values } = withField(quantised(0, 300, 1));
  expect(() => apply([1, 0, 2, 0, 3])).toThrow("the bytes end too early");
  expect(values()).toEqual([0, 0, 0]);
});

test("a number that is read as -0 is 0", () => {
  const { apply, values } = withField(f32);
  apply([0, 0, 0, 0x80, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x80]);
  expect(values()).toEqual([0, 1, 0]);
});

test("rows may end where the writer's memory does", () => {
  const [shape] = compile(describe(entity({ n: u8 }))) as [Shape];
  const writer = new ByteWriter();
  const group = Array.from(
    { length: writer.bytes.length },
    () => new EntityRecord(1, shape, undefined, 0, ""),
  );
  for (const { numbers } of group) numbers[0] = 7;
  writeRows(writer, group, rowOf(shape, 1));
  expect(writer.take()).toEqual(new Uint8Array(group.length).fill(7));
});
