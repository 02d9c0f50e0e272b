/** What fields make of values: on the server when they are assigned, on the wire, and in the mirror. */
import { describe, expect, test } from "vitest";
import {
  bool,
  describe as describeSchema,
  entity,
  FIELDS_MAX,
  type Field,
  f32,
  f64,
  i8,
  i16,
  i32,
  KEY_BYTES_MAX,
  LIST_LENGTH_MAX,
  list,
  Mirror,
  map,
  optional,
  quantised,
  ref,
  STRING_BYTES_MAX,
  StateEncoder,
  string,
  u8,
  u16,
  u32,
} from "../../../shared/schema/index.ts";

/** Assigns a value, and checks that the server reads, and a mirror gets, the same one. */
function roundTrip(field: Field, value: unknown): unknown {
  const schema = entity({ before: u8, field, after: u8 }, "Thing");
  const encoder = new StateEncoder(schema);
  const root = encoder.root as unknown as { before: number; field: unknown; after: number };
  const mirror = new Mirror<typeof schema>(describeSchema(schema));
  root.before = 1;
  root.field = value;
  root.after = 2;
  mirror.applyPatch(encoder.commit().patch);
  const fresh = new Mirror<typeof schema>(describeSchema(schema));
  fresh.applySnapshot(encoder.snapshot());
  expect(mirror.state).toEqual({ before: 1, field: root.field, after: 2 });
  expect((mirror.state as { field: unknown }).field).toBe(root.field);
  expect(fresh.state).toEqual(mirror.state);
  return root.field;
}

describe("integers", () => {
  const ranges: [string, Field, number, number][] = [
    ["u8", u8, 0, 255],
    ["u16", u16, 0, 65_535],
    ["u32", u32, 0, 2 ** 32 - 1],
    ["i8", i8, -128, 127],
    ["i16", i16, -32_768, 32_767],
    ["i32", i32, -(2 ** 31), 2 ** 31 - 1],
  ];
  test.each(ranges)("%s holds its range and nothing else", (_, field, min, max) => {
    for (const value of [min, max, 0, 1, Math.floor(max / 2)]) expect(roundTrip(field, value)).toBe(value);
    expect(roundTrip(field, -0)).toBe(0);
    for (const value of [min - 1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", undefined, null]) {
      expect(() => roundTrip(field, value)).toThrow(RangeError);
    }
  });

  test("an error names entity, field and value", () => {
    expect(() => roundTrip(u8, 256)).toThrow("Thing.field cannot hold 256");
    expect(() => roundTrip(f64, Number.NaN)).toThrow("Thing.field cannot hold NaN");
  });
});

describe("floats", () => {
  test("f32 rounds to single precision at once", () => {
    expect(roundTrip(f32, 0.1)).toBe(Math.fround(0.1));
    expect(roundTrip(f32, 1e-50)).toBe(0);
    expect(roundTrip(f32, 3.4028234663852886e38)).toBe(3.4028234663852886e38);
    expect(() => roundTrip(f32, 3.5e38)).toThrow(RangeError);
  });

  test("f64 keeps every bit but the sign of zero", () => {
    for (const value of [0.1, Math.PI, 5e-324, Number.MAX_VALUE, -(2 ** 53)]) {
      expect(roundTrip(f64, value)).toBe(value);
    }
    expect(roundTrip(f64, -0)).toBe(0);
  });

  test.each([
    ["f32", f32],
    ["f64", f64],
  ])("%s refuses what is not finite", (_, field) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "1"]) {
      expect(() => roundTrip(field, value)).toThrow(RangeError);
    }
  });
});

describe("quantised", () => {
  test("clamps and snaps", () => {
    const field = quantised(-1, 1, 0.25);
    expect(roundTrip(field, 0.3)).toBe(0.25);
    expect(roundTrip(field, 0.376)).toBe(0.5);
    expect(roundTrip(field, -5)).toBe(-1);
    expect(roundTrip(field, 5)).toBe(1);
    expect(() => roundTrip(field, Number.NaN)).toThrow(RangeError);
    for (const value of [Number.NEGATIVE_INFINITY, "0", undefined, null, true, 0n, {}]) {
      expect(() => roundTrip(field, value)).toThrow(RangeError);
    }
  });

  test("a value is taken to the nearer point, a half up", () => {
    const field = quantised(0, 10, 1);
    for (const [value, stored] of [
      [0.49, 0],
      [0.5, 1],
      [-0.49, 0],
      [-0, 0],
      [9.49, 9],
      [9.5, 10],
      [10.49, 10],
      [10.51, 10],
    ])
      expect(roundTrip(field, value)).toBe(stored);
  });

  test("a maximum off the grid is not exceeded", () => {
    expect(roundTrip(quantised(0, 1, 0.4), 1)).toBe(0.8);
  });

  test("assigning what was read changes nothing", () => {
    const schema = entity({ x: quantised(-3.15, 3.15, 0.001) });
    const { root } = new StateEncoder(schema);
    for (let i = 0; i <= 6_300; i++) {
      root.x = -3.15 + i / 1_000;
      const read = root.x;
      root.x = read;
      expect(root.x).toBe(read);
    }
  });

  test.each([
    [1, 0, 255, 1],
    [2, 0, 256, 1],
    [2, 0, 65_535, 1],
    [3, 0, 65_536, 1],
    [3, 0, 2 ** 24 - 1, 1],
    [4, 0, 2 ** 24, 1],
    [4, 0, 2 ** 32 - 1, 1],
  ])("takes %i bytes for %d to %d by %d", (bytes, min, max, step) => {
    const field = quantised(min, max, step);
    expect(roundTrip(field, max)).toBe(max);
    const encoder = new StateEncoder(entity({ x: field }));
    encoder.root.x = max;
    // Head and mask take a byte each.
    expect(encoder.commit().patch.length).toBe(2 + bytes);
  });

  test.each([
    [0, 0, 1],
    [1, 0, 1],
    [0, 1, 0],
    [0, 1, -1],
    [0, 1, 2],
    [0, 2 ** 32, 1],
    [1e15, 1e15 + 10, 0.1],
    [Number.NaN, 1, 1],
    [0, Number.POSITIVE_INFINITY, 1],
    [0, 1, Number.NaN],
  ])("has no grid from %d to %d by %d", (min, max, step) => {
    expect(() => quantised(min, max, step)).toThrow(RangeError);
  });
});

describe("strings", () => {
  test("hold any text up to their limit in bytes", () => {
    for (const text of ["", "plain", "日本", "😀", "\uFEFFmark", "\0", "é".repeat(STRING_BYTES_MAX / 2)]) {
      expect(roundTrip(string, text)).toBe(text);
    }
    expect(() => roundTrip(string, "a".repeat(STRING_BYTES_MAX + 1))).toThrow(RangeError);
    expect(() => roundTrip(string, "é".repeat(STRING_BYTES_MAX / 2 + 1))).toThrow(RangeError);
    expect(() => roundTrip(string, 5)).toThrow(RangeError);
  });

  test("lone surrogates are replaced on the server already", () => {
    expect(roundTrip(string, "a\ud800b")).toBe("a\ufffdb");
  });
});

describe("bool, optional, list", () => {
  test("bool holds booleans only", () => {
    expect(roundTrip(bool, true)).toBe(true);
    expect(roundTrip(bool, false)).toBe(false);
    expect(() => roundTrip(bool, 1)).toThrow(RangeError);
  });

  test.each<[string, Field, unknown]>([
    ["u8", u8, 0],
    ["f64", f64, 1.5],
    ["bool", bool, false],
    ["string", string, ""],
    ["quantised", quantised(0, 1, 0.5), 0.5],
  ])("optional %s tells its values from none", (_, field, value) => {
    expect(roundTrip(optional(field as typeof u8), value)).toBe(value);
    expect(roundTrip(optional(field as typeof u8), undefined)).toBe(undefined);
    expect(() => roundTrip(optional(field as typeof u8), null)).toThrow(RangeError);
  });

  test("a list checks values, ends and its length", () => {
    const encoder = new StateEncoder(entity({ cells: list(u8) }, "Board"));
    const { cells } = encoder.root;
    cells.replace([1, 2, 3]);
    expect(() => cells.set(3, 0)).toThrow("Board.cells has no element 3");
    expect(() => cells.set(-1, 0)).toThrow(RangeError);
    expect(() => cells.push(256)).toThrow("Board.cells cannot hold 256");
    expect(() => cells.replace([0, -1])).toThrow(RangeError);
    expect(cells.toArray()).toEqual([1, 2, 3]);
    expect([cells.includes(2), cells.indexOf(3), cells.get(0), cells.get(9)]).toEqual([
      true,
      2,
      1,
      undefined,
    ]);
    cells.replace(new Uint8Array(LIST_LENGTH_MAX));
    expect(() => cells.push(1)).toThrow(RangeError);
    expect(() => cells.replace(new Uint8Array(LIST_LENGTH_MAX + 1))).toThrow(RangeError);
    expect(cells.length).toBe(LIST_LENGTH_MAX);
  });
});

describe("entities", () => {
  test("begin with zero values", () => {
    const schema = entity({ n: u8, t: string, b: bool, q: quantised(5, 9, 1), o: optional(u8), l: list(u8) });
    const { root } = new StateEncoder(schema);
    expect([root.n, root.t, root.b, root.q, root.o, root.l.length]).toEqual([0, "", false, 5, undefined, 0]);
  });

  test("have limits", () => {
    const fields = Object.fromEntries(Array.from({ length: FIELDS_MAX }, (_, i) => [`f${i}`, u8]));
    const schema = entity(fields);
    const encoder = new StateEncoder(schema);
    const mirror = new Mirror<typeof schema>(describeSchema(schema));
    for (const name of Object.keys(fields)) (encoder.root as { [name: string]: number })[name] = 7;
    mirror.applyPatch(encoder.commit().patch);
    expect(Object.values(mirror.state)).toEqual(Array(FIELDS_MAX).fill(7));
    expect(() => entity({ ...fields, more: u8 })).toThrow(RangeError);
  });

  test.each(["", "a b", "1a", "__proto__", "constructor"])("cannot have a field %j", (name) => {
    expect(() => entity(Object.fromEntries([[name, u8]]))).toThrow(RangeError);
  });

  test("keys are well-formed text within a limit", () => {
    const { root } = new StateEncoder(entity({ things: map(entity({ n: u8 })) }));
    expect(() => root.things.set("x".repeat(KEY_BYTES_MAX + 1), {})).toThrow("state.things: a key");
    expect(() => root.things.set("\ud800", {})).toThrow(RangeError);
    root.things.set("x".repeat(KEY_BYTES_MAX), {});
    expect(root.things.size).toBe(1);
  });

  test("a ref takes entities of its kind and room", () => {
    const Thing = entity({ n: u8 });
    const Other = entity({ n: u8 });
    const schema = entity({ things: map(Thing), others: map(Other), best: ref(() => Thing) });
    const { root } = new StateEncoder(schema);
    const stranger = new StateEncoder(schema).root.things.set("a", {});
    expect(() => {
      root.best = root.others.set("a", {});
    }).toThrow(RangeError);
    expect(() => {
      root.best = stranger;
    }).toThrow(RangeError);
    expect(() => {
      root.best = { n: 1 };
    }).toThrow(RangeError);
    expect(root.best).toBe(undefined);
  });
});
