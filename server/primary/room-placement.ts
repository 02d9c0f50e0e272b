/**
 * Which worker a room runs on: chooses one for a new room, and another when that one has died, or has let it go. A room
 * that was in the middle of a step as its worker crashed goes on alone, in a worker of its own; if it crashes that, too, it
 * is put aside.
 */
import { RookeryError } from "../../shared/errors.ts";
import { type CreateRoom, FIRST_EPOCH, type PrimaryToWorker, type WorkerStats } from "../ipc/messages.ts";
import { NO_WORKER, type RoomDirectory, type RoomEntry } from "./room-directory.ts";
import type { Selector } from "./selector/selector.ts";

/** A worker that takes rooms; no stats before its first heartbeat. */
export type ReadyWorker = {
  readonly workerId: number;
  readonly stats: WorkerStats | undefined;
};

export type PlacementOptions = {
  readonly selector: Selector;
  readonly workers: () => readonly ReadyWorker[];
  readonly send: (workerId: number, message: PrimaryToWorker) => void;
  /** Starts a worker for one room alone. @returns its id; undefined when there can be none */
  readonly isolate: () => number | undefined;
  /** The worker's last room is gone. */
  readonly onIdle: (workerId: number) => void;
  /** A room is over and its files can go; or it failed, and they are to be kept for a look. */
  readonly onRoomGone: (roomId: string, how: "ended" | "failed") => void;
  /** Sockets that outlive their worker. */
  readonly survivors: {
    /** @returns the sessions whose sockets are retained */
    of(roomId: string): readonly string[];
    /** A worker was told to take the room over: it gets the sockets. */
    follow(roomId: string, workerId: number): void;
    /** The room has left its worker, with these connections: others are none of its survivors. */
    keepOnly(roomId: string, connectionIds: ReadonlySet<number>): void;
    /** The room's worker is gone and nobody takes the room over. */
    close(roomId: string): void;
  };
  readonly log: { warn(fields: object, message: string): void };
};

export class RoomPlacement {
  readonly #directory: RoomDirectory;
  readonly #options: PlacementOptions;

  constructor(directory: RoomDirectory, options: PlacementOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** @returns the worker for a new room; undefined when none is ready */
  choose(): number | undefined {
    const loads = this.#options.workers().map(({ workerId, stats }) => ({
      workerId,
      tickLoad: stats?.tickLoad ?? 0,
      roomsMeasured: stats?.rooms ?? 0,
      rooms: this.#directory.countOf(workerId),
    }));
    return this.#options.selector.choose(loads);
  }

  /** Tells the room's worker to create it, or to take it over; then it gets the sockets that wait for it. */
  create({ workerId, roomId, type, code, options, seed, epoch }: RoomEntry): void {
    const { send, survivors } = this.#options;
    const create: CreateRoom = { roomId, roomType: type.name, code, options, seed, epoch };
    send(workerId, { type: "create-room", ...create, survivors: survivors.of(roomId) });
    survivors.follow(roomId, workerId);
  }

  /** Tells the room's worker to let it go, so that another can take it over. */
  release(room: RoomEntry): void {
    this.#directory.suspend(room);
    this.#options.send(room.workerId, { type: "release-room", roomId: room.roomId });
  }

  /**
   * A room that was let go is taken over.
   *
   * @param workerId by whom; undefined: by any
   * @param connectionIds connections that go with it; others of it end at the worker they are at
   */
  moveOn(room: RoomEntry, workerId: number | undefined, connectionIds: readonly number[]): void {
    this.#options.survivors.keepOnly(room.roomId, new Set(connectionIds));
    if (workerId !== undefined) room.displacedAtMs = undefined;
    this.#directory.move(room, workerId ?? this.choose() ?? NO_WORKER);
    if (room.workerId !== NO_WORKER) this.create(room);
  }

  /** The room's worker could not create it, or take it over. */
  failed(room: RoomEntry, why: string): void {
    const isNew = room.epoch === FIRST_EPOCH;
    if (isNew) this.#directory.remove(room, new RookeryError("ROOM_CREATE_FAILED", why));
    else this.#directory.lose(room, "ROOM_LOST");
    this.#gone(room, isNew ? "ended" : "failed");
  }

  /** The room has ended. */
  end(room: RoomEntry): void {
    this.#directory.remove(room, new RookeryError("ROOM_CLOSED"));
    this.#gone(room, "ended");
  }

  workerReady(workerId: number): void {
    // The room that it was started for.
    for (const room of this.#directory.roomsOf(workerId)) this.create(room);
    for (const room of this.#directory.roomsOf(NO_WORKER)) this.#rehouse(room);
  }

  /** @param blamedRoomId the room in the middle of whose step the worker crashed */
  workerLost(workerId: number, blamedRoomId: string | undefined): void {
    for (const room of this.#directory.roomsOf(workerId)) {
      if (!this.#goesOn(room, room.roomId === blamedRoomId)) this.#options.survivors.close(room.roomId);
    }
  }

  #goesOn(room: RoomEntry, isSuspect: boolean): boolean {
    const isGuilty = isSuspect && this.#directory.blame(room);
    if (room.type.durability === "none") {
      this.#directory.lose(room, "ROOM_LOST");
      return false;
    }
    if (isGuilty) {
      this.#putAside(room);
      return false;
    }
    this.#directory.displace(room);
    // Nobody is in it any more, but what it does at its end may not be done.
    if (room.phase === "closing") this.#options.survivors.close(room.roomId);
    if (!isSuspect || !this.#isolate(room)) this.#rehouse(room);
    return true;
  }

  /** Finds a worker to take the room over; none is ready: the next that becomes so. */
  #rehouse(room: RoomEntry): void {
    const workerId = this.choose() ?? NO_WORKER;
    if (workerId === room.workerId) return;
    this.#directory.move(room, workerId);
    if (workerId !== NO_WORKER && room.phase !== "planned") this.create(room);
  }

  /** Has the room taken over by a worker of its own, so that no other room suffers if it crashes that one, too. */
  #isolate(room: RoomEntry): boolean {
    const workerId = this.#options.isolate();
    if (workerId === undefined) return false;
    const { roomId } = room;
    this.#options.log.warn({ roomId, workerId }, "room goes on alone: its worker crashed in a step of it");
    this.#directory.move(room, workerId);
    return true;
  }

  #putAside(room: RoomEntry): void {
    const { roomId, type } = room;
    this.#options.log.warn({ roomId, type: type.name }, "room is put aside: it crashes its worker");
    this.#directory.lose(room, "ROOM_QUARANTINED");
    this.#options.onRoomGone(roomId, "failed");
  }

  #gone({ roomId, workerId }: RoomEntry, how: "ended" | "failed"): void {
    this.#options.onRoomGone(roomId, how);
    if (this.#directory.countOf(workerId) === 0) this.#options.onIdle(workerId);
  }
}
