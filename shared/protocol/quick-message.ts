/**
 * Reads the message that clients send most without the library: a MESSAGE that gives the number of its name and has a
 * byte string as its payload. Everything else, and everything that is not in order, is left to the whole decoder.
 */
import { ClientMessage, type ClientValue } from "./wire.ts";

const ARRAY_OF_5 = 0x95;
const BINARY_8 = 0xc4;
/** Its form with 2 bytes has the next token, the one with 4 the one after. */
const UINT_8 = 0xcc;
const NO_UINT = -1;
/** Memory from which payloads are taken: an array with memory of its own is twice as large, and all wait for a tick. */
const POOL_BYTES = 16_384;

/** Where the next byte is; the reading of one message is never interrupted by that of another. */
let at = 0;

let memory = new ArrayBuffer(POOL_BYTES);
let pool = new Uint8Array(memory);
let pooled = 0;

/**
 * @param from where the message begins
 * @param end where it ends
 * @returns what the whole decoder would make of it; undefined: that must be asked. The payload is its receiver's own
 * bytes, in memory that it shares with other payloads: for what is soon let go
 */
export function quickMessage(bytes: Uint8Array, from: number, end: number): ClientValue | undefined {
  if (bytes[from] !== ARRAY_OF_5 || bytes[from + 1] !== ClientMessage.MESSAGE) return undefined;
  at = from + 2;
  const seq = readUint(bytes);
  const eventsReceived = readUint(bytes);
  const message = readUint(bytes);
  // Beyond the end there is NaN, which is nothing of this either.
  if (!(seq > 0 && eventsReceived >= 0 && message >= 0)) return undefined;
  const length = bytes[at + 1] as number;
  const start = at + 2;
  if (bytes[at] !== BINARY_8 || end !== start + length) return undefined;
  return [ClientMessage.MESSAGE, seq, eventsReceived, message, copyOf(bytes, start, length)];
}

function copyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (length > POOL_BYTES - pooled) {
    memory = new ArrayBuffer(POOL_BYTES);
    pool = new Uint8Array(memory);
    pooled = 0;
  }
  for (let i = 0; i < length; i += 1) pool[pooled + i] = bytes[start + i] as number;
  const copy = new Uint8Array(memory, pooled, length);
  pooled += length;
  return copy;
}

function readUint(bytes: Uint8Array): number {
  const token = bytes[at++] as number;
  if (token < 0x80) return token;
  if (token < UINT_8 || token > UINT_8 + 2) return NO_UINT;
  let value = 0;
  for (const end = at + (1 << (token - UINT_8)); at < end; at += 1) {
    value = value * 0x100 + (bytes[at] as number);
  }
  return value;
}
