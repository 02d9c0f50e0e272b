import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assembleMessage,
  decodeClientValue,
  decodePayload,
  decodeServerMessage,
  encodeAcks,
  encodeClientValue,
  encodePayload,
  encodeServerValue,
  findAck,
} from "../../../shared/protocol/codec.ts";
import { prescan } from "../../../shared/protocol/prescan.ts";
import {
  ClientMessage,
  type ClientValue,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import { double, plainValue } from "./plain-values.ts";
import { expectError, fromHex, toHex } from "./support.ts";

const TAG = 0xdeadbeef;
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const finite = double.filter(Number.isFinite);
const bytes = fc.uint8Array({ maxLength: 600 });

const WELCOME: Welcome = {
  roomId: "r1",
  roomType: "arena",
  code: "K7QX",
  sessionId: "s1",
  slot: 3,
  resumed: false,
  resumeToken: "s1.1.secret",
  reconnectMs: 15_000,
  epoch: 1,
  worker: 1,
  tag: TAG,
  tickRate: 20,
  nextEvent: 1,
  ack: 0,
  savesLater: false,
  stepBackEpoch: 0,
  messages: ["move"],
  schemaHash: "0badcafe",
  schema: null,
};

const clientValue: fc.Arbitrary<ClientValue> = fc.oneof(
  fc.tuple(
    fc.constant(ClientMessage.MESSAGE),
    fc.integer({ min: 1, max: 0xffffffff }),
    uint32,
    fc.oneof(uint32, fc.string({ maxLength: 60 })),
    plainValue,
  ),
  fc.tuple(fc.constant(ClientMessage.PING), finite, uint32),
  fc.tuple(fc.constant(ClientMessage.LEAVE)),
  fc.tuple(fc.constant(ClientMessage.ACK), uint32),
);

const serverValue: fc.Arbitrary<ServerValue> = fc.oneof(
  fc.tuple(fc.constantFrom(ServerMessage.STATE, ServerMessage.SNAPSHOT), uint32, finite, bytes, bytes),
  fc.tuple(fc.constant(ServerMessage.EVENT), fc.string({ maxLength: 60 }), plainValue),
  fc.tuple(fc.constant(ServerMessage.PONG), finite, finite),
  fc.tuple(fc.constant(ServerMessage.OWN), bytes),
);

describe("payloads", () => {
  test("arrive as they were sent", () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        expect(decodePayload(encodePayload(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("what is encoded passes the prescan, and owns exactly its bytes", () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        const encoded = encodePayload(value);
        prescan(encoded);
        expect(encoded.constructor).toBe(Uint8Array);
        expect(encoded.buffer.byteLength).toBe(encoded.length);
      }),
    );
  });

  test("byte strings in what is decoded are copies, not views of what was received", () => {
    for (const received of [
      Buffer.from(encodePayload(["a", new Uint8Array(9)])),
      encodePayload(["a", new Uint8Array(9)]),
    ]) {
      const [, bytes] = decodePayload(received) as [string, Uint8Array];
      received.fill(0xff);
      expect([...bytes]).toEqual(new Array(9).fill(0));
    }
  });

  test("undefined is left out of objects and nil elsewhere", () => {
    expect(toHex(encodePayload({ a: undefined, b: [undefined] }))).toBe("81a16291c0");
    expect(decodePayload(encodePayload(undefined))).toBeNull();
  });

  test("integers past 32 bits stay numbers", () => {
    for (const value of [2 ** 32, 2 ** 53 - 1, -(2 ** 31) - 1, Date.UTC(2026, 0, 1)]) {
      expect(decodePayload(encodePayload(value))).toBe(value);
    }
    expect(decodePayload(fromHex("cf0020000000000000"))).toBe(2 ** 53);
    expect(decodePayload(fromHex("d3ffffffffffffffff"))).toBe(-1);
  });

  test("an object of a class arrives with its own fields, whatever their names", () => {
    class Point {
      x = 1;
      get y() {
        return 2;
      }
      toJSON() {
        return "no";
      }
    }
    const odd = { toJSON: 1, constructor: 2, hasOwnProperty: 3, length: 4 };
    expect(decodePayload(encodePayload([new Point(), odd, Object.create(null)]))).toEqual([
      { x: 1 },
      odd,
      {},
    ]);
  });

  test.each([
    ["Date", new Date(0)],
    ["Map", new Map()],
    ["Set", new Set()],
    ["Float32Array", new Float32Array(2)],
    ["ArrayBuffer", new ArrayBuffer(2)],
    ["Error", new Error("no")],
    ["Promise", Promise.resolve()],
    ["bigint", 1n],
    ["function", () => 1],
    ["symbol", Symbol("no")],
  ])("a %s is refused by name", (name, value) => {
    expect(() => encodePayload({ deep: [value] })).toThrow(TypeError);
    expect(() => encodePayload({ deep: [value] })).toThrow(name);
  });

  test("16 levels can be sent, 17 and cycles cannot", () => {
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
    expect(decodePayload(encodePayload(nest(16)))).toEqual(nest(16));
    expect(() => encodePayload(nest(17))).toThrow(/nested more than 16 deep/);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => encodePayload(cycle)).toThrow(/in itself/);
  });

  test("a payload of a MESSAGE or EVENT has 15 levels", () => {
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
    const value: ServerValue = [ServerMessage.EVENT, "deep", nest(15)];
    expect(decodeServerMessage(assembleMessage([encodeServerValue(value)], TAG), TAG)).toEqual([value]);
    expect(() => encodeServerValue([ServerMessage.EVENT, "deep", nest(16)])).toThrow(TypeError);
  });
});

describe("client values", () => {
  test("arrive as they were sent", () => {
    fc.assert(
      fc.property(clientValue, (value) => {
        expect(decodeClientValue(encodeClientValue(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, unknown]>([
    ["not an array", { 0: 0 }],
    ["empty", []],
    ["of unknown type", [9]],
    ["of no type", ["0", 1, 0, "move", null]],
    ["MESSAGE without payload", [0, 1, 0, "move"]],
    ["MESSAGE with more", [0, 1, 0, "move", null, null]],
    ["MESSAGE numbered 0", [0, 0, 0, "move", null]],
    ["MESSAGE numbered past 32 bits", [0, 2 ** 32, 0, "move", null]],
    ["MESSAGE numbered with a fraction", [0, 1.5, 0, "move", null]],
    ["MESSAGE numbered NaN", [0, Number.NaN, 0, "move", null]],
    ["MESSAGE with negative events", [0, 1, -1, "move", null]],
    ["MESSAGE with no name", [0, 1, 0, null, null]],
    ["MESSAGE with a negative index", [0, 1, 0, -1, null]],
    ["PING at NaN", [1, Number.NaN, 0]],
    ["PING at infinity", [1, Number.POSITIVE_INFINITY, 0]],
    ["PING without events", [1, 5]],
    ["LEAVE with more", [2, 1]],
    ["ACK of a string", [3, "1"]],
  ])("a value %s is refused", (_name, value) => {
    expectError(() => decodeClientValue(encodePayload(value)), "PROTOCOL_ERROR", /unknown form/);
  });
});

describe("server messages", () => {
  test("arrive as they were sent", () => {
    fc.assert(
      fc.property(fc.array(serverValue, { minLength: 1, maxLength: 5 }), uint32, (values, tag) => {
        const message = assembleMessage(values.map(encodeServerValue), tag);
        expect(decodeServerMessage(message, tag)).toEqual(values);
        expectError(() => decodeServerMessage(message, (tag ^ 1) >>> 0), "PROTOCOL_ERROR", /another tag/);
      }),
      { numRuns: 500 },
    );
  });

  test("no proper prefix of a message is understood, and no message with one byte cut out", () => {
    const values: ServerValue[] = [
      [ServerMessage.STATE, 7, 350, fromHex("032a00"), fromHex("0102")],
      [ServerMessage.EVENT, "hit", { by: "s1" }],
    ];
    const message = assembleMessage(values.map(encodeServerValue), TAG);
    for (let length = 0; length < message.length; length += 1) {
      expectError(() => decodeServerMessage(message.subarray(0, length), TAG), "PROTOCOL_ERROR");
    }
  });

  test("the first begins with a WELCOME that tells its tag", () => {
    const welcome = encodeServerValue([ServerMessage.WELCOME, 1, WELCOME]);
    const pong = encodeServerValue([ServerMessage.PONG, 1, 2]);
    expect(decodeServerMessage(assembleMessage([welcome, pong], TAG), undefined)).toEqual([
      [ServerMessage.WELCOME, 1, WELCOME],
      [ServerMessage.PONG, 1, 2],
    ]);
    const first =
      (...parts: Uint8Array[]) =>
      () =>
        decodeServerMessage(assembleMessage(parts, TAG), undefined);
    expectError(first(pong), "PROTOCOL_ERROR", /neither WELCOME nor RESUME/);
    expectError(first(pong, welcome), "PROTOCOL_ERROR", /neither WELCOME nor RESUME/);
    expectError(
      () => decodeServerMessage(assembleMessage([welcome], TAG - 1), undefined),
      "PROTOCOL_ERROR",
      /another tag/,
    );
  });

  test("[R5] a RESUME is alone in its message, and changes the tag", () => {
    const resume = encodeServerValue([ServerMessage.RESUME, 7, TAG, 41]);
    const pong = encodeServerValue([ServerMessage.PONG, 1, 2]);
    const expected = [[ServerMessage.RESUME, 7, TAG, 41]];
    expect(decodeServerMessage(assembleMessage([resume], TAG), TAG - 1)).toEqual(expected);
    expect(decodeServerMessage(assembleMessage([resume], TAG), undefined)).toEqual(expected);
    for (const parts of [
      [resume, pong],
      [pong, resume],
      [resume, resume],
    ]) {
      for (const known of [TAG, undefined]) {
        expectError(() => decodeServerMessage(assembleMessage(parts, TAG), known), "PROTOCOL_ERROR");
      }
    }
    for (const known of [TAG - 1, TAG, undefined]) {
      expectError(
        () => decodeServerMessage(assembleMessage([resume], TAG - 1), known),
        "PROTOCOL_ERROR",
        /another tag/,
      );
    }
    const welcome = encodeServerValue([ServerMessage.WELCOME, 1, WELCOME]);
    expectError(
      () => decodeServerMessage(assembleMessage([welcome], TAG), TAG - 1),
      "PROTOCOL_ERROR",
      /another tag/,
    );
  });

  test("a WELCOME of another version or without one of its fields is refused", () => {
    const decode = (version: number, welcome: object) => () =>
      decodeServerMessage(
        assembleMessage([encodePayload([ServerMessage.WELCOME, version, welcome])], TAG),
        TAG,
      );
    decode(1, WELCOME)();
    expectError(decode(2, WELCOME), "PROTOCOL_ERROR", /unknown form/);
    for (const field of Object.keys(WELCOME)) {
      expectError(decode(1, { ...WELCOME, [field]: undefined }), "PROTOCOL_ERROR", /unknown form/);
    }
    expectError(decode(1, { ...WELCOME, messages: ["move", 1] }), "PROTOCOL_ERROR", /unknown form/);
  });

  test.each<[string, unknown]>([
    ["STATE without patch", [1, 1, 1, new Uint8Array()]],
    ["STATE with an array for bytes", [1, 1, 1, [], new Uint8Array()]],
    ["SNAPSHOT at a negative tick", [2, -1, 1, new Uint8Array(), new Uint8Array()]],
    ["EVENT without name", [3, 1, null]],
    ["PONG of nil", [4, null, 1]],
    ["OWN of a string", [5, "x"]],
    ["unknown type", [6]],
    ["scalar", 1],
  ])("a %s is refused", (_name, value) => {
    const message = assembleMessage([encodePayload(value)], TAG);
    expectError(() => decodeServerMessage(message, TAG), "PROTOCOL_ERROR", /unknown form/);
  });

  test("a message without a value is refused", () => {
    expectError(() => decodeServerMessage(assembleMessage([], TAG), TAG), "PROTOCOL_ERROR", /no value/);
    expectError(() => decodeServerMessage(new Uint8Array(), TAG), "PROTOCOL_ERROR", /no value/);
  });

  test("the trailer is little-endian", () => {
    expect(toHex(assembleMessage([fromHex("c0"), fromHex("01")], 0x04030201))).toBe("c00101020304");
  });
});

describe("tables of acknowledgements", () => {
  test("[A] a sequence is found again from any number near it", () => {
    const rows = fc.uniqueArray(fc.record({ slot: fc.integer({ min: 0, max: 100_000 }), seq: uint32 }), {
      selector: ({ slot }) => slot,
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom(1, 2),
        fc.integer({ min: -32_767, max: 32_767 }),
        (acks, bytes, far) => {
          const table = encodeAcks(acks, bytes);
          const distance = bytes === 1 ? far % 128 : far;
          for (const { slot, seq } of acks) {
            const near = Math.max(0, Math.min(0xffffffff, seq + distance));
            expect(findAck(table, slot, near)).toBe(seq);
          }
          expect(findAck(table, 100_001, 0)).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("[A3] slots that follow each other share a head, so that a full room takes little more than a byte for each", () => {
    const acks = Array.from({ length: 32 }, (_, slot) => ({ slot, seq: 1_000 + slot }));
    expect(encodeAcks(acks, 1)).toHaveLength(2 + 32);
    expect(encodeAcks(acks.toReversed(), 2)).toHaveLength(2 + 64);
    expect(encodeAcks([], 1)).toHaveLength(0);
  });

  test("a table that is cut short is refused", () => {
    for (const hex of ["80", "00", "0002", "0003ff", "0004ff", "800102", "ffffffffffffffffffff"]) {
      expectError(() => findAck(fromHex(hex), 99, 0), "PROTOCOL_ERROR", /cut short/);
    }
  });
});
