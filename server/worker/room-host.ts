/** The rooms of one worker: creates, finds, releases and ends them. */
import { RookeryError } from "../../shared/errors.ts";
import { type CreateRoom, FIRST_EPOCH, type PrimaryToWorker, type WorkerToPrimary } from "../ipc/messages.ts";
import type { Logger } from "../logger.ts";
import type { RoomClass } from "../room/room-class.ts";
import type { Transport } from "../transport/transport.ts";
import { createHostedRoom } from "./create-room.ts";
import type { HostedRoom } from "./hosted-room.ts";
import type { RoomServices } from "./room-services.ts";
import type { Heard } from "./room-sessions.ts";
import { Takeovers } from "./takeovers.ts";

type Accept = Extract<PrimaryToWorker, { type: "accept" }>;
type Adopt = Extract<PrimaryToWorker, { type: "adopt" }>;

export class RoomHost {
  readonly #roomClasses: ReadonlyMap<string, RoomClass>;
  readonly #services: Omit<RoomServices, "log">;
  readonly #report: (message: WorkerToPrimary) => void;
  readonly #log: Logger;
  readonly #rooms = new Map<string, HostedRoom>();
  readonly #takeovers: Takeovers;

  constructor(roomClasses: ReadonlyMap<string, RoomClass>, services: Omit<RoomServices, "log">, log: Logger) {
    this.#roomClasses = roomClasses;
    this.#services = services;
    this.#report = services.report;
    this.#log = log;
    this.#takeovers = new Takeovers(services.defer);
  }

  get roomCount(): number {
    return this.#rooms.size + this.#takeovers.size;
  }

  get clientCount(): number {
    let count = 0;
    for (const room of this.#rooms.values()) count += room.clientCount;
    return count;
  }

  /** @param survivors sessions whose connections have outlived the room's last owner, and follow */
  create(create: CreateRoom, survivors: readonly string[]): void {
    if (create.epoch === FIRST_EPOCH) this.#create(create, survivors);
    else this.#takeovers.add(create.roomId, () => this.#create(create, survivors));
  }

  #create(create: CreateRoom, survivors: readonly string[]): void {
    const { roomId, roomType } = create;
    const log = this.#log.child({ roomId, roomType });
    try {
      const roomClass = this.#roomClasses.get(roomType);
      if (roomClass === undefined) throw new RookeryError("ROOM_TYPE_UNKNOWN");
      const room = createHostedRoom(create, roomClass, { ...this.#services, log }, new Set(survivors));
      // One that ended itself in onCreate has reported that it is disposed.
      if (room.hasEnded) return log.info("room disposed");
      this.#rooms.set(roomId, room);
      room.ended.then(() => {
        if (this.#rooms.get(roomId) !== room) return; // released
        this.#rooms.delete(roomId);
        log.info("room disposed");
      });
      log.info("room created");
      this.#reportCreated(room);
    } catch (error) {
      if (!(error instanceof RookeryError)) throw error;
      log.error({ err: error.cause }, error.message);
      const failure = { code: error.code, message: error.message };
      this.#report({ type: "room-created", roomId, failure, sessionIds: [] });
    }
  }

  #reportCreated({ id, sessionIds }: HostedRoom): void {
    this.#report({ type: "room-created", roomId: id, failure: undefined, sessionIds });
  }

  accept(transport: Transport, { roomId, sessionId, passenger, upgrade }: Accept): void {
    const room = this.#find(roomId);
    if (room !== undefined) return room.accept(transport, sessionId, passenger, upgrade);
    transport.close("ROOM_NOT_FOUND");
    this.#report({ type: "session-left", roomId, sessionId });
  }

  /** The connection was lost before it was one: a seat that nobody has taken is free. */
  connectionLost({ roomId, sessionId }: Accept): void {
    if (this.#find(roomId)?.hasSession(sessionId) === true) return;
    this.#report({ type: "session-left", roomId, sessionId });
  }

  /** @returns undefined when nobody waits for the connection; else the message that asks where its stream goes on */
  resumeMessage({ roomId, sessionId }: Adopt, nonce: number): Uint8Array | undefined {
    return this.#find(roomId)?.resumeMessage(sessionId, nonce);
  }

  adopt(transport: Transport, { roomId, sessionId }: Adopt, heard: Heard): void {
    const room = this.#rooms.get(roomId);
    if (room === undefined) transport.close("ROOM_NOT_FOUND");
    else room.adopt(transport, sessionId, heard);
  }

  adoptionFailed({ roomId, sessionId }: Adopt): void {
    this.#rooms.get(roomId)?.adoptionFailed(sessionId);
  }

  /**
   * The room is to go on at another worker. It reports itself as released, with the connections that go along, or that
   * it is still here.
   *
   * @param letGo lets go of connections; gives the ids of those that are open
   */
  release(roomId: string, letGo: (connections: readonly Transport[]) => number[]): void {
    const room = this.#find(roomId);
    room?.release((connections) => {
      if (connections === undefined) return this.#reportCreated(room);
      this.#rooms.delete(roomId);
      this.#log.info({ roomId }, "room released");
      this.#report({ type: "room-released", roomId, connectionIds: letGo(connections) });
    });
  }

  dispose(roomId: string): void {
    const room = this.#find(roomId);
    if (room === undefined) this.#report({ type: "room-disposed", roomId });
    else room.dispose("ROOM_CLOSED");
  }

  /** Ends all rooms because the server shuts down; settles when nothing of them is under way. */
  async drain(): Promise<void> {
    this.#takeovers.needAll();
    const rooms = [...this.#rooms.values()];
    for (const room of rooms) room.dispose("SERVER_SHUTTING_DOWN");
    await Promise.all(rooms.map((room) => room.ended));
  }

  #find(roomId: string): HostedRoom | undefined {
    this.#takeovers.need(roomId);
    return this.#rooms.get(roomId);
  }
}
