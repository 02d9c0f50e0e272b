/**
 * The client's side of the codec: what it sends to bytes, and what it is sent back from them (PROTOCOL.md, sections F,
 * M and A). Nothing is unpacked that `prescan` has not passed, and nothing is sent that it would refuse. What is encoded
 * owns its bytes; byte strings in what is decoded are views, for a client that applies them at once.
 */
import { RookeryError } from "../errors.ts";
import { isServerValue } from "./forms.ts";
import { pack, Unpacker } from "./msgpack.ts";
import { assertPlain } from "./plain.ts";
import { prescanValue } from "./prescan.ts";
import { type ClientValue, ServerMessage, type ServerValue, TRAILER_BYTES } from "./wire.ts";

/** Of the highest 7 bits of a 32-bit varint. */
const VARINT_SCALE_MAX = 2 ** 28;

/** @throws TypeError that names what cannot travel */
export function encodeClientValue(value: ClientValue): Uint8Array {
  assertPlain(value);
  return pack(value);
}

/**
 * @param tag what WELCOME or RESUME told last; undefined for the first message of a connection, which must begin with
 * one of them and end in the tag that it tells
 * @throws RookeryError PROTOCOL_ERROR
 */
export function decodeServerMessage(bytes: Uint8Array, tag: number | undefined): ServerValue[] {
  const end = bytes.length - TRAILER_BYTES;
  if (end <= 0) refuse("The message has no value.");
  const trailer = uint32At(bytes, end);
  const values: ServerValue[] = [];
  const unpacker = new Unpacker(bytes);
  for (let at = 0; at < end; ) {
    const next = prescanValue(bytes, at, end);
    const value = unpacker.next();
    if (!isServerValue(value)) refuse("The server sent a value of unknown form.");
    if (value[0] === ServerMessage.RESUME && next - at !== end) refuse("RESUME is not alone in its message.");
    values.push(value);
    at = next;
  }
  const told = tagToldBy(values[0]);
  if (tag === undefined && told === undefined) refuse("The first value is neither WELCOME nor RESUME.");
  const expected = values[0]?.[0] === ServerMessage.RESUME ? told : tag;
  if (trailer !== (expected ?? told) || trailer !== (told ?? expected)) {
    refuse("The message ends in another tag.");
  }
  return values;
}

/** @returns the tag of all messages from this one on, if it tells one */
export function tagToldBy(value: ServerValue | undefined): number | undefined {
  if (value?.[0] === ServerMessage.WELCOME) return value[2].tag;
  return value?.[0] === ServerMessage.RESUME ? value[2] : undefined;
}

/**
 * @param near the last sequence of the slot that is known
 * @returns the slot's sequence, or undefined when the table has no row for it
 * @throws RookeryError PROTOCOL_ERROR for a table that is cut short
 */
export function findAck(bytes: Uint8Array, slot: number, near: number): number | undefined {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at];
      if (byte === undefined || scale > VARINT_SCALE_MAX)
        refuse("The table of acknowledgements is cut short.");
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  let first = 0;
  while (at < bytes.length) {
    first += varint();
    const head = varint();
    const rowBytes = (head % 2) + 1;
    const rows = (head - rowBytes + 1) / 2;
    if (at + rows * rowBytes > bytes.length) refuse("The table of acknowledgements is cut short.");
    const row = at + (slot - first) * rowBytes;
    if (slot >= first && slot < first + rows) {
      const low = bytes[row] as number;
      return rowBytes === 1
        ? expand(low, near, 24)
        : expand(low | ((bytes[row + 1] as number) << 8), near, 16);
    }
    at += rows * rowBytes;
    first += rows;
  }
  return undefined;
}

/** The number nearest to `near` with these low bits. @param unknownBits how many of 32 are not among them */
function expand(low: number, near: number, unknownBits: number): number {
  return near + (((low - near) << unknownBits) >> unknownBits);
}

function uint32At(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] as number);
  return value;
}

function refuse(sentence: string): never {
  throw new RookeryError("PROTOCOL_ERROR", sentence);
}
