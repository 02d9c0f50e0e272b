/**
 * A schema with every field type, nested maps, lists, refs and private fields, and values to try on each field: what
 * is assigned, and what must be read back, worked out apart from the code under test.
 */
import {
  bool,
  entity,
  type Field,
  f32,
  f64,
  i8,
  i16,
  i32,
  list,
  map,
  optional,
  owner,
  quantised,
  ref,
  string,
  u8,
  u16,
  u32,
} from "../../../shared/schema/index.ts";

export const Item = entity(
  {
    kind: u8,
    label: string,
    tags: list(string),
    holder: ref(() => Unit),
    note: owner(string),
    price: owner(u32),
  },
  "Item",
);

export const Unit = entity(
  {
    a: u8,
    b: u16,
    c: u32,
    d: i8,
    e: i16,
    f: i32,
    g: f32,
    h: f64,
    alive: bool,
    name: string,
    q1: quantised(-10, 10, 0.25),
    q2: quantised(0, 2_000, 0.1),
    q3: quantised(5, 1_000_005, 0.1),
    q4: quantised(-1e8, 1e8, 0.1),
    nick: optional(string),
    lucky: optional(i16),
    maybe: optional(bool),
    heading: optional(quantised(-3.15, 3.15, 0.001)),
    target: optional(ref(() => Unit)),
    favourite: ref(() => Item),
    route: list(quantised(0, 100, 0.5)),
    switches: list(bool),
    ammo: owner(u16),
    secret: owner(optional(string)),
    hand: owner(list(string)),
    enemy: owner(ref(() => Unit)),
    armed: owner(bool),
    items: map(Item),
    spares: map(Item),
  },
  "Unit",
);

export const Root = entity({
  phase: u8,
  title: string,
  board: list(i8),
  king: ref(() => Unit),
  units: map(Unit),
  drops: map(Item),
});

/** Every private text begins so, with its owner's id: it must not stand in bytes for anybody else. */
export const SECRET = "secret:";

type Sample = { readonly assigned: unknown; readonly stored: unknown };

const same = (value: unknown): Sample => ({ assigned: value, stored: value });

const NUMBERS: { readonly [kind: string]: readonly number[] } = {
  u8: [0, 1, 127, 128, 255],
  u16: [0, 1, 255, 256, 32_768, 65_535],
  u32: [0, 1, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
  i8: [0, 1, -1, 127, -128],
  i16: [0, -1, 255, 32_767, -32_768],
  i32: [0, -1, 65_535, 2 ** 31 - 1, -(2 ** 31)],
  f32: [0, -0, 0.1, -1.5, 3.4e38, 1e-45, 16_777_217],
  f64: [0, -0, 0.1, -Math.PI, 1.7e308, 5e-324, 2 ** 53, 4_294_967_296.5],
};
const STRINGS = ["", "a", "héllo", "日本語", "😀😀", "\uFEFFmark", "x".repeat(300), "ü".repeat(512), "\0"];

/** The n-th value to try on a field without references. */
export function sample(field: Field, n: number, ownerId: string): Sample {
  switch (field.kind) {
    case "owner":
      return field.of.kind === "string" || (field.of.kind === "optional" && field.of.of.kind === "string")
        ? same(field.of.kind === "optional" && n % 3 === 0 ? undefined : `${SECRET}${ownerId};${n % 5}`)
        : secretList(field.of, n, ownerId);
    case "optional":
      return n % 3 === 0 ? same(undefined) : sample(field.of, n, ownerId);
    case "list": {
      const samples = Array.from({ length: n % 5 }, (_, i) => sample(field.of, n + i, ownerId));
      return { assigned: samples.map((s) => s.assigned), stored: samples.map((s) => s.stored) };
    }
    case "bool":
      return same(n % 2 === 0);
    case "string": {
      if (n % 10 === 9) return { assigned: "lone\ud800", stored: "lone\ufffd" };
      return same(STRINGS[n % 10]);
    }
    case "quantised": {
      const { min, max, step } = field;
      const assigned = n % 7 === 0 ? min - 1 : n % 7 === 1 ? max + 1 : min + ((n * 7.77) % (max - min));
      const index = Math.round((Math.min(Math.max(assigned, min), max) - min) / step);
      return { assigned, stored: min + index * step };
    }
    default: {
      const numbers = NUMBERS[field.kind] ?? [];
      const assigned = numbers[n % numbers.length] ?? 0;
      const stored = field.kind === "f32" ? Math.fround(assigned) : assigned;
      return { assigned, stored: stored === 0 ? 0 : stored };
    }
  }
}

function secretList(field: Field, n: number, ownerId: string): Sample {
  if (field.kind !== "list") return sample(field, n, ownerId);
  return same(Array.from({ length: n % 4 }, (_, i) => `${SECRET}${ownerId};${n % 3}${i}`));
}
