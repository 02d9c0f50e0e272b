/** Bytes no honest client sends. Whatever they are, decoding them is quick and ends in a value or a RookeryError. */
import fc from "fast-check";
import * as msgpackr from "msgpackr/pack";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { RookeryError } from "../../../shared/errors.ts";
import {
  assembleMessage,
  decodeClientValue,
  decodePayload,
  decodeServerMessage,
  encodeClientValue,
  encodeServerValue,
} from "../../../shared/protocol/codec.ts";
import { type ClientValue, ServerMessage } from "../../../shared/protocol/wire.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { plainValue } from "./plain-values.ts";
import { expectError, fromHex, toHex } from "./support.ts";

/** Far above what decoding the largest message takes, far below what an attack would want. */
const QUICK_MS = 250;

function isQuick(action: () => void): void {
  expect(cpuMs(action)).toBeLessThan(QUICK_MS);
}

/** A MESSAGE whose payload is these bytes. */
function messageOf(payloadHex: string): Uint8Array {
  return fromHex(`95000100a16d${payloadHex}`);
}

describe("known attacks", () => {
  test("the same decoding runs in JavaScript everywhere: the native addon is not loaded", () => {
    expect("isNativeAccelerationEnabled" in msgpackr && msgpackr.isNativeAccelerationEnabled).toBe(false);
  });

  test("nested references, which stall the library's default decoder, are refused at once", () => {
    // Each level is an array of the level before, and of a pointer to it: 2^40 nils when written out, as the library
    // does for its error message when a byte follows.
    const level = (id: number) => id.toString(16).padStart(8, "0");
    let hex = `d669${level(1)}91c0`;
    for (let id = 2; id <= 40; id += 1) hex = `d669${level(id)}92${hex}d670${level(id - 1)}`;
    expect(new msgpackr.Packr({ structuredClone: true }).unpack(fromHex(hex))).toHaveLength(2);
    for (const attack of [hex, `${hex}c0`]) {
      isQuick(() => expectError(() => decodeClientValue(fromHex(attack)), "PROTOCOL_ERROR", /[Ee]xtension/));
      isQuick(() =>
        expectError(() => decodeClientValue(messageOf(attack)), "PROTOCOL_ERROR", /[Ee]xtension/),
      );
    }
  });

  test.each([
    "d4720091a161c0",
    "d57200009161c0",
    "d66900000001c0",
    "d67000000001",
    "c70162",
    "c74201ff",
    "c7007800",
  ])("%s (records, references, bundles, big integers, regular expressions) is refused", (hex) => {
    expectError(() => decodeClientValue(messageOf(hex)), "PROTOCOL_ERROR", /[Ee]xtension/);
  });

  test("counts of four billion allocate nothing", () => {
    for (const header of ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff"]) {
      isQuick(() => expectError(() => decodeClientValue(messageOf(header)), "PROTOCOL_ERROR"));
      isQuick(() =>
        expectError(() => decodeClientValue(messageOf(`9f${header.repeat(15)}`)), "PROTOCOL_ERROR"),
      );
    }
  });

  test("the largest message of nothing but nesting, maps or empty arrays is quick", () => {
    const max = LIMITS.messageBytesMax;
    const fill = (hex: string) => hex.repeat(Math.floor((max - 16) / (hex.length / 2)));
    for (const payload of [
      fill("91"),
      fill("81"),
      `dc3f00${"90".repeat(0x3f00)}`,
      `de1f80${"a0c0".repeat(0x1f80)}`,
    ]) {
      isQuick(() => {
        try {
          decodeClientValue(messageOf(payload));
        } catch (error) {
          expect(error).toBeInstanceOf(RookeryError);
        }
      });
    }
  });

  test("integers of 64 bits become numbers, and no sequence", () => {
    expect(decodePayload(fromHex("cfffffffffffffffff"))).toBe(2 ** 64);
    expect(decodePayload(fromHex("d38000000000000000"))).toBe(-(2 ** 63));
    expectError(() => decodeClientValue(fromHex("9500cfffffffffffffffff00a16dc0")), "PROTOCOL_ERROR", /form/);
  });

  test("of duplicate keys the last counts", () => {
    expect(decodePayload(fromHex("82a16101a16102"))).toEqual({ a: 2 });
  });

  test("keys that are arrays, maps or byte strings are refused, others become strings", () => {
    for (const key of ["9101", "80", "c40161"]) {
      expectError(() => decodePayload(fromHex(`81${key}c0`)), "PROTOCOL_ERROR", /unpacked/);
    }
    expect(decodePayload(fromHex("8201c0c3c0"))).toEqual({ 1: null, true: null });
  });

  test("integers in the range the library uses for records stay integers", () => {
    for (let value = 0; value < 0x80; value += 1) {
      expect(decodePayload(Uint8Array.of(value))).toBe(value);
    }
  });

  test.each([
    ["__proto__", "81a95f5f70726f746f5f5f81a8706f6c6c75746564c3"],
    ["__proto__ as a long string", "81d9095f5f70726f746f5f5f81a8706f6c6c75746564c3"],
    ["constructor.prototype", "81ab636f6e7374727563746f7281a970726f746f7479706581a8706f6c6c75746564c3"],
  ])("a key %s changes no prototype", (_name, hex) => {
    for (const padding of ["", "00".repeat(300)]) {
      // Beyond 180 bytes the library reads keys another way.
      const bytes = fromHex(`92${hex}c5${(padding.length / 2).toString(16).padStart(4, "0")}${padding}`);
      const [value] = decodePayload(bytes) as [object];
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect("polluted" in value).toBe(false);
      expect("polluted" in {}).toBe(false);
    }
  });
});

/** Changes of a few bytes: set, inserted, removed, or a piece repeated. */
const mutation = fc.record({
  kind: fc.constantFrom("set", "insert", "remove", "repeat"),
  at: fc.nat(),
  byte: fc.oneof(fc.integer({ min: 0x80, max: 0xdf }), fc.nat(255)),
  length: fc.integer({ min: 1, max: 8 }),
});

function mutate(
  bytes: Uint8Array,
  mutations: readonly { kind: string; at: number; byte: number; length: number }[],
) {
  const changed = [...bytes];
  for (const { kind, at, byte, length } of mutations) {
    const index = at % (changed.length + 1);
    if (kind === "set") changed[index] = byte;
    else if (kind === "insert") changed.splice(index, 0, byte);
    else if (kind === "remove") changed.splice(index, length);
    else changed.splice(index, 0, ...changed.slice(index, index + length));
  }
  return Uint8Array.from(changed);
}

/** Runs a decoder that may throw RookeryError and nothing else. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof RookeryError) || error.code !== "PROTOCOL_ERROR") throw error;
    return undefined;
  }
}

describe("fuzz", () => {
  test("mutated client values decode to a value that encodes again, or are refused", () => {
    const original = fc.tuple(fc.constant(0 as const), fc.nat(), fc.nat(), fc.string(), plainValue);
    let decoded = 0;
    let refused = 0;
    fc.assert(
      fc.property(original, fc.array(mutation, { minLength: 1, maxLength: 4 }), (value, mutations) => {
        const bytes = mutate(encodeClientValue(value as ClientValue), mutations);
        const result = attempt(() => decodeClientValue(bytes));
        if (result === undefined) refused += 1;
        else {
          decoded += 1;
          const again = encodeClientValue(result);
          expect(toHex(encodeClientValue(decodeClientValue(again)))).toBe(toHex(again));
        }
      }),
      { numRuns: 3000 },
    );
    expect(decoded).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  test("random bytes decode or are refused", () => {
    const token = fc.oneof(fc.integer({ min: 0x80, max: 0xdf }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        attempt(() => decodePayload(Uint8Array.from(tokens)));
        attempt(() => decodeClientValue(Uint8Array.from([0x95, 0, 1, 0, 0, ...tokens])));
      }),
      { numRuns: 3000 },
    );
  });

  test("mutated server messages decode or are refused", () => {
    fc.assert(
      fc.property(plainValue, fc.array(mutation, { minLength: 1, maxLength: 3 }), (payload, mutations) => {
        const part = encodeServerValue([ServerMessage.EVENT, "event", payload]);
        const state = encodeServerValue([ServerMessage.STATE, 1, 2, new Uint8Array(3), new Uint8Array(4)]);
        const bytes = assembleMessage([mutate(state, mutations), mutate(part, mutations)], 7);
        attempt(() => decodeServerMessage(bytes, 7));
        attempt(() => decodeServerMessage(bytes, undefined));
      }),
      { numRuns: 1000 },
    );
  });
});
