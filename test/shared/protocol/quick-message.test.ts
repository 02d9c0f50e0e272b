import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePayload, encodeClientValue } from "../../../shared/protocol/codec.ts";
import { quickMessage } from "../../../shared/protocol/quick-message.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { plainValue } from "./plain-values.ts";

const uint32 = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff),
);
const message = fc.record({
  seq: uint32,
  eventsReceived: uint32,
  name: fc.oneof(uint32, fc.string({ maxLength: 4 })),
  payload: fc.oneof({ weight: 3, arbitrary: fc.uint8Array({ maxLength: 300 }) }, plainValue),
});

/** Of all of the bytes. */
function quick(bytes: Uint8Array) {
  return quickMessage(bytes, 0, bytes.length);
}

function encode({
  seq,
  eventsReceived,
  name,
  payload,
}: typeof message extends fc.Arbitrary<infer M> ? M : never) {
  return encodeClientValue([ClientMessage.MESSAGE, seq, eventsReceived, name, payload]);
}

describe("quickMessage", () => {
  test("takes every message with a number as its name and a byte string of up to 255 bytes", () => {
    fc.assert(
      fc.property(message, (value) => {
        const { seq, name, payload } = value;
        const isQuick =
          seq > 0 && typeof name === "number" && payload instanceof Uint8Array && payload.length < 256;
        expect(quick(encode(value)) !== undefined).toBe(isQuick);
      }),
    );
  });

  test("makes of any bytes what the whole decoder makes of them, or leaves them to it", () => {
    const edit = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(message, fc.array(edit, { maxLength: 3 }), fc.nat({ max: 4 }), (value, edits, cut) => {
        const bytes = encode(value);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        const mangled = bytes.subarray(0, bytes.length - cut);
        const made = quick(mangled);
        if (made !== undefined) expect(made).toEqual(decodePayload(mangled));
      }),
      { numRuns: 2_000 },
    );
  });

  test("gives the payload bytes of its own, of the plain kind, whatever it was given", () => {
    const bytes = Buffer.from(
      encode({ seq: 1, eventsReceived: 0, name: 0, payload: new Uint8Array([5, 6]) }),
    );
    const payload = quick(bytes)?.[4];
    bytes.fill(0);
    expect(payload).toStrictEqual(new Uint8Array([5, 6]));
  });

  test("reads a message where it lies between others, and nothing of those", () => {
    const others = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(message, others, others, fc.nat({ max: 3 }), (value, before, after, cut) => {
        const own = encode(value);
        const bytes = new Uint8Array([...before, ...own, ...after]);
        const end = before.length + own.length - cut;
        expect(quickMessage(bytes, before.length, end)).toEqual(quick(own.subarray(0, own.length - cut)));
      }),
      { numRuns: 500 },
    );
  });

  test("payloads share memory, and none is written over", () => {
    const payloads = Array.from({ length: 1_000 }, (_, n) => {
      const payload = new Uint8Array(n % 256).fill(n);
      return quick(encode({ seq: 1, eventsReceived: 0, name: 0, payload }))?.[4];
    });
    for (const [n, payload] of payloads.entries()) expect(payload).toEqual(new Uint8Array(n % 256).fill(n));
    expect(new Set(payloads.map((payload) => (payload as Uint8Array).buffer)).size).toBeLessThan(20);
  });

  test("takes numbers in forms that are longer than they need to be, as the whole decoder does", () => {
    const wide = new Uint8Array([0x95, 0, 0xce, 0, 0, 0, 7, 0xcd, 0, 8, 0xcc, 9, 0xc4, 1, 5]);
    expect(decodePayload(wide)).toEqual([0, 7, 8, 9, new Uint8Array([5])]);
    expect(quick(wide)).toEqual([0, 7, 8, 9, new Uint8Array([5])]);
  });
});
