/**
 * One step of a room as the payload of a record: its index, its time and its events, each a type number and its fields
 * one after the other. Decoding gives exactly what was encoded, `undefined` and -0 included.
 */
import type { RoomEvent } from "../room/room-events.ts";
import { RecordKind } from "./records.ts";
import { BadValue, type ValueReader } from "./value-reader.ts";
import type { ValueWriter } from "./value-writer.ts";

/** Part of the file format: never given another meaning. */
const EventType = {
  CREATED: 0,
  JOINED: 1,
  MESSAGE: 2,
  TICK: 3,
  TIMER: 4,
  DROPPED: 5,
  RETURNED: 6,
  LEFT: 7,
  EFFECT: 8,
  SHUTDOWN: 9,
  DISPOSE: 10,
} as const;

export type JournalStep = {
  /** Counts the room's steps from 1. */
  readonly index: number;
  /** Room time. */
  readonly atMs: number;
  readonly events: readonly RoomEvent[];
};

/** @throws TypeError for an event that holds something that is not plain */
export function encodeStep(
  writer: ValueWriter,
  index: number,
  atMs: number,
  events: readonly RoomEvent[],
): void {
  writer.number(RecordKind.STEP);
  writer.number(index);
  writer.number(atMs);
  writer.number(events.length);
  for (const event of events) encodeEvent(writer, event);
}

/**
 * @param reader behind the record's kind
 * @throws BadValue
 */
export function decodeStep(reader: ValueReader): JournalStep {
  const index = reader.uint();
  const atMs = reader.number();
  const count = reader.uint();
  const events: RoomEvent[] = [];
  for (let i = 0; i < count; i += 1) events.push(decodeEvent(reader));
  if (!reader.isAtEnd) throw new BadValue("bytes follow the last event");
  return { index, atMs, events };
}

function encodeEvent(writer: ValueWriter, event: RoomEvent): void {
  switch (event.type) {
    case "message":
      writer.number(EventType.MESSAGE);
      writer.string(event.sessionId);
      writer.number(event.seq);
      writer.value(event.message);
      return writer.value(event.payload);
    case "tick":
      writer.number(EventType.TICK);
      return writer.number(event.dtMs);
    case "timer":
      writer.number(EventType.TIMER);
      return writer.number(event.timerId);
    case "created":
      writer.number(EventType.CREATED);
      return writer.value(event.options);
    case "joined":
      writer.number(EventType.JOINED);
      writer.string(event.sessionId);
      writer.value(event.options);
      return writer.value(event.auth);
    case "dropped":
      writer.number(EventType.DROPPED);
      return writer.string(event.sessionId);
    case "returned":
      writer.number(EventType.RETURNED);
      writer.string(event.sessionId);
      return writer.number(event.tokenGeneration);
    case "left":
      writer.number(EventType.LEFT);
      writer.string(event.sessionId);
      return writer.boolean(event.consented);
    case "effect": {
      const { key, result } = event;
      writer.number(EventType.EFFECT);
      writer.string(key);
      writer.boolean("value" in result);
      return "value" in result ? writer.value(result.value) : writer.string(result.error);
    }
    case "shutdown":
      return writer.number(EventType.SHUTDOWN);
    case "dispose":
      return writer.number(EventType.DISPOSE);
    default:
      return unreachable(event);
  }
}

// Fields are read in the order in which they are written above: object literals are evaluated from left to right.
function decodeEvent(reader: ValueReader): RoomEvent {
  const type = reader.uint();
  switch (type) {
    case EventType.MESSAGE:
      return {
        type: "message",
        sessionId: reader.string(),
        seq: reader.uint(),
        message: messageId(reader.value()),
        payload: reader.value(),
      };
    case EventType.TICK:
      return { type: "tick", dtMs: reader.number() };
    case EventType.TIMER:
      return { type: "timer", timerId: reader.uint() };
    case EventType.CREATED:
      return { type: "created", options: reader.object() };
    case EventType.JOINED:
      return {
        type: "joined",
        sessionId: reader.string(),
        options: reader.object(),
        auth: reader.value(),
      };
    case EventType.DROPPED:
      return { type: "dropped", sessionId: reader.string() };
    case EventType.RETURNED:
      return { type: "returned", sessionId: reader.string(), tokenGeneration: reader.uint() };
    case EventType.LEFT:
      return { type: "left", sessionId: reader.string(), consented: reader.boolean() };
    case EventType.EFFECT:
      return {
        type: "effect",
        key: reader.string(),
        result: reader.boolean() ? { value: reader.value() } : { error: reader.string() },
      };
    case EventType.SHUTDOWN:
      return { type: "shutdown" };
    case EventType.DISPOSE:
      return { type: "dispose" };
    default:
      throw new BadValue(`no event has the type ${type}`);
  }
}

function messageId(value: unknown): number | string {
  if (typeof value !== "string" && typeof value !== "number")
    throw new BadValue("a message's name or number was expected");
  return value;
}

function unreachable(event: never): never {
  throw new TypeError(`unknown event ${JSON.stringify(event)}`);
}
