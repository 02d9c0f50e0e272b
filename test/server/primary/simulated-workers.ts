/**
 * Workers as the primary meets them, on simulated time and with faults: they answer late, wrongly or never, rooms fail,
 * close and end by themselves, clients vanish, and whole workers die with messages on their way. Channels keep
 * their order, as the real ones do, and a death is reported after everything the worker has sent.
 */
import assert from "node:assert/strict";
import type { PrimaryToWorker, RoomTypeInfo } from "../../../server/ipc/messages.ts";
import type { MatchmakerMessage } from "../../../server/primary/matchmaker.ts";
import type { Scheduler } from "../../../shared/time.ts";

const LATENCY_MS_MAX = 50;
const LATE_ANSWER_MS_MAX = 8_000;

type Room = { readonly sessions: Set<string>; readonly maxClients: number };

type Connections = {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly roomTypes: readonly RoomTypeInfo[];
  readonly toPrimary: (workerId: number, message: MatchmakerMessage) => void;
  readonly onLost: (workerId: number) => void;
  /** All room ids that any worker was ever told to create. */
  readonly createdIds: Set<string>;
};

export class SimulatedWorker {
  readonly id: number;
  readonly rooms = new Map<string, Room>();
  isAlive = true;
  readonly #connections: Connections;
  #inboxFreeAtMs = 0;
  #outboxFreeAtMs = 0;

  constructor(id: number, connections: Connections) {
    this.id = id;
    this.#connections = connections;
  }

  /** From the primary; arrives after a while, in order. */
  receive(message: PrimaryToWorker): void {
    const { scheduler } = this.#connections;
    this.#inboxFreeAtMs = Math.max(this.#inboxFreeAtMs, scheduler.now() + this.#latencyMs());
    scheduler.setTimeout(() => this.isAlive && this.#handle(message), this.#inboxFreeAtMs - scheduler.now());
  }

  die(): void {
    this.isAlive = false;
    const { scheduler, onLost } = this.#connections;
    const afterLastMessageMs = Math.max(this.#outboxFreeAtMs - scheduler.now(), this.#latencyMs());
    scheduler.setTimeout(() => onLost(this.id), afterLastMessageMs);
  }

  /** The room ends by itself. */
  dispose(roomId: string): void {
    for (const sessionId of this.rooms.get(roomId)?.sessions ?? []) this.leave(roomId, sessionId);
    this.rooms.delete(roomId);
    this.#send({ type: "room-disposed", roomId });
  }

  leave(roomId: string, sessionId: string): void {
    if (this.rooms.get(roomId)?.sessions.delete(sessionId) !== true) return;
    this.#send({ type: "session-left", roomId, sessionId });
  }

  setListing(roomId: string, locked: boolean, isPrivate: boolean): void {
    const autoDispose = this.#chance(0.8);
    this.#send({ type: "room-updated", roomId, locked, isPrivate, autoDispose, metadata: null });
  }

  #handle(message: PrimaryToWorker): void {
    switch (message.type) {
      case "create-room":
        return this.#create(message.roomId, message.roomType);
      case "dispose-room":
        return this.dispose(message.roomId);
      case "authorize":
        return this.#authorize(message.requestId);
      case "accept":
        return this.#accept(message.roomId, message.sessionId);
      case "release-room":
      case "drain":
        return;
    }
  }

  #create(roomId: string, roomType: string): void {
    const { createdIds, roomTypes } = this.#connections;
    assert(!createdIds.has(roomId), "a room is created once");
    createdIds.add(roomId);
    if (this.#chance(0.05)) return; // never says anything
    if (this.#chance(0.1)) {
      const failure = { code: "ROOM_CREATE_FAILED", message: "" } as const;
      return this.#send({ type: "room-created", roomId, failure, sessionIds: [] });
    }
    const type = roomTypes.find(({ name }) => name === roomType);
    assert(type !== undefined);
    this.rooms.set(roomId, { sessions: new Set(), maxClients: type.maxClients });
    if (this.#chance(0.1)) this.setListing(roomId, this.#chance(0.5), this.#chance(0.5));
    this.#answer({ type: "room-created", roomId, failure: undefined, sessionIds: [] });
  }

  #authorize(requestId: number): void {
    if (this.#chance(0.05)) return; // hangs in a database
    const failure = { code: "UNAUTHORIZED", message: "" } as const;
    const result = this.#chance(0.2) ? { failure } : { auth: new Uint8Array() };
    this.#answer({ type: "authorized", requestId, result });
  }

  #accept(roomId: string, sessionId: string): void {
    const room = this.rooms.get(roomId);
    if (room?.sessions.has(sessionId)) return this.#send({ type: "session-joined", roomId, sessionId });
    if (room === undefined || room.sessions.size >= room.maxClients || this.#chance(0.2)) {
      return this.#send({ type: "session-left", roomId, sessionId });
    }
    room.sessions.add(sessionId);
    this.#send({ type: "session-joined", roomId, sessionId });
  }

  /** Sends an answer, once in a while so late that nobody waits for it any more. */
  #answer(message: MatchmakerMessage): void {
    if (!this.#chance(0.05)) return this.#send(message);
    const { scheduler, random } = this.#connections;
    scheduler.setTimeout(() => this.isAlive && this.#send(message), random() * LATE_ANSWER_MS_MAX);
  }

  #send(message: MatchmakerMessage): void {
    const { scheduler, toPrimary } = this.#connections;
    this.#outboxFreeAtMs = Math.max(this.#outboxFreeAtMs, scheduler.now() + this.#latencyMs());
    scheduler.setTimeout(() => toPrimary(this.id, message), this.#outboxFreeAtMs - scheduler.now());
  }

  #latencyMs(): number {
    return this.#connections.random() * LATENCY_MS_MAX;
  }

  #chance(probability: number): boolean {
    return this.#connections.random() < probability;
  }
}
