/** [R5] Where a stream goes on whose first part another process has read: at the RESYNC, wherever it stands. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findResync, RESYNC_FRAME_BYTES_MAX } from "../../../server/transport/resync-scan.ts";
import { encodeClientValue } from "../../../shared/protocol/codec.ts";
import { ClientMessage, type ClientValue } from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { frame } from "../../support/raw-client.ts";

const BINARY = 0x82;
const NONCE = 0xcafe_babe;
const RESYNC: ClientValue = [ClientMessage.RESYNC, NONCE, 12, "0badcafe"];
const TAIL = frame(BINARY, encodeClientValue([ClientMessage.ACK, 12]));

/** Masks that make a frame look like the beginning of others, or like nothing at all. */
const MASKS: readonly (readonly number[])[] = [
  [0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0x82, 0x82, 0x82, 0x82],
  [0x82, 0xfd, 0x82, 0xfd],
  [0x82, 0x91, 0x00, 0x94],
  [0x94, 0x82, 0x9a, 0x82],
  [0x82 ^ 0x94, 0x04 ^ 0x8f, 0xce, 0x82],
];

/** Sockets give Buffers, whose `slice` is no copy. */
const KINDS: readonly ((bytes: Buffer) => Uint8Array)[] = [
  (bytes) => new Uint8Array(bytes),
  (bytes) => Buffer.from(bytes),
];

function resyncFrame(mask?: readonly number[], value: ClientValue = RESYNC): Buffer {
  return frame(BINARY, encodeClientValue(value), mask && Uint8Array.from(mask));
}

/** Behind these bytes the frame is found, and where it ends; the bytes stay as they are. */
function expectFound(before: Uint8Array, resync = resyncFrame(), after: Uint8Array = TAIL): void {
  for (const of of KINDS) {
    const bytes = of(Buffer.concat([before, resync, after]));
    const untouched = Uint8Array.from(bytes);
    expect(findResync(bytes, NONCE)).toEqual({ resync: RESYNC, end: before.length + resync.length });
    expect(untouched.every((byte, at) => byte === bytes[at])).toBe(true);
  }
}

/** What looks like a frame with an array of four, goes on beyond its own bytes, and is none. */
function decoy(mask: readonly number[], length: number): Buffer {
  const [first = 0] = mask;
  return Buffer.from([BINARY, 0x80 | length, ...mask, first ^ 0x94]);
}

describe("a RESYNC is found", () => {
  test.each(MASKS)("with the mask %i %i %i %i, at every alignment", (...mask) => {
    for (let offset = 0; offset <= RESYNC_FRAME_BYTES_MAX; offset++) {
      expectFound(Buffer.alloc(offset, BINARY), resyncFrame(mask));
      expectFound(Buffer.alloc(offset), resyncFrame(mask));
    }
  });

  test("behind what is left of a frame of each form of header, wherever that was cut", () => {
    const payload = (length: number) => Buffer.from(Array.from({ length }, (_, index) => index * 131));
    for (const length of [1, 40, 125, 126, 600]) {
      const whole = frame(BINARY, payload(length));
      for (let cut = 0; cut <= whole.length; cut++) expectFound(whole.subarray(cut));
    }
    const large = frame(BINARY, payload(70_000));
    for (let cut = 0; cut <= 20; cut++) expectFound(large.subarray(cut));
  });

  test("behind RESYNCs that answered an earlier owner, whole and in part", () => {
    const earlier = resyncFrame(undefined, [ClientMessage.RESYNC, NONCE - 1, 12, "0badcafe"]);
    for (let cut = 0; cut <= earlier.length; cut++) {
      expectFound(Buffer.concat([earlier.subarray(cut), TAIL, earlier]));
    }
  });

  test("within what looks like a frame that began before it", () => {
    for (const length of [1, 2, 20, 33, 60, 125]) {
      expectFound(decoy([1, 2, 3, 4], length), resyncFrame(), Buffer.alloc(125));
      // Four of them: the bytes would be unmasked several times over.
      const decoys = [1, 2, 3, 4].map((byte) => decoy([byte, 9, 8, 7], length));
      expectFound(Buffer.concat(decoys), resyncFrame(), Buffer.alloc(125));
    }
  });

  test("with the longest answer there is, and the shortest", () => {
    for (const schemaHash of ["", "h".repeat(64)]) {
      const value: ClientValue = [ClientMessage.RESYNC, NONCE, 0xffff_ffff, schemaHash];
      const bytes = resyncFrame(undefined, value);
      expect(bytes.length).toBeLessThanOrEqual(RESYNC_FRAME_BYTES_MAX);
      expect(findResync(bytes, NONCE)).toEqual({ resync: value, end: bytes.length });
    }
  });

  test("the first one, where there are two", () => {
    const first = resyncFrame(undefined, [ClientMessage.RESYNC, NONCE, 1, ""]);
    expect(findResync(Buffer.concat([first, resyncFrame()]), NONCE)?.resync[2]).toBe(1);
  });
});

describe("it is not taken", () => {
  test("with another nonce", () => {
    for (let bit = 0; bit < 32; bit++)
      expect(findResync(resyncFrame(), (NONCE ^ (1 << bit)) >>> 0)).toBe(undefined);
  });

  test("before its last byte is there", () => {
    const whole = resyncFrame();
    for (const before of [0, 3, 131]) {
      for (let length = 0; length < whole.length; length++) {
        const bytes = Buffer.concat([Buffer.alloc(before, 7), whole.subarray(0, length)]);
        expect(findResync(bytes, NONCE)).toBe(undefined);
      }
    }
  });

  test("when it is not masked, not final, text, or in a longer form of header", () => {
    const payload = encodeClientValue(RESYNC);
    const masked = frame(BINARY, payload, Uint8Array.of(1, 2, 3, 4));
    const plain = Buffer.concat([Buffer.from([BINARY, payload.length]), payload]);
    const long = Buffer.concat([Buffer.from([BINARY, 0xfe, 0, payload.length]), masked.subarray(2)]);
    const first = (byte: number) => Buffer.concat([Buffer.from([byte]), masked.subarray(1)]);
    for (const bytes of [plain, long, first(0x02), first(0x80), first(0x81), first(0xc2)]) {
      expect(findResync(Buffer.concat([bytes, TAIL]), NONCE)).toBe(undefined);
    }
  });

  test("when it is another message, or of another form", () => {
    const others: ClientValue[] = [
      [ClientMessage.MESSAGE, NONCE, 12, "0badcafe", null],
      [ClientMessage.PING, NONCE, 12],
    ];
    for (const value of others) expect(findResync(resyncFrame(undefined, value), NONCE)).toBe(undefined);
    const negative = [ClientMessage.RESYNC, NONCE, -1, ""] as const;
    expect(findResync(resyncFrame(undefined, negative), NONCE)).toBe(undefined);
    const trailing = frame(BINARY, Buffer.concat([encodeClientValue(RESYNC), Buffer.of(0)]));
    expect(findResync(trailing, NONCE)).toBe(undefined);
  });
});

test("whatever comes before and after it, and however it is masked, it is found and nothing else", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  // Bytes that frames begin with come often.
  const noise = fc.array(fc.oneof(byte, fc.constantFrom(BINARY, 0xfe, 0xff, 0xb3, 0x94)), { maxLength: 300 });
  const mask = fc.array(fc.oneof(byte, fc.constant(BINARY)), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(noise, mask, noise, fc.nat({ max: 0xffff_ffff }), (before, maskBytes, after, nonce) => {
      const value: ClientValue = [ClientMessage.RESYNC, nonce, 3, "h"];
      const resync = frame(BINARY, encodeClientValue(value), Uint8Array.from(maskBytes));
      const bytes = Buffer.concat([Buffer.from(before), resync, Buffer.from(after)]);
      expect(findResync(bytes, nonce)).toEqual({ resync: value, end: before.length + resync.length });
      expect(findResync(Buffer.concat([Buffer.from(before), Buffer.from(after)]), nonce)).toBe(undefined);
    }),
    { numRuns: 2_000 },
  );
});

describe("the cost is linear", () => {
  const MIB = 1024 * 1024;
  const random = createRandom(7);
  const noise = Buffer.from(Array.from({ length: 4_096 }, () => Math.floor(random.next() * 256)));
  test.each([
    ["first bytes of frames", Buffer.alloc(MIB, BINARY), 800],
    ["heads of frames", Buffer.alloc(MIB, Buffer.from([BINARY, 0xfd])), 800],
    ["noise", Buffer.alloc(MIB, noise), 800],
    // Each of them is unmasked and decoded in vain.
    ["decoys", Buffer.alloc(MIB, decoy([1, 2, 3, 4], 125)), 5_000],
  ])("of a MiB of %s", (_what, bytes, withinMs) => {
    const tookMs = cpuMs(() => expect(findResync(bytes, NONCE)).toBe(undefined));
    expect(tookMs).toBeLessThan(withinMs);
  });
});
