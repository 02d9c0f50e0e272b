/**
 * WebSocket frames (RFC 6455, section 5.2) of what a server sends: binary, final, not masked. A message that is written
 * for many clients, or often, leaves room for the head of its frame, so that it is not copied for it.
 */
import { BINARY, LENGTH_IN_2_BYTES } from "./frame-reader.ts";

const LENGTH_IN_8_BYTES = 127;

export const FRAME_HEAD_BYTES_MAX = 10;

/**
 * Writes the head of the frame of a message that lies in `bytes`, `length` bytes from `start` on, with
 * FRAME_HEAD_BYTES_MAX bytes before it that nobody else needs.
 *
 * @returns where the frame begins
 */
export function writeHeadBefore(bytes: Uint8Array, start: number, length: number): number {
  const isShort = length < LENGTH_IN_2_BYTES;
  const lengthBytes = isShort ? 0 : length < 2 ** 16 ? 2 : 8;
  const at = start - 2 - lengthBytes;
  bytes[at] = BINARY;
  bytes[at + 1] = isShort ? length : lengthBytes === 2 ? LENGTH_IN_2_BYTES : LENGTH_IN_8_BYTES;
  let rest = length;
  for (let index = start - 1; index > at + 1; index--) {
    bytes[index] = rest;
    rest = Math.floor(rest / 2 ** 8);
  }
  return at;
}

/** @returns a frame of its own for the message */
export function frameOf(message: Uint8Array): Uint8Array {
  const { length } = message;
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES_MAX + length);
  bytes.set(message, FRAME_HEAD_BYTES_MAX);
  return bytes.subarray(writeHeadBefore(bytes, FRAME_HEAD_BYTES_MAX, length));
}
