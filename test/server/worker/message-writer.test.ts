/** Messages for one client: byte for byte what packing and assembling their values gives. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAME_HEAD_BYTES_MAX } from "../../../server/transport/frame-writer.ts";
import { MessageWriter, SLAB_BYTES } from "../../../server/worker/message-writer.ts";
import { assembleMessage, encodeAcks, encodePayload } from "../../../shared/protocol/codec.ts";
import { messageIn } from "../../support/message-in.ts";

const TAG = 0x89abcdef;

/** Plain bytes, whatever they are a view of. */
function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

const uint = fc.oneof(fc.nat(300), fc.nat(2 ** 17), fc.maxSafeNat());
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("is what packing and assembling gives, and stays so whatever is written next", () => {
  const piece = fc.oneof(
    fc.record({ what: fc.constant("part" as const), bytes: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ what: fc.constant("byteString" as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ what: fc.constant("uint" as const), value: uint }),
    fc.record({ what: fc.constant("array" as const), values: fc.array(uint, { maxLength: 15 }) }),
    fc.record({ what: fc.constant("ack" as const), slot: fc.nat(2 ** 21 - 1), seq: uint32 }),
  );
  const messages = fc.array(fc.record({ pieces: fc.array(piece), tag: uint32, isTaken: fc.boolean() }));
  // Where the memory ends that messages lie in: somewhere within them.
  const freeBytes = fc.nat(400);
  const run = fc.property(messages, freeBytes, (all, free) => {
    const writer = new MessageWriter();
    const filling = new Uint8Array(SLAB_BYTES - FRAME_HEAD_BYTES_MAX - free).fill(1);
    writer.begin();
    writer.part(filling);
    const filled = writer.takePart();
    const taken: Uint8Array[] = [];
    const expected: Uint8Array[] = [];
    for (const { pieces, tag, isTaken } of all) {
      writer.begin();
      expect(writer.isEmpty).toBe(true);
      const parts: Uint8Array[] = [];
      for (const each of pieces) {
        if (each.what === "ack") {
          writer.ack(each);
          parts.push(encodePayload(encodeAcks([each], 2)));
        } else if (each.what === "uint") {
          writer.uint(each.value);
          parts.push(encodePayload(each.value));
        } else if (each.what === "array") {
          writer.array(each.values.length);
          for (const value of each.values) writer.uint(value);
          parts.push(encodePayload(each.values));
        } else {
          writer[each.what](each.bytes);
          parts.push(each.what === "part" ? each.bytes : encodePayload(each.bytes));
        }
      }
      expect(writer.isEmpty).toBe(parts.every(({ length }) => length === 0));
      if (!isTaken) continue;
      taken.push(messageIn(writer.takeFrame(tag)));
      expected.push(assembleMessage(parts, tag));
    }
    expect(Buffer.compare(filled, filling)).toBe(0);
    expect(taken.map(plain)).toEqual(expected);
  });
  fc.assert(run, { numRuns: 300 });
});

test.each([0, 127, 128, 255, 256, 2 ** 16 - 1, 2 ** 16, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])(
  "the integer %i is packed, and a part has no trailer",
  (value) => {
    const writer = new MessageWriter();
    writer.uint(value);
    expect(plain(writer.takePart())).toEqual(encodePayload(value));
  },
);

describe("a byte string", () => {
  test.each([0, 1, 24, 25, 255, 256, 65_535, 65_536, 200_000])("of %i bytes is packed", (length) => {
    const bytes = new Uint8Array(length).map((_, index) => index * 7);
    const writer = new MessageWriter();
    writer.byteString(bytes);
    expect(plain(messageIn(writer.takeFrame(TAG)))).toEqual(assembleMessage([encodePayload(bytes)], TAG));
  });
});

test("many messages lie in the same memory", () => {
  const writer = new MessageWriter();
  const part = new Uint8Array(100).fill(1);
  const memories = new Set<ArrayBufferLike>();
  for (let index = 0; index < 1_000; index++) {
    writer.begin();
    writer.part(part);
    memories.add(writer.takeFrame(TAG).buffer);
  }
  expect(memories.size).toBeLessThan(10);
});
