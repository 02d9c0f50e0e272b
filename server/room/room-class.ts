/** A room type as the server uses it: the author's class, found in its module, with its static settings checked. */

import type { EntitySchema } from "../../shared/schema/index.ts";
import type { Durability } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import { type AuthContext, Room } from "./room.ts";

export interface RoomClass {
  new (): Room;
  readonly name: string;
  readonly state?: EntitySchema;
  readonly tickRate: number;
  readonly flushMs: number;
  readonly maxClients: number;
  readonly maxMatched?: number;
  readonly filterBy: readonly string[];
  readonly autoDispose: boolean;
  readonly reconnectMs: number;
  readonly record: boolean;
  /** A `Durability`, once the class is loaded. */
  readonly durability: string;
  onAuth?(token: string, context: AuthContext): unknown;
}

/** What `serve` takes per room type: a class, or a function that imports the module with it. */
export type RoomSource = RoomConstructor | (() => Promise<Readonly<Record<string, unknown>>>);
/** Of any state and data: a room of one schema is no room of all schemas. */
type RoomConstructor = abstract new () => Omit<Room, "state" | "data">;

const TICK_RATE_MAX = 120;
const FLUSH_MS_MAX = 1_000;
const DURABILITIES: ReadonlySet<string> = new Set<Durability>(["journal", "checkpoint", "none"]);

/**
 * Loads a room type.
 *
 * @throws TypeError when the module has no room, or several and no default one; RangeError when a setting is out of
 * range; Error, with its cause, when the module cannot be loaded
 */
export async function loadRoomClass(type: string, source: RoomSource): Promise<RoomClass> {
  const roomClass = isRoomClass(source) ? source : pickRoom(type, await importOf(type, source));
  checkInteger(type, "tickRate", roomClass.tickRate, 0, TICK_RATE_MAX);
  checkInteger(type, "flushMs", roomClass.flushMs, 0, FLUSH_MS_MAX);
  checkInteger(type, "maxClients", roomClass.maxClients, 1, LIMITS.roomClientsMax);
  if (roomClass.maxMatched !== undefined) {
    checkInteger(type, "maxMatched", roomClass.maxMatched, 1, roomClass.maxClients);
  }
  if (!DURABILITIES.has(roomClass.durability)) {
    const known = [...DURABILITIES].join('" or "');
    throw new RangeError(
      `Room type "${type}": static durability must be "${known}", not ${String(roomClass.durability)}.`,
    );
  }
  if (roomClass.record && roomClass.durability !== "journal") {
    throw new RangeError(`Room type "${type}": static record is for rooms with durability "journal".`);
  }
  checkInteger(type, "reconnectMs", roomClass.reconnectMs, 0, LIMITS.reconnectMsMax);
  return roomClass;
}

function isRoomClass(value: unknown): value is RoomClass {
  return typeof value === "function" && value.prototype instanceof Room;
}

async function importOf(type: string, source: RoomSource): Promise<object> {
  try {
    return await (source as () => Promise<object>)();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The module of room type "${type}" cannot be loaded: ${reason}`, { cause });
  }
}

function pickRoom(type: string, module: object): RoomClass {
  const exported = Object.entries(module);
  const rooms = exported.map(([, value]) => value).filter(isRoomClass);
  const chosen = rooms.length === 1 ? rooms[0] : exported.find(([name]) => name === "default")?.[1];
  if (!isRoomClass(chosen)) {
    throw new TypeError(
      `The module of room type "${type}" must export one class that extends Room; it exports ${rooms.length}.`,
    );
  }
  return chosen;
}

function checkInteger(type: string, name: string, value: unknown, min: number, max: number): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Room type "${type}": static ${name} must be a whole number from ${min} to ${max}, not ${String(value)}.`,
  );
}
