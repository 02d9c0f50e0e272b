/** PROTOCOL.md against the code: its test vectors, its table of errors and its limits. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import {
  assembleMessage,
  decodeClientValue,
  decodeServerMessage,
  encodeAcks,
  encodeClientValue,
  encodeServerValue,
  findAck,
  tagToldBy,
} from "../../../shared/protocol/codec.ts";
import { formatOffer, type Offer, parseOffer } from "../../../shared/protocol/handshake.ts";
import type { Ack, ClientValue, ServerValue } from "../../../shared/protocol/wire.ts";
import {
  decodeInput,
  encodeInput,
  type InputField,
  input,
  Mirror,
  MirrorMap,
  optional,
  quantised,
  type SchemaDescriptor,
  schemaHash,
} from "../../../shared/schema/index.ts";
import { expectError, fromHex, toHex } from "./support.ts";

const document = readFileSync(new URL("../../../PROTOCOL.md", import.meta.url), "utf8");

type Vector = { readonly kind: string; readonly value: string; readonly encoding: string };

const vectors: readonly Vector[] = [...document.matchAll(/^```vector (\w+)\n(.+)\n([^`]+)\n```$/gm)].map(
  ([, kind = "", value = "", encoding = ""]) => ({ kind, value, encoding }),
);

function vectorsOf(kind: string): [title: string, value: string, encoding: string][] {
  return vectors
    .filter((vector) => vector.kind === kind)
    .map(({ value, encoding }) => [value.slice(0, 60), value, encoding]);
}

/** JSON in which a string that begins with 0x stands for bytes. */
function parse(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith("0x") ? fromHex(value.slice(2)) : value,
  );
}

const bare = (hex: string) => hex.replaceAll(/\s/g, "");

test("the document has vectors of every kind", () => {
  const counts = Object.groupBy(vectors, ({ kind }) => kind);
  expect(Object.fromEntries(Object.entries(counts).map(([kind, list]) => [kind, list?.length]))).toEqual({
    client: 7,
    part: 5,
    message: 3,
    acks: 2,
    offer: 3,
    schema: 1,
    snapshot: 1,
    patch: 3,
    own: 2,
    input: 2,
    refused: 9,
  });
  expect(document.match(/^```vector/gm)).toHaveLength(vectors.length);
});

test.each(vectorsOf("client"))("[M2] client value %s", (_title, json, hex) => {
  const value = parse(json) as ClientValue;
  expect(toHex(encodeClientValue(value))).toBe(bare(hex));
  expect(decodeClientValue(fromHex(hex))).toEqual(value);
});

test.each(vectorsOf("part"))("[M1] server value %s", (_title, json, hex) => {
  const value = parse(json) as ServerValue;
  expect(toHex(encodeServerValue(value))).toBe(bare(hex));
  expect(decodeServerMessage(assembleMessage([fromHex(hex)], 5), 5)).toEqual([value]);
});

test.each(vectorsOf("message"))("[F3] server message %s", (_title, json, hex) => {
  const { tag, values } = parse(json) as { tag: number; values: ServerValue[] };
  expect(toHex(assembleMessage(values.map(encodeServerValue), tag))).toBe(bare(hex));
  expect(decodeServerMessage(fromHex(hex), tag)).toEqual(values);
  if (tagToldBy(values[0]) !== undefined) {
    expect(decodeServerMessage(fromHex(hex), undefined)).toEqual(values);
  } else {
    expectError(() => decodeServerMessage(fromHex(hex), undefined), "PROTOCOL_ERROR");
  }
});

test.each(vectorsOf("acks"))("[A3] acknowledgements %s", (_title, json, hex) => {
  const { bytes, rows } = parse(json) as { bytes: 1 | 2; rows: Ack[] };
  expect(toHex(encodeAcks(rows, bytes))).toBe(bare(hex));
  for (const { slot, seq } of rows)
    expect(findAck(fromHex(hex), slot, seq + (bytes === 1 ? 100 : 1_000))).toBe(seq);
});

test.each(vectorsOf("offer"))("[H2] offer %s", (_title, json, header) => {
  const offer = parse(json) as Offer;
  expect(formatOffer(offer).join(", ")).toBe(header);
  expect(parseOffer(header)).toEqual(offer);
});

test.each(vectorsOf("refused"))("[F6] %s is refused", (_title, _why, hex) => {
  expectError(() => decodeClientValue(fromHex(hex)), "PROTOCOL_ERROR");
});

/** The state as JSON: maps as objects, a ref as the key of its entity, the absent left out. */
function plainState(view: object): unknown {
  const keys = new Map<unknown, string>();
  const collect = (entity: object): void => {
    for (const held of Object.values(entity)) {
      if (!(held instanceof MirrorMap)) continue;
      for (const [key, inner] of held) {
        keys.set(inner, key);
        collect(inner);
      }
    }
  };
  const plain = (entity: object): unknown =>
    Object.fromEntries(
      Object.entries(entity).map(([name, value]) => {
        if (!(value instanceof MirrorMap)) return [name, keys.get(value) ?? value];
        return [name, Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]))];
      }),
    );
  collect(view);
  return JSON.parse(JSON.stringify(plain(view)));
}

describe("state", () => {
  const [[, json, hash] = ["", "", ""]] = vectorsOf("schema");
  const descriptor = JSON.parse(json) as SchemaDescriptor;

  test("[S1] schema and hash", () => {
    expect(schemaHash(descriptor)).toBe(hash);
  });

  test("[S3] the history", () => {
    const mirror = new Mirror(descriptor);
    const history = vectors.filter(({ kind }) => ["snapshot", "patch", "own"].includes(kind));
    for (const { kind, value, encoding } of history) {
      const bytes = fromHex(encoding);
      if (kind === "snapshot") mirror.applySnapshot(bytes);
      else if (kind === "patch") mirror.applyPatch(bytes);
      else mirror.applyOwn(bytes);
      expect(plainState(mirror.state)).toEqual(JSON.parse(value));
    }
  });

  test.each(vectorsOf("input"))("[I1] input %s", (_title, vector, hex) => {
    type Plain = Exclude<InputField["kind"], "quantised" | "optional">;
    type Described = Plain | ["quantised", number, number, number] | ["optional", Described];
    const fieldOf = (type: Described): InputField => {
      if (typeof type === "string") return { kind: type } as InputField;
      if (type[0] === "quantised") return quantised(type[1], type[2], type[3]);
      const of = fieldOf(type[1]);
      if (of.kind === "optional") throw new Error("an optional of an optional");
      return optional(of);
    };
    const { fields, value } = JSON.parse(vector) as {
      fields: [string, Described][];
      value: Record<string, never>;
    };
    const schema = input(Object.fromEntries(fields.map(([name, type]) => [name, fieldOf(type)])));
    expect(toHex(encodeInput(schema, value))).toBe(bare(hex));
    expect(decodeInput(schema, fromHex(hex))).toEqual(value);
  });
});

test("[C1] the table of errors is that of shared/errors.ts", () => {
  const rows = [...document.matchAll(/^\| ([A-Z_]+) \| (\d+) \| (\d+) \| (\w+) \| (.+) \|$/gm)];
  const table = rows.map(([, code, status, close, retry, message]) => [
    code,
    { status: Number(status), close: Number(close), retry, message },
  ]);
  expect(table).toEqual(Object.entries(ERRORS));
});

test("[L1] the limits are those of server/limits.ts", () => {
  const rows = [...document.matchAll(/^ *\| `(\w+)` \| ([\d,]+) /gm)];
  expect(rows.length).toBeGreaterThan(10);
  for (const [, name = "", value = ""] of rows) {
    expect({ [name]: Number(value.replaceAll(",", "")) }).toEqual({
      [name]: LIMITS[name as keyof typeof LIMITS],
    });
  }
});

test("every rule that the document refers to is there, once", () => {
  const defined = [...document.matchAll(/^- \*\*\[([A-Z]\d+)\]\*\*/gm)].map(([, rule]) => rule);
  expect(new Set(defined).size).toBe(defined.length);
  const cited = [...document.matchAll(/\[((?:[A-Z]\d+(?:, )?)+)\]/g)].flatMap(([, rules = ""]) =>
    rules.split(", "),
  );
  expect(cited.filter((rule) => !defined.includes(rule))).toEqual([]);
});
