/** Descriptions of schemas: their form, their hash, and what is refused as one. */
import { describe, expect, test } from "vitest";
import {
  describe as describeSchema,
  entity,
  list,
  Mirror,
  map,
  optional,
  owner,
  quantised,
  ref,
  type SchemaDescriptor,
  SchemaError,
  schemaHash,
  string,
  u8,
} from "../../../shared/schema/index.ts";
import { Root } from "./rich-schema.ts";

const Player = entity({
  x: quantised(0, 10, 0.5),
  nick: optional(string),
  target: optional(ref(() => Player)),
  hand: owner(list(u8)),
});
const State = entity({ phase: u8, players: map(Player) });

test("a description is plain and complete", () => {
  expect(describeSchema(State)).toEqual([
    [
      "state",
      [
        ["phase", "u8"],
        ["players", ["map", 1]],
      ],
    ],
    [
      "players",
      [
        ["x", ["quantised", 0, 10, 0.5]],
        ["nick", ["optional", "string"]],
        ["target", ["ref", 1]],
        ["hand", ["owner", ["list", "u8"]]],
      ],
    ],
  ]);
});

test("the hash is stable, and another for another schema", () => {
  expect(schemaHash(describeSchema(State))).toBe("c04c7fd3");
  expect(schemaHash(JSON.parse(JSON.stringify(describeSchema(Root))))).toBe(schemaHash(describeSchema(Root)));
  expect(schemaHash(describeSchema(entity({ phase: u8 })))).not.toBe(
    schemaHash(describeSchema(entity({ phase: string }))),
  );
  expect(schemaHash([])).toMatch(/^[0-9a-f]{8}$/);
});

test("a ref that names no entity is refused", () => {
  expect(() => describeSchema(entity({ bad: ref(() => undefined) }))).toThrow(SchemaError);
});

describe("what is not a description", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["a number", 5],
    ["nothing", []],
    ["too many entities", Array.from({ length: 256 }, () => ["e", []])],
    ["an entity of nothing", [null]],
    ["an unknown type", [["s", [["x", "u64"]]]]],
    ["a type from the prototype", [["s", [["x", "toString"]]]]],
    ["an unknown compound", [["s", [["x", ["set", "u8"]]]]]],
    ["a bad name", [["s", [["__proto__", "u8"]]]]],
    [
      "two fields of a name",
      [
        [
          "s",
          [
            ["x", "u8"],
            ["x", "u8"],
          ],
        ],
      ],
    ],
    ["too many fields", [["s", Array.from({ length: 33 }, (_, i) => [`f${i}`, "u8"])]]],
    ["a map of nothing", [["s", [["x", ["map", 1]]]]]],
    ["a map of half an entity", [["s", [["x", ["map", 0.5]]]]]],
    ["a map of itself", [["s", [["x", ["map", 0]]]]]],
    ["a bad grid", [["s", [["x", ["quantised", 1, 0, 1]]]]]],
    ["a list of lists", [["s", [["x", ["list", ["list", "u8"]]]]]]],
    ["an owner's owner", [["s", [["x", ["owner", ["owner", "u8"]]]]]]],
    ["a private map", [["s", [["x", ["owner", ["map", 0]]]]]]],
  ])("%s is refused", (_, descriptor) => {
    expect(() => new Mirror(descriptor as SchemaDescriptor)).toThrow(SchemaError);
  });
});
