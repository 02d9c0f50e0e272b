/** What the values of PROTOCOL.md, section M, look like once they are unpacked. */
import {
  ClientMessage,
  type ClientValue,
  PROTOCOL_VERSION,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "./wire.ts";

/** [M2] */
export function isClientValue(value: unknown): value is ClientValue {
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
    case ClientMessage.RESYNC:
      return value.length === 4 && isUint32(first) && isUint32(second) && typeof third === "string";
    default:
      return false;
  }
}

/** [M1] */
export function isServerValue(value: unknown): value is ServerValue {
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
    case ServerMessage.RESUME:
      return value.length === 4 && isUint32(first) && isUint32(second) && isUint32(third);
    case ServerMessage.SAVED:
      return value.length === 1;
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
    isUint32(welcome.worker) &&
    isUint32(welcome.tag) &&
    Number.isFinite(welcome.tickRate) &&
    isUint32(welcome.nextEvent) &&
    isUint32(welcome.ack) &&
    typeof welcome.savesLater === "boolean" &&
    isUint32(welcome.stepBackEpoch) &&
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
