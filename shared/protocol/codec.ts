/**
 * Bytes to messages and back (PROTOCOL.md, sections F, M and A). Nothing is unpacked that `prescan` has not passed,
 * and nothing is sent that it would refuse. What is encoded owns its bytes, and so do byte strings in what is decoded,
 * but for those of server messages: they are views, for the client that applies them at once.
 *
 * The import is `msgpackr/pack` because it does not load the library's native addon: strangers' bytes stay in JavaScript.
 */
import { Packr, RESET_BUFFER_MODE } from "msgpackr/pack";
import { RookeryError } from "../errors.ts";
import { assertPlain } from "./plain.ts";
import { prescan, prescanValue } from "./prescan.ts";
import {
  type Ack,
  ClientMessage,
  type ClientValue,
  PROTOCOL_VERSION,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "./wire.ts";

/** The tag that ends every server message. */
const TRAILER_BYTES = 4;

const PACKR_OPTIONS = {
  useRecords: false,
  structuredClone: false,
  int64AsType: "number",
  // Each map with its shortest header, and undefined as in JSON: left out of objects, nil anywhere else.
  variableMapSize: true,
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  useToJSON: false,
} as const;
const packr = new Packr({ ...PACKR_OPTIONS });
/** Copies byte strings out of what it unpacks. */
const copyingPackr = new Packr({ ...PACKR_OPTIONS, copyBuffers: true });

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
  return unpack(copyingPackr, bytes, 0, bytes.length);
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

/**
 * @param tag what WELCOME told; undefined for the first message of a connection, which must begin with WELCOME and
 * end in the tag that it tells
 * @throws RookeryError PROTOCOL_ERROR
 */
export function decodeServerMessage(bytes: Uint8Array, tag: number | undefined): ServerValue[] {
  const end = bytes.length - TRAILER_BYTES;
  if (end <= 0) refuse("The message has no value.");
  const trailer = uint32At(bytes, end);
  if (tag !== undefined && trailer !== tag) refuse("The message ends in another tag.");
  const values: ServerValue[] = [];
  for (let at = 0; at < end; ) {
    const next = prescanValue(bytes, at, end);
    const value = unpack(packr, bytes, at, next);
    if (!isServerValue(value)) refuse("The server sent a value of unknown form.");
    values.push(value);
    at = next;
  }
  if (tag === undefined) {
    const first = values[0];
    if (first?.[0] !== ServerMessage.WELCOME) refuse("The first value is not a WELCOME.");
    if (first[2].tag !== trailer) refuse("The message ends in another tag.");
  }
  return values;
}

export function encodeClientValue(value: ClientValue): Uint8Array {
  return encodePayload(value);
}

/** @throws RookeryError PROTOCOL_ERROR, and never anything else, whatever the bytes */
export function decodeClientValue(bytes: Uint8Array): ClientValue {
  const value = decodePayload(bytes);
  if (!isClientValue(value)) refuse("The client sent a value of unknown form.");
  return value;
}

/** @returns the table of STATE and SNAPSHOT: for each row the slot as a varint, then the low 16 bits of the sequence */
export function encodeAcks(acks: readonly Ack[]): Uint8Array {
  let length = 0;
  for (const { slot } of acks) length += varintBytes(slot) + 2;
  const table = new Uint8Array(length);
  let at = 0;
  for (const { slot, seq } of acks) {
    let rest = slot;
    for (; rest >= 0x80; rest >>>= 7) {
      table[at] = rest | 0x80;
      at += 1;
    }
    table[at] = rest;
    table[at + 1] = seq;
    table[at + 2] = seq >>> 8;
    at += 3;
  }
  return table;
}

/**
 * @param near a sequence less than 32,768 away from the one looked for, such as the last one acknowledged
 * @returns the slot's sequence, or undefined when the table has no row for it
 * @throws RookeryError PROTOCOL_ERROR for a table that is cut short
 */
export function findAck(bytes: Uint8Array, slot: number, near: number): number | undefined {
  let at = 0;
  while (at < bytes.length) {
    let rowSlot = 0;
    let scale = 1;
    let byte = 0x80;
    while (byte >= 0x80 && at < bytes.length) {
      byte = bytes[at] as number;
      rowSlot += (byte & 0x7f) * scale;
      scale *= 0x80;
      at += 1;
    }
    if (byte >= 0x80 || at + 2 > bytes.length) refuse("The table of acknowledgements is cut short.");
    if (rowSlot === slot) return expand((bytes[at] as number) | ((bytes[at + 1] as number) << 8), near);
    at += 2;
  }
  return undefined;
}

/** The number nearest to `near` with these low 16 bits. */
function expand(low: number, near: number): number {
  return near + (((low - near) << 16) >> 16);
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) count += 1;
  return count;
}

function uint32At(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] as number);
  return value;
}

/** Bytes that `prescan` has passed. What the library still refuses is a map key that is no scalar. */
function unpack(unpacker: Packr, bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return unpacker.unpack(bytes, { start, end });
  } catch (error) {
    throw new RookeryError("PROTOCOL_ERROR", "The value cannot be unpacked.", { cause: error });
  }
}

function isClientValue(value: unknown): value is ClientValue {
  if (!Array.isArray(value)) return false;
  const [type, first, second, third] = value;
  switch (type) {
    case ClientMessage.MESSAGE:
      return (
        value.length === 5 &&
        isUint32(first) &&
        first > 0 &&
        isUint32(second) &&
        (isUint32(third) || typeof third === "string")
      );
    case ClientMessage.PING:
      return value.length === 3 && Number.isFinite(first) && isUint32(second);
    case ClientMessage.LEAVE:
      return value.length === 1;
    case ClientMessage.ACK:
      return value.length === 2 && isUint32(first);
    default:
      return false;
  }
}

function isServerValue(value: unknown): value is ServerValue {
  if (!Array.isArray(value)) return false;
  const [type, first, second, third, fourth] = value;
  switch (type) {
    case ServerMessage.WELCOME:
      return value.length === 3 && first === PROTOCOL_VERSION && isWelcome(second);
    case ServerMessage.STATE:
    case ServerMessage.SNAPSHOT:
      return (
        value.length === 5 &&
        isUint32(first) &&
        Number.isFinite(second) &&
        third instanceof Uint8Array &&
        fourth instanceof Uint8Array
      );
    case ServerMessage.EVENT:
      return value.length === 3 && typeof first === "string";
    case ServerMessage.PONG:
      return value.length === 3 && Number.isFinite(first) && Number.isFinite(second);
    case ServerMessage.OWN:
      return value.length === 2 && first instanceof Uint8Array;
    default:
      return false;
  }
}

function isWelcome(value: unknown): value is Welcome {
  if (typeof value !== "object" || value === null) return false;
  const welcome = value as Record<keyof Welcome, unknown>;
  return (
    typeof welcome.roomId === "string" &&
    typeof welcome.roomType === "string" &&
    typeof welcome.code === "string" &&
    typeof welcome.sessionId === "string" &&
    isUint32(welcome.slot) &&
    typeof welcome.resumed === "boolean" &&
    typeof welcome.resumeToken === "string" &&
    Number.isFinite(welcome.reconnectMs) &&
    isUint32(welcome.epoch) &&
    isUint32(welcome.tag) &&
    Number.isFinite(welcome.tickRate) &&
    isUint32(welcome.nextEvent) &&
    isUint32(welcome.ack) &&
    Array.isArray(welcome.messages) &&
    welcome.messages.every((name) => typeof name === "string") &&
    typeof welcome.schemaHash === "string" &&
    // The mirror checks the descriptor itself when it is built from it.
    typeof welcome.schema === "object"
  );
}

function isUint32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

function refuse(sentence: string): never {
  throw new RookeryError("PROTOCOL_ERROR", sentence);
}
