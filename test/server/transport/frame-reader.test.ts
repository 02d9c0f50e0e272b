/** The reader of plain frames against the one of ws: the same messages, in the same order, however the stream is cut. */
import type { Writable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as ws from "ws";
import { type FrameReader, type FrameSink, readFrames } from "../../../server/transport/frame-reader.ts";
import { cpuMs } from "../../support/cpu-time.ts";

/** Exported by ws, but not declared. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const PAYLOAD_MAX = 1_000;

type Frame = { readonly first: number; readonly payload: Uint8Array; readonly mask: Uint8Array };

const BINARY = 0x82;
const TEXT = 0x81;
const PING = 0x89;

function bytesOf({ first, payload, mask }: Frame): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.of(first, 0x80 | length)
      : length < 65_536
        ? Buffer.of(first, 0xfe, length >> 8, length & 255)
        : Buffer.concat([
            Buffer.of(first, 0xff, 0, 0, 0, 0),
            Buffer.of(0, length >> 16, (length >> 8) & 255, length & 255),
          ]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

/** What the reader hands over, and what of it ws makes of the rest; in one list, as a session would get it. */
function readBy(chunks: readonly Uint8Array[]) {
  const messages: string[] = [];
  let plain = 0;
  const { receiver, failed } = receiverInto(messages);
  const sink: FrameSink = {
    onMessage: (bytes, from, end) => {
      plain += 1;
      messages.push(Buffer.from(bytes.subarray(from, end)).toString("hex"));
    },
    onOther: (copy) => void receiver.write(copy),
  };
  let reader: FrameReader | undefined;
  for (const chunk of chunks)
    reader = readFrames(reader, Uint8Array.from(chunk), chunk.length, PAYLOAD_MAX, sink);
  return { messages, plain, failed };
}

function readByWs(stream: Buffer): string[] {
  const messages: string[] = [];
  receiverInto(messages).receiver.write(Buffer.from(stream));
  return messages;
}

function receiverInto(messages: string[]) {
  const receiver = new Receiver({ isServer: true, maxPayload: PAYLOAD_MAX, allowSynchronousEvents: true });
  let error: string | undefined;
  receiver.on("message", (data: Buffer, isBinary: boolean) => {
    messages.push(`${isBinary ? "" : "text "}${data.toString("hex")}`);
  });
  receiver.on("ping", (data: Buffer) => messages.push(`ping ${data.toString("hex")}`));
  receiver.on("error", ({ message }: Error) => {
    error ??= message;
  });
  return { receiver, failed: () => error };
}

function cut(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => stream.subarray(from, at[index] ?? stream.length));
}

const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 120, maxLength: 130 }),
  fc.uint8Array({ minLength: PAYLOAD_MAX, maxLength: PAYLOAD_MAX }),
);
const plainFrame = fc.record({ first: fc.constant(BINARY), payload, mask });
const ping = fc.record({ first: fc.constant(PING), payload: fc.uint8Array({ maxLength: 10 }), mask });
const text = fc.record({ first: fc.constant(TEXT), payload: fc.constant(Buffer.from("text")), mask });
/** One message in several frames, with a ping in between. */
const fragmented = fc
  .tuple(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 2, maxLength: 4 }), ping, mask)
  .map(([parts, control, key]) =>
    parts.flatMap((part, index): Frame[] => {
      const opcode = index === 0 ? 0x02 : 0x00;
      const frame = { first: opcode | (index === parts.length - 1 ? 0x80 : 0), payload: part, mask: key };
      return index === 1 ? [control, frame] : [frame];
    }),
  );
const frames = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: plainFrame.map((frame) => [frame]) },
      ping.map((frame) => [frame]),
      text.map((frame) => [frame]),
      fragmented,
    ),
  )
  .map((groups) => groups.flat());
const cuts = fc.array(fc.nat(20_000), { maxLength: 30 });

test("whatever comes in order is read as ws reads it, wherever the stream is cut", () => {
  fc.assert(
    fc.property(frames, cuts, (list, places) => {
      const stream = Buffer.concat(list.map(bytesOf));
      expect(readBy(cut(stream, places)).messages).toEqual(readByWs(stream));
    }),
    { numRuns: 500 },
  );
});

test("plain messages never get to the other reader, and are not copied when they come whole", () => {
  const list: Frame[] = [1, 125, 126, PAYLOAD_MAX].map((length) => ({
    first: BINARY,
    payload: new Uint8Array(length).fill(length),
    mask: Uint8Array.of(1, 2, 3, 4),
  }));
  const stream = Buffer.concat(list.map(bytesOf));
  const chunk = Uint8Array.from(stream);
  const seen: Uint8Array[] = [];
  const reader = readFrames(undefined, chunk, chunk.length, PAYLOAD_MAX, {
    onMessage: (bytes, from, end) => {
      expect(bytes).toBe(chunk);
      seen.push(bytes.slice(from, end));
    },
    onOther: () => expect.unreachable("all of it is plain"),
  });
  expect(reader).toBeUndefined();
  expect(seen).toEqual(list.map((frame) => frame.payload));
  for (let at = 1; at < stream.length; at++) {
    expect(readBy([stream.subarray(0, at), stream.subarray(at)]).plain).toBe(list.length);
  }
  expect(readBy([...stream].map((byte) => Uint8Array.of(byte))).plain).toBe(list.length);
});

test.each<[string, Buffer]>([
  ["is not masked", Buffer.of(BINARY, 3, 1, 2, 3)],
  [
    "is too long",
    bytesOf({ first: BINARY, payload: new Uint8Array(PAYLOAD_MAX + 1), mask: new Uint8Array(4) }),
  ],
  ["is far too long", bytesOf({ first: BINARY, payload: new Uint8Array(70_000), mask: new Uint8Array(4) })],
  ["has a reserved bit", bytesOf({ first: 0xc2, payload: new Uint8Array(3), mask: new Uint8Array(4) })],
  ["continues nothing", bytesOf({ first: 0x80, payload: new Uint8Array(3), mask: new Uint8Array(4) })],
  [
    "begins within a message",
    Buffer.concat(
      [0x02, 0x82].map((first) => bytesOf({ first, payload: Buffer.of(1), mask: new Uint8Array(4) })),
    ),
  ],
])("a frame that %s is refused by ws, and nothing is read after it", async (_what, bad) => {
  const good = bytesOf({ first: BINARY, payload: Buffer.of(7), mask: new Uint8Array(4) });
  const stream = Buffer.concat([good, bad, good]);
  for (let at = 0; at <= Math.min(stream.length, 40); at++) {
    const { messages, failed } = readBy([stream.subarray(0, at), stream.subarray(at)]);
    // ws tells of it in a later turn; what came in the same segment behind the bad frame may have been read by then.
    await new Promise(setImmediate);
    expect(failed()).toBeDefined();
    expect(messages[0]).toBe("07");
  }
});

test("behind a frame that is too long no message is read, in what comes later either", () => {
  const good = bytesOf({ first: BINARY, payload: Buffer.of(7), mask: new Uint8Array(4) });
  const payload = new Uint8Array(PAYLOAD_MAX + 1);
  const long = bytesOf({ first: BINARY, payload, mask: new Uint8Array(4) });
  expect(readBy([good, long, good]).plain).toBe(1);
});

test("the time for a frame that comes byte by byte grows with its length only", () => {
  const stream = bytesOf({
    first: BINARY,
    payload: new Uint8Array(60_000).fill(9),
    mask: Uint8Array.of(5, 6, 7, 8),
  });
  let bytes = 0;
  const sink: FrameSink = {
    onMessage: (_bytes, from, end) => (bytes += end - from),
    onOther: () => undefined,
  };
  const tookMs = cpuMs(() => {
    let reader: FrameReader | undefined;
    for (const byte of stream) reader = readFrames(reader, Uint8Array.of(byte), 1, 65_535, sink);
    expect(reader).toBeUndefined();
  });
  expect(bytes).toBe(60_000);
  expect(tookMs).toBeLessThan(1_000);
});
