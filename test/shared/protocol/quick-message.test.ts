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
        expect(quickMessage(encode(value)) !== undefined).toBe(isQuick);
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
        const quick = quickMessage(mangled);
        if (quick !== undefined) expect(quick).toEqual(decodePayload(mangled));
      }),
      { numRuns: 2_000 },
    );
  });

  test("gives the payload bytes of its own, of the plain kind, whatever it was given", () => {
    const bytes = Buffer.from(
      encode({ seq: 1, eventsReceived: 0, name: 0, payload: new Uint8Array([5, 6]) }),
    );
    const payload = quickMessage(bytes)?.[4];
    bytes.fill(0);
    expect(payload).toStrictEqual(new Uint8Array([5, 6]));
  });

  test("takes numbers in forms that are longer than they need to be, as the whole decoder does", () => {
    const wide = new Uint8Array([0x95, 0, 0xce, 0, 0, 0, 7, 0xcd, 0, 8, 0xcc, 9, 0xc4, 1, 5]);
    expect(decodePayload(wide)).toEqual([0, 7, 8, 9, new Uint8Array([5])]);
    expect(quickMessage(wide)).toEqual([0, 7, 8, 9, new Uint8Array([5])]);
  });
});
