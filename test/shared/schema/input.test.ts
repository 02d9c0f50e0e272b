/** Binary inputs: any value survives, and only bytes that encoding makes are accepted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bool,
  decodeInput,
  encodeInput,
  f32,
  f64,
  i8,
  i16,
  i32,
  input,
  isInputSchema,
  optional,
  quantised,
  SchemaError,
  STRING_BYTES_MAX,
  string,
  u8,
  u16,
  u32,
} from "../../../shared/schema/index.ts";

const Move = input({ dx: i8, dy: i8, aim: quantised(-3.15, 3.15, 0.001), shoot: bool });
const Everything = input({
  a: u8,
  b: u16,
  c: u32,
  d: i8,
  e: i16,
  f: i32,
  g: f32,
  h: f64,
  i: bool,
  j: string,
  k: optional(u16),
  l: optional(string),
  m: optional(bool),
});

test("an input is its values, one after the other", () => {
  const bytes = encodeInput(Move, { dx: 1, dy: -1, aim: 0, shoot: true });
  expect([...bytes]).toEqual([1, 255, 3150 & 255, 3150 >> 8, 1]);
  expect(decodeInput(Move, bytes)).toEqual({ dx: 1, dy: -1, aim: expect.closeTo(0, 9), shoot: true });
});

test("every value comes back", () => {
  const values = fc.record(
    {
      a: fc.integer({ min: 0, max: 255 }),
      b: fc.integer({ min: 0, max: 65_535 }),
      c: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      d: fc.integer({ min: -128, max: 127 }),
      e: fc.integer({ min: -32_768, max: 32_767 }),
      f: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      g: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      h: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      i: fc.boolean(),
      j: fc.string({ unit: "binary", maxLength: 100 }),
      k: fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined }),
      l: fc.option(fc.string({ unit: "grapheme", maxLength: 20 }), { nil: undefined }),
      m: fc.option(fc.boolean(), { nil: undefined }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(values, (value) => {
      expect(decodeInput(Everything, encodeInput(Everything, value))).toStrictEqual(value);
    }),
    { numRuns: 1_000 },
  );
});

describe("decoding refuses", () => {
  const F32 = input({ x: f32 });
  const F64 = input({ x: f64 });
  const Text = input({ x: string });
  const nan32 = new Uint8Array(new Float32Array([Number.NaN]).buffer);
  const infinity64 = new Uint8Array(new Float64Array([Number.POSITIVE_INFINITY]).buffer);
  test.each([
    ["missing bytes", Move, [1, 1, 0, 0]],
    ["trailing bytes", Move, [1, 1, 0, 0, 1, 0]],
    ["nothing", Move, []],
    ["an index off the grid", Move, [1, 1, 6301 & 255, 6301 >> 8, 1]],
    ["a bool that is neither", Move, [1, 1, 0, 0, 2]],
    ["a presence that is neither", input({ x: optional(u8) }), [2, 1]],
    ["NaN", F32, [...nan32]],
    ["Infinity", F64, [...infinity64]],
    ["bad UTF-8", Text, [2, 0xc3, 0x28]],
    ["UTF-8 of a surrogate", Text, [3, 0xed, 0xa0, 0x80]],
    ["a string that is too long", Text, [0x81, 0x08, ...Array(STRING_BYTES_MAX + 1).fill(97)]],
    ["a string longer than the bytes", Text, [5, 97]],
    ["an endless varint", Text, Array(20).fill(0xff)],
  ])("%s", (_, schema, bytes) => {
    expect(() => decodeInput(schema, Uint8Array.from(bytes))).toThrow(SchemaError);
  });

  test("or accepts what is the encoding of what it read", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        let value: { dx: number; dy: number; aim: number; shoot: boolean };
        try {
          value = decodeInput(Move, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SchemaError);
          return;
        }
        expect(encodeInput(Move, value)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("encoding refuses what a field cannot hold, by name", () => {
  expect(() => encodeInput(Move, { dx: 128, dy: 0, aim: 0, shoot: false })).toThrow("dx cannot hold 128");
  expect(() => encodeInput(Move, { dx: 0, dy: 0, aim: Number.NaN, shoot: false })).toThrow(RangeError);
  expect(() => encodeInput(Move, { dx: 0, dy: 0, aim: 0 } as never)).toThrow("shoot cannot hold undefined");
});

test("an input schema is known as one", () => {
  expect([isInputSchema(Move), isInputSchema({}), isInputSchema(undefined)]).toEqual([true, false, false]);
});
