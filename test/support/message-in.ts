/** Reads a WebSocket frame as a client does (RFC 6455, section 5.2). */
import assert from "node:assert/strict";

const FINAL_BINARY = 0x82;

/** @returns the message in a frame that a server sends, which is all there is */
export function messageIn(frame: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = frame;
  const view = new DataView(buffer, byteOffset, byteLength);
  assert.equal(view.getUint8(0), FINAL_BINARY);
  const short = view.getUint8(1);
  const [length, start] =
    short < 126 ? [short, 2] : short === 126 ? [view.getUint16(2), 4] : [Number(view.getBigUint64(2)), 10];
  assert.equal(start + length, byteLength);
  return frame.subarray(start);
}
