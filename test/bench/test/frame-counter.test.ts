import { describe, expect, test } from "vitest";
import { FrameCounter } from "../generator/frame-counter.ts";

const BINARY = 0x82;
const PING = 0x89;
const CLOSE = 0x88;

/** An unmasked frame, as servers send them. */
function frame(first: number, payloadBytes: number): Buffer {
  const head =
    payloadBytes < 126
      ? Buffer.from([first, payloadBytes])
      : payloadBytes < 2 ** 16
        ? Buffer.from([first, 126, payloadBytes >> 8, payloadBytes & 255])
        : Buffer.concat([Buffer.from([first, 127, 0, 0, 0, 0]), bigEndian(payloadBytes)]);
  // What could be taken for the head of a frame when the boundary is missed.
  return Buffer.concat([head, Buffer.alloc(payloadBytes, BINARY)]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function pushAll(counter: FrameCounter, stream: Buffer, chunkBytes: number): void {
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const chunk = stream.subarray(at, at + chunkBytes);
    counter.push(chunk, chunk.length);
  }
}

const STREAM = Buffer.concat([
  frame(BINARY, 0),
  frame(BINARY, 5),
  frame(PING, 0),
  frame(BINARY, 125),
  frame(BINARY, 126),
  frame(BINARY, 700),
  frame(PING, 4),
  frame(BINARY, 70_000),
  frame(BINARY, 1),
]);

describe("the frame counter", () => {
  test.each([1, 2, 3, 7, 128, 1_000, 65_536, STREAM.length])(
    "counts a stream in pieces of %i bytes",
    (size) => {
      const counter = new FrameCounter();
      pushAll(counter, STREAM, size);
      expect({ messages: counter.messages, pings: counter.pings }).toEqual({ messages: 7, pings: 2 });
      expect(counter.isClosed).toBe(false);
    },
  );

  test("counts a frame when its last byte is here, not before", () => {
    const counter = new FrameCounter();
    const bytes = frame(BINARY, 300);
    counter.push(bytes, bytes.length - 1);
    expect(counter.messages).toBe(0);
    counter.push(bytes.subarray(-1), 1);
    expect(counter.messages).toBe(1);
  });

  test("looks only at the bytes it is told of: the rest of a reused buffer is old", () => {
    const counter = new FrameCounter();
    counter.push(Buffer.concat([frame(BINARY, 10), frame(BINARY, 10)]), 12);
    expect(counter.messages).toBe(1);
  });

  test("counts a fragmented message once", () => {
    const counter = new FrameCounter();
    const parts = Buffer.concat([frame(0x02, 10), frame(0x00, 10), frame(0x80, 10)]);
    counter.push(parts, parts.length);
    expect(counter.messages).toBe(1);
  });

  test("sees the closing frame", () => {
    const counter = new FrameCounter();
    const bytes = frame(CLOSE, 2);
    counter.push(bytes, bytes.length);
    expect(counter.isClosed).toBe(true);
    expect(counter.messages).toBe(0);
  });
});
