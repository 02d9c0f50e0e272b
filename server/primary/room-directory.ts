/**
 * Which rooms there are, where they run and who may be matched into them. Every look-up is by an index, so its cost
 * does not grow with the number of rooms.
 *
 * A room is *planned* when a join needs it, *creating* once a join in it is authorized, *open* when its worker says so.
 * A planned room whose seats are all given back was never anything: its entry goes. An open one is *closing* then,
 * unless it is to stay, and goes when its worker has disposed of it.
 */
import assert from "node:assert/strict";
import { RookeryError } from "../../shared/errors.ts";
import type { RoomListing } from "../../shared/protocol/wire.ts";
import type { Scheduler } from "../../shared/time.ts";
import { type CreateRoom, FIRST_EPOCH, type RoomTypeInfo } from "../ipc/messages.ts";
import { type JoinOptions, type SeatCounts, Seats } from "./seats.ts";

/** No 0 and O, no 1 and I: a code is read aloud. */
const CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const CODE_LENGTH = 6;
const CODES = CODE_ALPHABET.length ** CODE_LENGTH;
/** Rows of one listing; a stranger can ask for it. */
const LISTED_ROOMS_MAX = 1_000;
/** How long the ids of rooms and sessions that went down with a worker are remembered, and how many. */
const LOST_IDS_TTL_MS = 60_000;
const LOST_IDS_MAX = 131_072;
/** Levels of nesting in the value of an option that rooms are filtered by. */
const FILTER_DEPTH_MAX = 16;

/** Of rooms that wait for a worker. */
export const NO_WORKER = 0;
/** A room that crashes its worker so often within the window is put aside. */
const BLAMES_MAX = 2;
const BLAME_WINDOW_MS = 60_000;

export type RoomEntry = Omit<CreateRoom, "roomType" | "epoch"> & {
  readonly type: RoomTypeInfo;
  /** NO_WORKER while none is there to take the room over. */
  workerId: number;
  readonly seats: Seats;
  /** Equal for rooms and joins that match. */
  readonly filterKey: string;
  /** Resolves when the room is open; a room that never opens takes its seats away instead. */
  opened: PromiseWithResolvers<void>;
  /** When its worker died; undefined once the worker that took it over counts as its own. */
  displacedAtMs: number | undefined;
  /** Grows each time another worker takes the room over. */
  epoch: number;
  /** When it was in the middle of a step as its worker crashed, of late. */
  blamedAtMs: number[];
  phase: "planned" | "creating" | "open" | "closing";
  /** It has been open: now it is, or will be again, or it ends. */
  hasOpened: boolean;
  locked: boolean;
  isPrivate: boolean;
  /** An open room closes when its last seat is free. */
  autoDispose: boolean;
  metadata: unknown;
};

type Lost = { readonly atMs: number; readonly code: "ROOM_LOST" | "ROOM_QUARANTINED" };

export type DirectoryStats = {
  readonly rooms: Record<RoomEntry["phase"], number>;
  readonly seats: SeatCounts;
};

type DirectoryOptions = {
  readonly scheduler: Scheduler;
  /** Gives numbers at least 0 and below 1. */
  readonly random: () => number;
  /** Gives url-safe ids of at least 9 characters that nobody can guess. */
  readonly newId: () => string;
  /** The room has no seat left and is to be disposed of. */
  readonly onClosing: (room: RoomEntry) => void;
};

export class RoomDirectory {
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #newId: () => string;
  readonly #onClosing: (room: RoomEntry) => void;
  readonly #rooms = new Map<string, RoomEntry>();
  readonly #byCode = new Map<string, RoomEntry>();
  readonly #bySession = new Map<string, RoomEntry>();
  readonly #byWorker = new Map<number, Set<RoomEntry>>();
  /** Public, unlocked rooms with a free seat by filter key, the one that has waited longest first. */
  readonly #matchable = new Map<string, Set<RoomEntry>>();
  /** By id of a room or a session, in order of time. */
  readonly #lost = new Map<string, Lost>();

  constructor({ scheduler, random, newId, onClosing }: DirectoryOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#newId = newId;
    this.#onClosing = onClosing;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(roomId: string): RoomEntry | undefined {
    return this.#rooms.get(roomId);
  }

  /** @param code in capitals or not */
  byCode(code: string): RoomEntry | undefined {
    return this.#byCode.get(code.toUpperCase());
  }

  bySession(sessionId: string): RoomEntry | undefined {
    return this.#bySession.get(sessionId);
  }

  countOf(workerId: number): number {
    return this.#byWorker.get(workerId)?.size ?? 0;
  }

  /**
   * The room that has had a free seat the longest: rooms fill one after the other, and nobody waits alone while
   * newer rooms fill up.
   *
   * @throws RookeryError BAD_REQUEST for options that nest too deeply to be compared
   */
  find(type: RoomTypeInfo, options: JoinOptions): RoomEntry | undefined {
    return this.#matchable.get(filterKey(type, options))?.values().next().value;
  }

  /** @throws RookeryError BAD_REQUEST for options that nest too deeply to be compared */
  plan(type: RoomTypeInfo, workerId: number, options: JoinOptions): RoomEntry {
    const room: RoomEntry = {
      roomId: this.#newId(),
      type,
      code: this.#newCode(),
      workerId,
      options,
      seed: Math.floor(this.#random() * 2 ** 32),
      displacedAtMs: undefined,
      epoch: FIRST_EPOCH,
      filterKey: filterKey(type, options),
      seats: new Seats({
        scheduler: this.#scheduler,
        maxClients: type.maxClients,
        onChange: (sessionId, isTaken) => this.#seatsChanged(room, sessionId, isTaken),
      }),
      opened: Promise.withResolvers<void>(),
      blamedAtMs: [],
      phase: "planned",
      hasOpened: false,
      locked: false,
      isPrivate: false,
      autoDispose: type.autoDispose,
      metadata: undefined,
    };
    this.#rooms.set(room.roomId, room);
    this.#byCode.set(room.code, room);
    addTo(this.#byWorker, workerId, room);
    this.#index(room);
    return room;
  }

  /** A worker has the room. One that was about to end when its last worker died is so again. */
  open(room: RoomEntry): void {
    if (room.phase === "closing") return this.#onClosing(room);
    room.phase = "open";
    room.hasOpened = true;
    room.opened.resolve();
    this.#reconsider(room);
  }

  update(
    room: RoomEntry,
    changes: Pick<RoomEntry, "locked" | "isPrivate" | "autoDispose" | "metadata">,
  ): void {
    room.locked = changes.locked;
    room.isPrivate = changes.isPrivate;
    room.autoDispose = changes.autoDispose;
    room.metadata = changes.metadata;
    this.#reconsider(room);
  }

  /** Takes a room out, and its seats away for this reason. */
  remove(room: RoomEntry, reason: RookeryError): void {
    // Whoever waits for it to open again hears why it does not.
    room.opened.promise.catch(() => undefined);
    room.opened.reject(reason);
    this.#forget(room);
    room.seats.releaseAll(reason);
  }

  /** A snapshot of the rooms of a worker, or of those that wait for one. */
  roomsOf(workerId: number): RoomEntry[] {
    return [...(this.#byWorker.get(workerId) ?? [])];
  }

  /** Takes out a room that cannot go on, and remembers for a while why. */
  lose(room: RoomEntry, code: "ROOM_LOST" | "ROOM_QUARANTINED"): void {
    this.#rememberLost(room.roomId, code);
    for (const seat of room.seats.all()) this.#rememberLost(seat.sessionId, code);
    this.remove(room, new RookeryError(code));
  }

  /** An open room leaves its worker, or the worker dies: whoever wants to it waits until it is open again. */
  suspend(room: RoomEntry): void {
    assert(room.phase === "open", "only an open room moves");
    room.opened = Promise.withResolvers<void>();
    room.phase = "creating";
  }

  /** The room's worker has died: until `settle` it is where it is by chance. */
  displace(room: RoomEntry): void {
    room.displacedAtMs = this.#scheduler.now();
  }

  /** Rooms that were displaced by this time stay where they are. */
  settle(untilMs: number): void {
    for (const room of this.#rooms.values()) {
      if (room.displacedAtMs !== undefined && room.displacedAtMs <= untilMs) room.displacedAtMs = undefined;
    }
  }

  /** Another worker, or none as yet, is to take the room over. It is open again when that worker says so. */
  move(room: RoomEntry, workerId: number): void {
    removeFrom(this.#byWorker, room.workerId, room);
    room.workerId = workerId;
    addTo(this.#byWorker, workerId, room);
    if (room.phase === "planned") return;
    room.epoch += 1;
    if (room.phase === "closing") return;
    if (room.phase === "open") this.suspend(room);
  }

  /**
   * The room's worker crashed in the middle of a step of it.
   *
   * @returns true when that has happened too often of late
   */
  blame(room: RoomEntry): boolean {
    const nowMs = this.#scheduler.now();
    room.blamedAtMs = [...room.blamedAtMs.filter((atMs) => nowMs - atMs < BLAME_WINDOW_MS), nowMs];
    return room.blamedAtMs.length >= BLAMES_MAX;
  }

  /** @param id of a room or a session; @returns why it was lost of late, if it was */
  whyLost(id: string): "ROOM_LOST" | "ROOM_QUARANTINED" | undefined {
    const lost = this.#lost.get(id);
    return lost !== undefined && this.#scheduler.now() - lost.atMs < LOST_IDS_TTL_MS ? lost.code : undefined;
  }

  /** Takes away every seat that is not on its way to a worker yet. */
  releaseReserved(reason: RookeryError): void {
    for (const room of this.#rooms.values()) room.seats.releaseAll(reason, "reserved");
  }

  /** Open, public rooms, and those that are between two workers. @param typeName all types by default */
  list(typeName?: string): RoomListing[] {
    const rows: RoomListing[] = [];
    for (const {
      roomId,
      type,
      seats,
      phase,
      hasOpened,
      locked,
      isPrivate,
      metadata,
    } of this.#rooms.values()) {
      const isListed = hasOpened && phase !== "closing" && !isPrivate;
      if (!isListed || (typeName !== undefined && type.name !== typeName)) continue;
      const { size: clients, maxClients } = seats;
      rows.push({ roomId, type: type.name, clients, maxClients, locked, metadata });
      if (rows.length === LISTED_ROOMS_MAX) break;
    }
    return rows;
  }

  stats(): DirectoryStats {
    const rooms = { planned: 0, creating: 0, open: 0, closing: 0 };
    const seats = { reserved: 0, passed: 0, joined: 0 };
    for (const room of this.#rooms.values()) {
      rooms[room.phase]++;
      for (const seat of room.seats.all()) seats[seat.state.kind]++;
    }
    return { rooms, seats };
  }

  #seatsChanged(room: RoomEntry, sessionId: string, isTaken: boolean): void {
    if (isTaken) this.#bySession.set(sessionId, room);
    else this.#bySession.delete(sessionId);
    if (this.#rooms.has(room.roomId)) this.#reconsider(room);
  }

  /** After any change: does the room stay, and may clients be matched into it? */
  #reconsider(room: RoomEntry): void {
    const isEmpty = room.seats.size === 0;
    if (isEmpty && room.phase === "planned") return this.#forget(room);
    const isClosing = isEmpty && room.phase === "open" && room.autoDispose;
    if (isClosing) room.phase = "closing";
    this.#index(room);
    if (isClosing) this.#onClosing(room);
  }

  #index(room: RoomEntry): void {
    const hasSeatToMatch = room.seats.size < Math.min(room.type.maxMatched, room.seats.maxClients);
    const isMatchable = room.phase !== "closing" && !room.locked && !room.isPrivate && hasSeatToMatch;
    if (isMatchable) addTo(this.#matchable, room.filterKey, room);
    else removeFrom(this.#matchable, room.filterKey, room);
  }

  #forget(room: RoomEntry): void {
    this.#rooms.delete(room.roomId);
    this.#byCode.delete(room.code);
    removeFrom(this.#byWorker, room.workerId, room);
    removeFrom(this.#matchable, room.filterKey, room);
  }

  #rememberLost(id: string, code: Lost["code"]): void {
    const nowMs = this.#scheduler.now();
    this.#lost.delete(id);
    this.#lost.set(id, { atMs: nowMs, code });
    for (const [oldest, { atMs }] of this.#lost) {
      if (this.#lost.size <= LOST_IDS_MAX && nowMs - atMs < LOST_IDS_TTL_MS) break;
      this.#lost.delete(oldest);
    }
  }

  #newCode(): string {
    let number = Math.floor(this.#random() * CODES);
    while (this.#byCode.has(codeOf(number))) number = (number + 1) % CODES;
    return codeOf(number);
  }
}

function codeOf(number: number): string {
  let code = "";
  for (let rest = number; code.length < CODE_LENGTH; rest = Math.floor(rest / CODE_ALPHABET.length)) {
    code += CODE_ALPHABET.charAt(rest % CODE_ALPHABET.length);
  }
  return code;
}

function addTo<Key>(index: Map<Key, Set<RoomEntry>>, key: Key, room: RoomEntry): void {
  const rooms = index.get(key);
  if (rooms === undefined) index.set(key, new Set([room]));
  else rooms.add(room);
}

function removeFrom<Key>(index: Map<Key, Set<RoomEntry>>, key: Key, room: RoomEntry): void {
  const rooms = index.get(key);
  rooms?.delete(room);
  if (rooms?.size === 0) index.delete(key);
}

function filterKey(type: RoomTypeInfo, options: JoinOptions): string {
  const values = type.filterBy.map((name) =>
    Object.hasOwn(options, name) ? canonicalJson(options[name], 0) : "absent",
  );
  return [type.name, ...values].join("\n");
}

/** JSON that is equal for deeply equal values, whatever the order of their names. */
function canonicalJson(value: unknown, depth: number): string {
  if (depth > FILTER_DEPTH_MAX) {
    throw new RookeryError("BAD_REQUEST", "An option that rooms are filtered by nests too deeply.");
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "absent";
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
  return `{${members.join(",")}}`;
}
