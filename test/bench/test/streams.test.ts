import { describe, expect, test } from "vitest";
import { parseAnswer } from "../generator/http.ts";
import { MarkerCounter } from "../generator/marker-counter.ts";

const MARKER = Uint8Array.of(0x93, 0x03, 0xa4, 0x63);

describe("the marker counter", () => {
  const noise = Uint8Array.of(0x93, 0x03, 0x93, 0x03, 0xa4, 0x00, 0x63);
  const stream = Buffer.concat([noise, MARKER, MARKER, noise, Buffer.alloc(100), MARKER, noise]);

  test.each([1, 2, 3, 4, 5, 7, 50, stream.length])("counts a stream in pieces of %i bytes", (size) => {
    const counter = new MarkerCounter(MARKER);
    for (let at = 0; at < stream.length; at += size) {
      const piece = stream.subarray(at, at + size);
      counter.push(piece, piece.length);
    }
    expect(counter.count).toBe(3);
  });

  test("looks only at the bytes it is told of, and keeps none of a buffer that is used again", () => {
    const counter = new MarkerCounter(MARKER);
    const buffer = new Uint8Array(16);
    buffer.set(MARKER);
    counter.push(buffer, 3);
    expect(counter.count).toBe(0);
    buffer.fill(0);
    buffer[0] = MARKER[3] as number;
    counter.push(buffer, 1);
    expect(counter.count).toBe(1);
  });
});

describe("an answer over HTTP", () => {
  const sized = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';
  const chunked =
    'HTTP/1.1 409 Conflict\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n';

  test("is complete when its length has come, or its last chunk", () => {
    expect(parseAnswer(sized)).toEqual({ status: 200, text: '{"a":1}' });
    expect(parseAnswer(chunked)).toEqual({ status: 409, text: '{"a":1}' });
  });

  test.each([
    ["sized", sized],
    ["chunked", chunked],
  ])("is not complete any earlier (%s)", (_name, whole) => {
    for (let length = 0; length < whole.length; length++) {
      expect(parseAnswer(whole.slice(0, length))).toBeUndefined();
    }
  });
});
