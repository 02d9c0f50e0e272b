/**
 * Finds the one frame at which a broken stream can be read again. A worker that died has read an unknown part of what
 * a client sent, so its successor begins in the middle of some frame; the client's RESYNC, which repeats a number that
 * only the successor has sent, is looked for at every alignment (PROTOCOL.md, R5).
 */
import { RookeryError } from "../../shared/errors.ts";
import { decodeClientValue } from "../../shared/protocol/codec.ts";
import { ClientMessage, type Resync } from "../../shared/protocol/wire.ts";
import { BINARY, LENGTH_IN_2_BYTES, MASK_BYTES, MASKED } from "./frame-reader.ts";

const HEAD_BYTES = 2;
const SHORT_PAYLOAD_MAX = LENGTH_IN_2_BYTES - 1;
/** Of the frame with a RESYNC: what is older than this when the frame is not complete cannot be part of it. */
export const RESYNC_FRAME_BYTES_MAX = HEAD_BYTES + MASK_BYTES + SHORT_PAYLOAD_MAX;
/** First byte of an array of four, in MessagePack's shortest form. */
const ARRAY_OF_FOUR = 0x94;

export type FoundResync = {
  readonly resync: Resync;
  /** Where the stream goes on. */
  readonly end: number;
};

/** @returns the first RESYNC with this nonce, wherever in the bytes it begins */
export function findResync(bytes: Uint8Array, nonce: number): FoundResync | undefined {
  const last = bytes.length - HEAD_BYTES - MASK_BYTES;
  for (let at = bytes.indexOf(BINARY); at >= 0 && at < last; at = bytes.indexOf(BINARY, at + 1)) {
    const length = (bytes[at + 1] as number) - MASKED;
    if (length < 1 || length > SHORT_PAYLOAD_MAX) continue;
    const maskAt = at + HEAD_BYTES;
    const payloadAt = maskAt + MASK_BYTES;
    const end = payloadAt + length;
    if (end > bytes.length) continue;
    if (((bytes[payloadAt] as number) ^ (bytes[maskAt] as number)) !== ARRAY_OF_FOUR) continue;
    // A copy: a Buffer's own `slice` is a view, and what is no RESYNC must not be changed.
    const payload = Uint8Array.from(bytes.subarray(payloadAt, end));
    for (let i = 0; i < length; i += 1) {
      payload[i] = (payload[i] as number) ^ (bytes[maskAt + (i % MASK_BYTES)] as number);
    }
    const resync = resyncOf(payload);
    if (resync?.[1] === nonce) return { resync, end };
  }
  return undefined;
}

function resyncOf(payload: Uint8Array): Resync | undefined {
  try {
    const value = decodeClientValue(payload);
    return value[0] === ClientMessage.RESYNC ? value : undefined;
  } catch (error) {
    if (error instanceof RookeryError) return undefined;
    throw error;
  }
}
