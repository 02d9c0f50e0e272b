import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeStep, encodeStep, type JournalStep } from "../../../server/journal/step-codec.ts";
import { BadValue, ValueReader } from "../../../server/journal/value-reader.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";

const writer = new ValueWriter();

function roundTrip({ index, atMs, events }: JournalStep): JournalStep {
  writer.restart(0);
  encodeStep(writer, index, atMs, events);
  return decode(Buffer.from(writer.bytes.subarray(0, writer.length)));
}

function decode(bytes: Buffer): JournalStep {
  const reader = new ValueReader(bytes, 0, bytes.length);
  reader.uint();
  return decodeStep(reader);
}

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.string({ maxLength: 300 }));
const scalar = fc.oneof(
  fc.constantFrom(null, undefined, -0, Number.NaN, Number.POSITIVE_INFINITY, "\ufeffmark", "\ud800lone", ""),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  text,
  fc.uint8Array({ maxLength: 400 }),
);
const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.oneof(text, fc.constant("__proto__")), tie("value"), {
      maxKeys: 20,
      noNullPrototype: true,
    }),
  ),
})).value;

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const record = fc.dictionary(text, plain, { maxKeys: 4, noNullPrototype: true });
const finite = fc.double({ noNaN: true });
const sessionId = text;

/** One arbitrary for each type: a type that is missing here does not compile. */
const EVENTS: { readonly [T in RoomEvent["type"]]: fc.Arbitrary<Extract<RoomEvent, { type: T }>> } = {
  created: fc.record({ type: fc.constant("created"), options: record }),
  joined: fc.record({ type: fc.constant("joined"), sessionId, options: record, auth: plain }),
  message: fc.record({
    type: fc.constant("message"),
    sessionId,
    seq: uint32,
    message: fc.oneof(uint32, text),
    payload: plain,
  }),
  tick: fc.record({ type: fc.constant("tick"), dtMs: finite }),
  timer: fc.record({ type: fc.constant("timer"), timerId: uint32 }),
  dropped: fc.record({ type: fc.constant("dropped"), sessionId }),
  returned: fc.record({ type: fc.constant("returned"), sessionId, tokenGeneration: uint32 }),
  left: fc.record({ type: fc.constant("left"), sessionId, consented: fc.boolean() }),
  effect: fc.record({
    type: fc.constant("effect"),
    key: text,
    result: fc.oneof(fc.record({ value: plain }), fc.record({ error: text })),
  }),
  shutdown: fc.record({ type: fc.constant("shutdown") }),
  dispose: fc.record({ type: fc.constant("dispose") }),
};
const anyEvent: fc.Arbitrary<RoomEvent> = fc.oneof(...Object.values(EVENTS));

test.each(Object.entries(EVENTS))("%s comes back as it was, to the bit", (_, event) => {
  fc.assert(
    fc.property(event, (one) => {
      // toStrictEqual tells -0 from 0, an undefined field from none, and classes apart.
      const step = { index: 1, atMs: 0, events: [one] };
      expect(roundTrip(step)).toStrictEqual({ ...step, events: [normal(one)] });
    }),
    { numRuns: 200 },
  );
});

/** Objects that the generator made, with the prototype that every decoded one has. */
function normal<T>(value: T): T {
  return structuredClone(value);
}

test("a step comes back with all its events, however many", () => {
  fc.assert(
    fc.property(
      fc.maxSafeInteger().map(Math.abs),
      finite,
      fc.array(anyEvent, { maxLength: 40 }),
      (index, atMs, events) => {
        expect(roundTrip({ index, atMs, events })).toStrictEqual({ index, atMs, events: normal(events) });
      },
    ),
    { numRuns: 200 },
  );
});

test("lengths on both sides of every header form come back", () => {
  for (const length of [0, 15, 16, 31, 32, 64, 65, 255, 256, 65_535, 65_536]) {
    const payload = ["a".repeat(length), "é".repeat(length), new Uint8Array(length), Array(length).fill(1)];
    const events: RoomEvent[] = [{ type: "effect", key: "k", result: { value: payload } }];
    expect(roundTrip({ index: 1, atMs: 0, events }).events).toStrictEqual(events);
  }
});

test("what is not plain is refused by name", () => {
  const encode = (auth: unknown) => () =>
    encodeStep(writer, 1, 0, [{ type: "joined", sessionId: "s", options: {}, auth }]);
  let nested: unknown = 1;
  for (let i = 0; i < 17; i += 1) nested = [nested];
  writer.restart(0);
  expect(encode(() => 1)).toThrow("A function cannot");
  expect(encode({ deep: [1n] })).toThrow("A bigint cannot");
  expect(encode(new Date())).toThrow("of the kind Date");
  expect(encode(new Float32Array(1))).toThrow("of the kind Float32Array");
  expect(encode(nested)).toThrow("more than 16 deep");
});

test("whatever the bytes, decoding gives a step or throws BadValue", () => {
  writer.restart(0);
  encodeStep(writer, 3, 1.5, [{ type: "joined", sessionId: "s1", options: { a: [1, "x"] }, auth: null }]);
  const valid = writer.bytes.subarray(0, writer.length).toString("latin1");
  const changed = fc
    .tuple(fc.nat(valid.length), fc.nat(3), fc.string({ unit: "binary", maxLength: 4 }))
    .map(([at, removed, added]) =>
      Buffer.from(valid.slice(0, at) + added + valid.slice(at + removed), "latin1"),
    );
  const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, random), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BadValue);
      }
    }),
    { numRuns: 3_000 },
  );
});
