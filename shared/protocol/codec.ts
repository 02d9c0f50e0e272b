/**
 * Bytes to messages and back (PROTOCOL.md, sections F, M and A). Nothing is unpacked that `prescan` has not passed,
 * and nothing is sent that it would refuse. What is encoded owns its bytes, and so do byte strings in what is decoded.
 * The client's side is client-codec.ts: browsers load it without the library used here.
 *
 * The import is `msgpackr/pack` because it does not load the library's native addon: strangers' bytes stay in JavaScript.
 */
import { Packr, RESET_BUFFER_MODE } from "msgpackr/pack";
import { RookeryError } from "../errors.ts";
import { isClientValue } from "./forms.ts";
import { assertPlain } from "./plain.ts";
import { prescan } from "./prescan.ts";
import { quickMessage } from "./quick-message.ts";
import { type Ack, type ClientValue, type ServerValue, TRAILER_BYTES } from "./wire.ts";

export { decodeServerMessage, encodeClientValue, findAck, tagToldBy } from "./client-codec.ts";

/** Slots are far below 2^21. */
const SLOT_VARINT_BYTES_MAX = 3;

const packr = new Packr({
  useRecords: false,
  structuredClone: false,
  int64AsType: "number",
  // Each map with its shortest header, and undefined as in JSON: left out of objects, nil anywhere else.
  variableMapSize: true,
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  useToJSON: false,
  // Byte strings are copied out of what is unpacked.
  copyBuffers: true,
});

/**
 * @param value anything `assertPlain` passes; `undefined` is treated as in JSON
 * @throws TypeError that names what cannot travel
 */
export function encodePayload(value: unknown): Uint8Array {
  assertPlain(value);
  // The packer writes into a shared buffer and starts over there next time, so this copy is all that is kept.
  return new Uint8Array(packr.pack(value, RESET_BUFFER_MODE));
}

/** @throws RookeryError PROTOCOL_ERROR */
export function decodePayload(bytes: Uint8Array): unknown {
  prescan(bytes);
  try {
    return packr.unpack(bytes);
  } catch (error) {
    // What the library still refuses is a map key that is no scalar.
    throw new RookeryError("PROTOCOL_ERROR", "The value cannot be unpacked.", { cause: error });
  }
}

/** @returns one part of a server message, the same for every client it is sent to */
export function encodeServerValue(value: ServerValue): Uint8Array {
  return encodePayload(value);
}

/** Puts encoded values and the trailer into the one buffer that is written to a socket. */
export function assembleMessage(parts: readonly Uint8Array[], tag: number): Uint8Array {
  let length = TRAILER_BYTES;
  for (const part of parts) length += part.length;
  const message = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  message[at] = tag;
  message[at + 1] = tag >>> 8;
  message[at + 2] = tag >>> 16;
  message[at + 3] = tag >>> 24;
  return message;
}

/** @throws RookeryError PROTOCOL_ERROR, and never anything else, whatever the bytes */
export function decodeClientValue(bytes: Uint8Array): ClientValue {
  return decodeClientValueAt(bytes, 0, bytes.length);
}

/**
 * The same for a part of other bytes.
 *
 * @param from where the value begins
 * @param end where it ends
 */
export function decodeClientValueAt(bytes: Uint8Array, from: number, end: number): ClientValue {
  const quick = quickMessage(bytes, from, end);
  if (quick !== undefined) return quick;
  const value = decodePayload(plainPart(bytes, from, end));
  if (!isClientValue(value)) refuse("The client sent a value of unknown form.");
  return value;
}

/**
 * @param acks each slot once
 * @param bytes how many of the low bytes of each sequence: 1 where all receivers know one that is less than 128 below
 * @returns the table of STATE and SNAPSHOT [A3]
 */
export function encodeAcks(acks: readonly Ack[], bytes: 1 | 2): Uint8Array {
  const sorted = acks.toSorted((a, b) => a.slot - b.slot);
  const table = new Uint8Array(sorted.length * (2 * SLOT_VARINT_BYTES_MAX + bytes));
  let at = 0;
  const varint = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) table[at++] = rest | 0x80;
    table[at++] = rest;
  };
  let next = 0;
  for (let from = 0, to = 1; from < sorted.length; from = to, to += 1) {
    const { slot } = sorted[from] as Ack;
    while (to < sorted.length && (sorted[to] as Ack).slot === slot + to - from) to += 1;
    varint(slot - next);
    varint((to - from) * 2 + bytes - 1);
    for (let row = from; row < to; row += 1) {
      const { seq } = sorted[row] as Ack;
      table[at++] = seq;
      if (bytes === 2) table[at++] = seq >>> 8;
    }
    next = slot + to - from;
  }
  return table.subarray(0, at);
}

/** No Buffer: what is copied out of one would be one as well. */
function plainPart({ buffer, byteOffset }: Uint8Array, from: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, end - from);
}

function refuse(sentence: string): never {
  throw new RookeryError("PROTOCOL_ERROR", sentence);
}
