/** Makes the WebSocket frame of a message (RFC 6455, section 5.2): binary, final, from a server and so not masked. */
import { BINARY, LENGTH_IN_2_BYTES } from "./frame-reader.ts";

const LENGTH_IN_8_BYTES = 127;

let lastMessage: Uint8Array | undefined;
let lastFrame: Buffer | undefined;

/**
 * @param message not changed any more: the frame of the last one is kept, since the same goes to a whole room
 * @returns bytes that are not to be changed
 */
export function frameOf(message: Uint8Array): Buffer {
  if (lastFrame !== undefined && message === lastMessage) return lastFrame;
  const { length } = message;
  const headBytes = headBytesOf(length);
  const frame = Buffer.allocUnsafe(headBytes + length);
  writeHead(frame, length);
  frame.set(message, headBytes);
  lastMessage = message;
  lastFrame = frame;
  return frame;
}

/** @returns what stands before a message of so many bytes */
export function headOf(length: number): Buffer {
  const head = Buffer.allocUnsafe(headBytesOf(length));
  writeHead(head, length);
  return head;
}

function headBytesOf(length: number): number {
  if (length < LENGTH_IN_2_BYTES) return 2;
  return length < 2 ** 16 ? 4 : 10;
}

function writeHead(frame: Buffer, length: number): void {
  frame[0] = BINARY;
  if (length < LENGTH_IN_2_BYTES) frame[1] = length;
  else if (length < 2 ** 16) {
    frame[1] = LENGTH_IN_2_BYTES;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_IN_8_BYTES;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
}
