/**
 * The way from a join request to a seat. A join finds or plans a room, reserves a seat, asks the room's worker for
 * permission, has the room created and commits. Whatever fails on the way gives the seat back; and whatever takes the
 * seat away (its deadline, a room that fails, a worker that dies, a shutdown) ends the join at once with that reason.
 */
import { RookeryError } from "../../shared/errors.ts";
import type { JoinMode, RoomListing } from "../../shared/protocol/wire.ts";
import type { Scheduler } from "../../shared/time.ts";
import {
  type AuthRequest,
  FIRST_EPOCH,
  type Passenger,
  type RoomTypeInfo,
  type WorkerToPrimary,
} from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import { quote } from "../quote.ts";
import { Rebalancing } from "./rebalancing.ts";
import { type DirectoryStats, NO_WORKER, RoomDirectory, type RoomEntry } from "./room-directory.ts";
import { type PlacementOptions, RoomPlacement } from "./room-placement.ts";

/** A join as the client asked for it, and what the primary knows of the client. */
export type JoinCall = AuthRequest & {
  readonly mode: JoinMode;
  readonly roomId?: string | undefined;
  readonly code?: string | undefined;
  /** The client joins in the handshake itself, and is given no ticket. */
  readonly isHandshake?: boolean;
};

/** What a ticket is made of. */
export type Admission = {
  readonly roomId: string;
  readonly sessionId: string;
  readonly workerId: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
};

/** What workers say about rooms, joins and seats. */
export type MatchmakerMessage = Extract<
  WorkerToPrimary,
  {
    readonly type:
      | "room-created"
      | "room-updated"
      | "room-disposed"
      | "room-released"
      | "authorized"
      | "session-joined"
      | "session-left";
  }
>;

export type MatchmakerOptions = PlacementOptions & {
  readonly scheduler: Scheduler;
  /** Gives numbers at least 0 and below 1. */
  readonly random: () => number;
  /** Gives url-safe ids of at least 9 characters that nobody can guess. */
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Nothing is on its way to the room at its worker, and its connections can go with it. */
  readonly canMove: (room: RoomEntry) => boolean;
  readonly log: { info(fields: object, message: string): void };
};

export type MatchmakerStats = DirectoryStats & {
  readonly joinsPending: number;
  readonly authorizationsPending: number;
};

type Authorization = {
  readonly workerId: number;
  readonly answer: PromiseWithResolvers<Uint8Array>;
};

export class Matchmaker {
  readonly #options: MatchmakerOptions;
  readonly #directory: RoomDirectory;
  readonly #placement: RoomPlacement;
  readonly #rebalancing: Rebalancing;
  readonly #roomTypes = new Map<string, RoomTypeInfo>();
  /** Questions to onAuth that are not answered, by request id; no more than joins under way. */
  readonly #authorizations = new Map<number, Authorization>();
  #lastRequestId = 0;
  #joinsPending = 0;
  #isDraining = false;

  constructor(options: MatchmakerOptions) {
    this.#options = options;
    this.#directory = new RoomDirectory({
      ...options,
      onClosing: ({ workerId, roomId }) => options.send(workerId, { type: "dispose-room", roomId }),
    });
    this.#placement = new RoomPlacement(this.#directory, options);
    this.#rebalancing = new Rebalancing(this.#directory, this.#placement, {
      ...options,
      workers: () => options.workers().map(({ workerId }) => workerId),
    });
  }

  /**
   * @returns a seat that is kept for `LIMITS.ticketTtlMs`
   * @throws RookeryError within `LIMITS.joinDeadlineMs`: SERVER_SHUTTING_DOWN, SERVER_BUSY, BAD_REQUEST,
   *   ROOM_TYPE_UNKNOWN, ROOM_NOT_FOUND, ROOM_LOST, ROOM_FULL, ROOM_LOCKED, ROOM_CLOSED, ROOM_CREATE_FAILED, TIMEOUT
   *   or what onAuth refused with
   */
  async join(call: JoinCall): Promise<Admission> {
    if (this.#joinsPending >= LIMITS.joinsPendingMax) throw new RookeryError("SERVER_BUSY");
    const deadlineMs = this.#options.scheduler.now() + LIMITS.joinDeadlineMs;
    this.#joinsPending++;
    try {
      return await this.#attempt(call, deadlineMs);
    } catch (error) {
      const mode = modeOfSecondAttempt(call.mode, error);
      if (mode === undefined) throw error;
      return await this.#attempt({ ...call, mode }, deadlineMs);
    } finally {
      this.#joinsPending--;
    }
  }

  async #attempt(call: JoinCall, deadlineMs: number): Promise<Admission> {
    this.#refuseWhileDraining();
    const { scheduler, newId } = this.#options;
    const room = this.#findOrPlan(call);
    const hasTicket = call.isHandshake !== true;
    // As for most: there is nothing to ask and nothing to wait for.
    if (room.phase === "open" && !room.type.hasAuth) {
      const sessionId = newId();
      room.seats.admit(sessionId, call.options, hasTicket, LIMITS.ticketTtlMs);
      return this.#admission(room, sessionId);
    }
    // Nobody has a seat in it: this join has just planned it.
    const isFounder = room.phase === "planned" && room.seats.size === 0;

    // From here on the join holds a seat; the signal says when it does not hold it any more.
    const sessionId = newId();
    const seatLost = new AbortController();
    room.seats.reserve(sessionId, call.options, deadlineMs - scheduler.now(), (why) => seatLost.abort(why));
    try {
      const auth = await this.#authorize(room, call, seatLost.signal);
      await this.#ensureCreated(room, seatLost.signal);
      seatLost.signal.throwIfAborted();
      // The room may have closed itself to this client meanwhile, a new one from within its onCreate.
      if (!isFounder && !isOpenTo(room, call.mode)) throw new RookeryError("ROOM_LOCKED");
      room.seats.commit(sessionId, auth, hasTicket, LIMITS.ticketTtlMs);
    } catch (error) {
      room.seats.release(sessionId, error);
      throw error;
    }
    return this.#admission(room, sessionId);
  }

  #admission({ roomId, workerId }: RoomEntry, sessionId: string): Admission {
    const expiresAt = this.#options.wallClock() + LIMITS.ticketTtlMs;
    return { roomId, sessionId, workerId, expiresAt };
  }

  #findOrPlan(call: JoinCall): RoomEntry {
    const type = this.#roomTypes.get(call.roomType);
    if (type === undefined) {
      // Before the first worker is ready, nobody knows which types there are.
      if (this.#roomTypes.size === 0) throw new RookeryError("SERVER_BUSY");
      throw new RookeryError("ROOM_TYPE_UNKNOWN", `There is no room type ${quote(call.roomType)}.`);
    }
    switch (call.mode) {
      case "create":
        return this.#plan(type, call);
      case "joinOrCreate":
        return this.#directory.find(type, call.options) ?? this.#plan(type, call);
      case "join": {
        const room = this.#directory.find(type, call.options);
        if (room === undefined) throw new RookeryError("ROOM_NOT_FOUND");
        return room;
      }
      case "joinById": {
        if (call.roomId === undefined) throw new RookeryError("BAD_REQUEST", "The room id is missing.");
        this.#refuseLost(call.roomId);
        return enterable(this.#directory.get(call.roomId), type);
      }
      case "joinByCode":
        if (call.code === undefined) throw new RookeryError("BAD_REQUEST", "The room code is missing.");
        return enterable(this.#directory.byCode(call.code), type);
    }
  }

  #plan(type: RoomTypeInfo, call: JoinCall): RoomEntry {
    const workerId = this.#placement.choose();
    if (workerId === undefined) throw new RookeryError("SERVER_BUSY");
    return this.#directory.plan(type, workerId, call.options);
  }

  /** Asks the room's worker, so that an author's code never runs in the primary. */
  async #authorize(room: RoomEntry, call: JoinCall, seatLost: AbortSignal): Promise<Uint8Array | undefined> {
    if (!room.type.hasAuth) return undefined;
    // Nobody could answer before a worker has taken the room over.
    while (room.workerId === NO_WORKER) await unlessAborted(seatLost, room.opened.promise);
    const requestId = ++this.#lastRequestId;
    const answer = Promise.withResolvers<Uint8Array>();
    this.#authorizations.set(requestId, { workerId: room.workerId, answer });
    const { roomType, token, options, address, origin } = call;
    const request: AuthRequest = { roomType, token, options, address, origin };
    this.#options.send(room.workerId, {
      type: "authorize",
      requestId,
      request,
    });
    try {
      return await unlessAborted(seatLost, answer.promise);
    } finally {
      this.#authorizations.delete(requestId);
    }
  }

  /** The first join that comes this far has the room created; all of them wait for it. */
  async #ensureCreated(room: RoomEntry, seatLost: AbortSignal): Promise<void> {
    seatLost.throwIfAborted();
    if (room.phase === "planned") {
      room.phase = "creating";
      if (room.workerId !== NO_WORKER) this.#placement.create(room);
    }
    await unlessAborted(seatLost, room.opened.promise);
  }

  /**
   * For a ticket whose signature was checked: where its connection goes, and as whom. A ticket can be redeemed
   * again; the worker then supersedes the session's earlier socket.
   *
   * @throws RookeryError SERVER_SHUTTING_DOWN, ROOM_LOST or TICKET_INVALID
   */
  redeem(roomId: string, sessionId: string): { workerId: number; passenger: Passenger } {
    this.#refuseWhileDraining();
    const room = this.#directory.get(roomId);
    const seat = room?.seats.get(sessionId);
    if (room === undefined || seat === undefined) {
      this.#refuseLost(sessionId);
      throw new RookeryError("TICKET_INVALID");
    }
    room.seats.pass(seat);
    const { options, auth } = seat;
    return {
      workerId: room.workerId,
      passenger: { kind: "join", options, auth },
    };
  }

  /** A redeemed ticket's connection ended before its handle was sent: the ticket can be redeemed again. */
  handoffFailed(roomId: string, sessionId: string): void {
    this.#directory.get(roomId)?.seats.unpass(sessionId, LIMITS.ticketTtlMs);
  }

  /**
   * Where the connection of a session goes that comes back.
   *
   * @throws RookeryError SERVER_SHUTTING_DOWN, ROOM_LOST or SESSION_NOT_FOUND
   */
  resume(sessionId: string): { workerId: number; roomId: string } {
    this.#refuseWhileDraining();
    const room = this.#directory.bySession(sessionId);
    if (room === undefined) {
      this.#refuseLost(sessionId);
      throw new RookeryError("SESSION_NOT_FOUND");
    }
    return { workerId: room.workerId, roomId: room.roomId };
  }

  onWorkerReady(workerId: number, roomTypes: readonly RoomTypeInfo[]): void {
    for (const type of roomTypes) this.#roomTypes.set(type.name, type);
    this.#placement.workerReady(workerId);
    this.#rebalancing.workerReady();
  }

  hasRoom(roomId: string): boolean {
    return this.#directory.get(roomId) !== undefined;
  }

  /** Names of the room types there are; empty before the first worker is ready. */
  roomTypes(): string[] {
    return [...this.#roomTypes.keys()];
  }

  onWorkerMessage(workerId: number, message: MatchmakerMessage): void {
    if (message.type === "authorized") this.#onAuthorized(workerId, message);
    else this.#onRoomMessage(workerId, message);
  }

  #onAuthorized(workerId: number, message: Extract<MatchmakerMessage, { type: "authorized" }>): void {
    const authorization = this.#authorizations.get(message.requestId);
    if (authorization?.workerId !== workerId) return; // too late: the join has ended
    const { answer } = authorization;
    if ("auth" in message.result) answer.resolve(message.result.auth);
    else answer.reject(new RookeryError(message.result.failure.code, message.result.failure.message));
  }

  #onRoomMessage(
    workerId: number,
    message: Exclude<MatchmakerMessage, { readonly type: "authorized" }>,
  ): void {
    const { log } = this.#options;
    const { type, roomId } = message;
    const room = this.#directory.get(roomId);
    // Both sides may end a room at the same time; what the worker says of it then comes too late.
    if (room === undefined && (type === "session-left" || type === "room-disposed")) return;
    if (room?.workerId !== workerId) {
      log.warn({ workerId, roomId, type }, "message about a room that the worker does not own");
      return;
    }
    switch (type) {
      case "room-created":
        if (room.phase !== "creating" && room.phase !== "closing") {
          log.warn({ workerId, roomId, phase: room.phase }, "room created that was not asked for");
        } else if (message.failure === undefined) {
          const notThere = new RookeryError("SESSION_NOT_FOUND");
          if (room.epoch > FIRST_EPOCH)
            room.seats.overwrite(new Set(message.sessionIds), notThere, LIMITS.ticketTtlMs);
          this.#directory.open(room);
        } else {
          log.warn({ workerId, roomId, failure: message.failure }, "room could not be created");
          this.#placement.failed(room, message.failure.message);
        }
        break;
      case "room-updated":
        this.#directory.update(room, message);
        break;
      case "room-disposed":
        this.#placement.end(room);
        break;
      case "room-released":
        this.#rebalancing.released(room, message.connectionIds);
        break;
      case "session-joined":
        if (room.phase === "closing") break; // it ends with the room
        if (!room.seats.join(message.sessionId)) {
          log.warn({ workerId, roomId, sessionId: message.sessionId }, "session joined a full room");
        }
        break;
      case "session-left":
        room.seats.release(message.sessionId, new RookeryError("SESSION_NOT_FOUND"));
        break;
    }
  }

  /** The worker serves nothing any more: who wants to one of its rooms waits until another has it, or it is lost. */
  onWorkerEnding(workerId: number): void {
    for (const room of this.#directory.roomsOf(workerId)) {
      if (room.phase === "open") this.#directory.suspend(room);
    }
  }

  /**
   * To be called once nothing more can come from the worker. Rooms that are written down go on in other workers, or
   * in its replacement.
   *
   * @param blamedRoomId the room in the middle of whose step the worker crashed
   */
  onWorkerLost(workerId: number, blamedRoomId?: string): void {
    for (const authorization of this.#authorizations.values()) {
      if (authorization.workerId === workerId) authorization.answer.reject(new RookeryError("SERVER_BUSY"));
    }
    this.#placement.workerLost(workerId, blamedRoomId);
  }

  /** Settles at once when the room of this id, or of this session, is open, and otherwise when it is, or is gone. */
  async whenOpen(id: string): Promise<void> {
    const room = this.#directory.get(id) ?? this.#directory.bySession(id);
    if (room?.phase !== "creating") return;
    const tooLate = Promise.withResolvers<never>();
    const { scheduler } = this.#options;
    const timer = scheduler.setTimeout(
      () => tooLate.reject(new RookeryError("TIMEOUT")),
      LIMITS.joinDeadlineMs,
    );
    await Promise.race([room.opened.promise, tooLate.promise]).finally(() => scheduler.clearTimeout(timer));
  }

  /** @returns the worker that runs the room; NO_WORKER while one is being found @throws RookeryError ROOM_NOT_FOUND */
  workerOf(roomId: string): number {
    const room = this.#directory.get(roomId);
    if (room === undefined) throw new RookeryError("ROOM_NOT_FOUND");
    return room.workerId;
  }

  /**
   * No joins any more: those under way fail, tickets not redeemed are void.
   *
   * @returns settles when every room has a worker that can end it
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#directory.releaseReserved(new RookeryError("SERVER_SHUTTING_DOWN"));
    await this.#rebalancing.stop();
  }

  /** Open, public rooms. @param typeName all types by default */
  list(typeName?: string): RoomListing[] {
    return this.#directory.list(typeName);
  }

  stats(): MatchmakerStats {
    return {
      ...this.#directory.stats(),
      joinsPending: this.#joinsPending,
      authorizationsPending: this.#authorizations.size,
    };
  }

  /** @throws RookeryError with the reason, when the room or session of this id was lost of late */
  #refuseLost(id: string): void {
    const why = this.#directory.whyLost(id);
    if (why !== undefined) throw new RookeryError(why);
  }

  #refuseWhileDraining(): void {
    if (this.#isDraining) throw new RookeryError("SERVER_SHUTTING_DOWN");
  }
}

/** Who asks for one room by its id or code gets that room, private or not, or hears why not. */
function enterable(room: RoomEntry | undefined, type: RoomTypeInfo): RoomEntry {
  if (room?.type.name !== type.name || room.phase === "closing") throw new RookeryError("ROOM_NOT_FOUND");
  if (room.locked) throw new RookeryError("ROOM_LOCKED");
  if (room.seats.isFull) throw new RookeryError("ROOM_FULL");
  return room;
}

function isOpenTo(room: RoomEntry, mode: JoinMode): boolean {
  return !room.locked && (!room.isPrivate || mode === "joinById" || mode === "joinByCode");
}

/**
 * A client that takes any room is not refused because the one it was matched into went away or closed itself. In the
 * latter case it gets a room of its own: the next one would do the same.
 */
function modeOfSecondAttempt(mode: JoinMode, error: unknown): JoinMode | undefined {
  if (mode !== "joinOrCreate" || !(error instanceof RookeryError)) return undefined;
  // SERVER_BUSY: the worker died that was to authorize it.
  if (error.code === "ROOM_LOST" || error.code === "ROOM_CLOSED" || error.code === "SERVER_BUSY") {
    return "joinOrCreate";
  }
  if (error.code === "ROOM_LOCKED") return "create";
  return undefined;
}

/** @returns what `step` gives, unless the signal is aborted before: then its reason is thrown */
async function unlessAborted<T>(signal: AbortSignal, step: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
  return await Promise.race([step, aborted.promise]);
}
