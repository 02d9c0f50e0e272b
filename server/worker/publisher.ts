/**
 * Sends what a step has brought about: encoded once, written once per client. A client that has nothing of its own
 * in this step gets the same buffer as everybody else; any other gets one buffer of its own, put together from the
 * same encoded parts; in a room with interest management that is each of them. A client that reads too slowly is
 * skipped, and later gets one merged change.
 */
import assert from "node:assert/strict";
import { assembleMessage, encodeServerValue } from "../../shared/protocol/codec.ts";
import { PROTOCOL_VERSION, ServerMessage } from "../../shared/protocol/wire.ts";
import { PendingChanges, type StateChange } from "../../shared/schema/index.ts";
import { LIMITS } from "../limits.ts";
import type { Client } from "../room/client.ts";
import { Sight, type StatePatches } from "../room/interest.ts";
import type { Arrival, StepResult } from "../room/room-events.ts";
import type { RoomRuntime } from "../room/room-runtime.ts";
import type { Connection } from "./connection.ts";
import { MessageWriter } from "./message-writer.ts";
import type { Saved } from "./recorder.ts";
import type { Session } from "./session.ts";
import { type StateType, StepFrame } from "./step-frame.ts";
import { type RoomWelcome, welcomeOf } from "./welcome.ts";

export type PublisherOptions = {
  readonly runtime: RoomRuntime;
  /** Trailer of every message: random per room and epoch. */
  readonly tag: number;
  /** The room ticks: each step has a STATE, even when nothing has changed. */
  readonly hasTicks: boolean;
  /** What each WELCOME says of the room. */
  readonly roomWelcome: () => RoomWelcome;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** The session's outbox is full: it must end. */
  readonly onOverflow: (session: Session) => void;
};

/** Type and patch. */
const OWN_VALUES = 2;

/** For messages that go to one client alone. Shared by all rooms of the process: each message is taken at once. */
const message = new MessageWriter();

export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  assemble(parts: readonly Uint8Array[]): Uint8Array {
    return assembleMessage(parts, this.#options.tag);
  }

  /** Takes what a step has for sessions into them, before they are saved and anything is sent. */
  keep(step: StepResult, sessions: ReadonlyMap<string, Session>): void {
    if (step.arrived.length + step.emissions.length === 0) return;
    const arrivals = arrivalsOf(step);
    for (const client of this.#options.runtime.clients) {
      const session = sessions.get(client.sessionId);
      if (session === undefined) continue;
      const arrival = arrivals.get(client);
      if (arrival !== undefined) session.tokens.issue(arrival.tokenGeneration);
      this.#keepEvents(session, client, step, arrival);
    }
  }

  /**
   * @param saved what clients are to be told of the room's checkpoints
   * @returns whether a client reads too slowly and was skipped
   */
  publish(step: StepResult, sessions: ReadonlyMap<string, Session>, saved: Saved): boolean {
    const { runtime, hasTicks, tag } = this.#options;
    const frame = new StepFrame(step, runtime, hasTicks, saved, tag);
    const arrivals = arrivalsOf(step);
    const hasSomebodyLeft = step.left.length > 0;
    let isSomebodyBehind = false;
    for (const session of sessions.values()) {
      const { connection } = session;
      if (connection === undefined) continue;
      if (session.phase === "live") {
        if (hasSomebodyLeft && !runtime.clients.has(session.id)) continue;
        this.#update(session, connection, frame);
        if (connection.pending !== undefined) isSomebodyBehind = true;
        continue;
      }
      const client = runtime.clients.get(session.id);
      if (client !== undefined && arrivals.has(client)) this.#welcome(session, client, connection, frame);
    }
    return isSomebodyBehind;
  }

  /** Events are kept until acknowledged, whether there is a connection or not. */
  #keepEvents(session: Session, client: Client, step: StepResult, arrival: Arrival | undefined): void {
    for (let index = arrival?.emissionsFrom ?? 0; index < step.emissions.length; index++) {
      const emission = step.emissions[index];
      if (emission === undefined || emission.to?.has(client) === false) continue;
      if (session.outbox.push(emission.part) === undefined) {
        return this.#options.onOverflow(session);
      }
    }
  }

  #welcome(session: Session, client: Client, connection: Connection, frame: StepFrame): void {
    const welcome = welcomeOf(this.#options.roomWelcome(), session, client, connection);
    message.begin();
    message.part(encodeServerValue([ServerMessage.WELCOME, PROTOCOL_VERSION, welcome]));
    this.#writeSnapshot(client, connection, frame);
    this.#send(session, connection);
    session.goLive();
  }

  /** What is looked at here of one client is in no cache: for one that has nothing of its own it is kept to little. */
  #update(session: Session, connection: Connection, frame: StepFrame): void {
    const { clients, interest } = this.#options.runtime;
    const { change, emissions } = frame.step;
    // Nothing is sent behind a message that the system has not taken whole: if this process dies, what it has begun to
    // write is cut off there, and a client that does not read costs no more memory than that one message.
    if (connection.transport.bufferedBytes > 0) return this.#holdBack(session, connection, change);
    const { ownerPatches } = change;
    const own = ownerPatches.size > 0 ? ownerPatches.get(session.id) : undefined;
    if (connection.pending === undefined && interest === undefined && own === undefined) {
      // Who is up to date has been sent all events before this step's. It gets every broadcast, so an equal count means
      // that it has no event of its own.
      const eventCount = emissions.length === 0 ? 0 : session.outbox.last - connection.eventsSent;
      if (eventCount === frame.broadcastCount) {
        if (eventCount > 0) connection.eventsSent += eventCount;
        if (frame.hasContent) connection.transport.sendFrame(frame.shared());
        return;
      }
    }
    const client = clients.get(session.id);
    assert(client, "a session is live while the room has a client for it");
    message.begin();
    if (connection.pending !== undefined) this.#writeMerged(client, connection, frame);
    else if (interest !== undefined) {
      this.#writeView(ServerMessage.STATE, client, connection, frame, { patch: change.patch, own });
    } else {
      this.#writeParts(frame.stateParts());
      this.#writeOwn(own);
    }
    this.#send(session, connection);
  }

  /** A client that reads too slowly gets nothing now, and later one change for all that it was not sent. */
  #holdBack(session: Session, connection: Connection, change: StateChange): void {
    const nowMs = this.#options.now();
    connection.unreadSinceMs ??= nowMs;
    if (nowMs - connection.unreadSinceMs >= LIMITS.unreadMs) return session.dropUnread();
    connection.pending ??= new PendingChanges();
    connection.pending.add(change);
  }

  /** The message as it is by now, with the events that the connection has not had. */
  #send(session: Session, connection: Connection): void {
    if (session.outbox.last > connection.eventsSent) {
      this.#writeParts(session.outbox.after(connection.eventsSent) ?? []);
      connection.eventsSent = session.outbox.last;
    }
    if (!message.isEmpty) connection.transport.sendFrame(message.takeFrame(this.#options.tag));
  }

  #writeParts(parts: readonly Uint8Array[]): void {
    for (const part of parts) message.part(part);
  }

  #writeOwn(patch: Uint8Array | undefined): void {
    if (patch === undefined) return;
    message.array(OWN_VALUES);
    message.uint(ServerMessage.OWN);
    message.byteString(patch);
  }

  /** One newer change instead of those that were held back. */
  #writeMerged(client: Client, connection: Connection, frame: StepFrame): void {
    const pending = connection.pending as PendingChanges;
    connection.pending = undefined;
    connection.unreadSinceMs = undefined;
    pending.add(frame.step.change);
    if (pending.overflowed) return this.#writeSnapshot(client, connection, frame);
    const { encoder, interest } = this.#options.runtime;
    const merged = pending.encode(encoder, client.sessionId);
    if (interest !== undefined)
      return this.#writeView(ServerMessage.STATE, client, connection, frame, merged);
    message.part(frame.statePart(ServerMessage.STATE, merged.patch, frame.allAcks()));
    this.#writeParts(frame.savedPart());
    this.#writeOwn(merged.own);
  }

  #writeSnapshot(client: Client, connection: Connection, frame: StepFrame): void {
    const { encoder, interest } = this.#options.runtime;
    const own = encoder.ownerSnapshot(client.sessionId);
    if (interest !== undefined) {
      connection.sight = new Sight();
      const shared = { patch: encoder.snapshot(), own };
      return this.#writeView(ServerMessage.SNAPSHOT, client, connection, frame, shared);
    }
    message.part(frame.snapshotPart());
    this.#writeParts(frame.savedPart());
    this.#writeOwn(own);
  }

  /** The state as one client sees it. @param shared what of it is for all clients */
  #writeView(
    type: StateType,
    client: Client,
    connection: Connection,
    frame: StepFrame,
    shared: StatePatches,
  ): void {
    const { sight } = connection;
    const { interest } = this.#options.runtime;
    assert(interest && sight, "a connection begins with a snapshot");
    const { patch, own } = interest.frame(sight, client, shared);
    if (!frame.hasState && patch.length === 0) this.#writeParts(frame.newlySavedPart());
    else {
      message.part(frame.stateHead(type));
      message.ack({ slot: client.slot, seq: client.lastMessageSeq });
      message.byteString(patch);
      this.#writeParts(frame.savedPart());
    }
    this.#writeOwn(own);
  }
}

const NOBODY: ReadonlyMap<Client, Arrival> = new Map();

function arrivalsOf({ arrived }: StepResult): ReadonlyMap<Client, Arrival> {
  if (arrived.length === 0) return NOBODY;
  return new Map(arrived.map((arrival) => [arrival.client, arrival]));
}
