/**
 * Who has a seat in a hosted room: opens sessions, takes connections in and back, keeps the seats of those who are away
 * for as long as the room says, and ends sessions. The room learns of all that as events.
 */
import type { ErrorCode } from "../../shared/errors.ts";
import { decodePayload } from "../../shared/protocol/codec.ts";
import type { Scheduler } from "../../shared/time.ts";
import type { Passenger, UpgradeHead, WorkerToPrimary } from "../ipc/messages.ts";
import type { KeyedHash } from "../keyed-hash.ts";
import type { ClientList } from "../room/client.ts";
import type { RoomClass } from "../room/room-class.ts";
import type { RoomEvent, StepResult } from "../room/room-events.ts";
import type { Transport } from "../transport/transport.ts";
import { ResumeTokens } from "./resume-tokens.ts";
import { SeatTimers } from "./seat-timers.ts";
import { type SavedSession, Session, type SessionOwner } from "./session.ts";
import type { Survivors } from "./survivors.ts";

/** What a client has, as it says itself when it comes back. */
export type Heard = Pick<UpgradeHead, "eventsReceived" | "schemaHash">;

export type RoomSessionsOptions = {
  readonly roomId: string;
  readonly roomClass: Pick<RoomClass, "maxClients" | "reconnectMs">;
  /** Whom the room knows: a session is of them from its `joined` to its `left`. */
  readonly clients: ClientList;
  readonly services: {
    readonly scheduler: Scheduler;
    readonly tokenHash: KeyedHash;
    readonly survivors: Survivors;
    readonly report: (message: WorkerToPrimary) => void;
  };
  readonly owner: SessionOwner;
  readonly enqueue: (event: RoomEvent) => void;
  /** Drops the events of a session that wait for a step. */
  readonly forgetQueued: (sessionId: string) => void;
};

export class RoomSessions {
  readonly #options: RoomSessionsOptions;
  readonly #all = new Map<string, Session>();
  readonly #seats: SeatTimers;
  /** Sessions whose connections have outlived the room's last owner, and are to come back by themselves. */
  readonly #awaited = new Set<string>();

  constructor(options: RoomSessionsOptions) {
    this.#options = options;
    this.#seats = new SeatTimers(options.services.scheduler, (sessionId) =>
      this.expel(this.#all.get(sessionId), "SESSION_NOT_FOUND"),
    );
  }

  get all(): ReadonlyMap<string, Session> {
    return this.#all;
  }

  accept(transport: Transport, sessionId: string, passenger: Passenger, heard: Heard): void {
    const session = this.#all.get(sessionId);
    if (session?.phase === "leaving") return transport.close("SESSION_NOT_FOUND");
    if (passenger.kind === "resume") {
      if (session === undefined) return transport.close("SESSION_NOT_FOUND");
      const generation = session.tokens.check(passenger.resumeToken);
      if (generation === undefined) return transport.close("RESUME_REFUSED");
      this.#return(transport, session, heard, generation);
    } else if (session === undefined) this.#join(transport, sessionId, passenger, heard);
    else this.#return(transport, session, heard, 0);
  }

  #join(
    transport: Transport,
    sessionId: string,
    { options, auth }: Extract<Passenger, { kind: "join" }>,
    { schemaHash }: Heard,
  ): void {
    if (this.#all.size >= this.#options.roomClass.maxClients) {
      transport.close("ROOM_FULL");
      return this.#reportLeft(sessionId);
    }
    const session = this.#open(sessionId);
    if (!session.attach(transport, 0, schemaHash)) return void this.#all.delete(sessionId);
    this.#options.enqueue({
      type: "joined",
      sessionId,
      options,
      auth: auth === undefined ? undefined : decodePayload(auth),
    });
  }

  /** @param tokenGeneration of the resume token, 0 when it took none */
  #return(transport: Transport, session: Session, heard: Heard, tokenGeneration: number): void {
    this.#awaitNoMore(session.id);
    if (!session.attach(transport, heard.eventsReceived, heard.schemaHash))
      return this.expel(session, "SESSION_OVERFLOW");
    session.tokens.used(tokenGeneration);
    this.#seats.stop(session.id);
    if (this.#options.clients.has(session.id))
      this.#options.enqueue({ type: "returned", sessionId: session.id, tokenGeneration });
  }

  /** A session's connection is gone. */
  lost({ id }: Session): void {
    if (this.#options.clients.has(id)) return this.#options.enqueue({ type: "dropped", sessionId: id });
    // Lost before the room ever knew of it: the seat is free at once.
    this.#options.forgetQueued(id);
    this.#forget(id);
  }

  /** What a step has decided for sessions, and is saved with them. */
  note({ dropped, kicked }: Pick<StepResult, "dropped" | "kicked">): void {
    for (const { client, reconnectMs } of dropped) {
      const session = this.#all.get(client.sessionId);
      if (session !== undefined) session.seatMs = reconnectMs;
    }
    for (const { sessionId } of kicked) {
      const session = this.#all.get(sessionId);
      if (session !== undefined) session.isKicked = true;
    }
  }

  /** What a step has brought about for sessions. */
  settle({ arrived, dropped, kicked, left }: StepResult): void {
    const { report } = this.#options.services;
    for (const { client } of arrived)
      report({ type: "session-joined", roomId: this.#options.roomId, sessionId: client.sessionId });
    for (const { client } of dropped) this.#keepSeat(client.sessionId);
    for (const { sessionId } of kicked) this.expel(this.#all.get(sessionId), "KICKED");
    for (const { sessionId } of left) {
      this.#all.get(sessionId)?.end("CONSENTED");
      this.#forget(sessionId);
    }
  }

  #keepSeat(sessionId: string): void {
    const session = this.#all.get(sessionId);
    if (session === undefined) return;
    const reconnectMs = session.seatMs ?? this.#options.roomClass.reconnectMs;
    if (reconnectMs === 0) return this.expel(session, "SESSION_NOT_FOUND");
    if (session.phase === "away") this.#seats.start(sessionId, reconnectMs);
  }

  /** Closes a session's connection; the room learns of it as `left`. */
  expel(session: Session | undefined, code: ErrorCode): void {
    if (session === undefined || session.phase === "leaving") return;
    session.end(code);
    this.#options.enqueue({ type: "left", sessionId: session.id, consented: false });
  }

  /** Closes all connections, because the room ends. */
  endAll(code: ErrorCode): void {
    for (const session of this.#all.values()) session.end(code);
    this.#seats.stopAll();
  }

  forgetAll(): void {
    for (const sessionId of [...this.#all.keys()]) this.#forget(sessionId);
  }

  /** The session is over: the seat is free. */
  #forget(sessionId: string): void {
    this.#seats.stop(sessionId);
    this.#awaitNoMore(sessionId);
    if (this.#all.delete(sessionId)) this.#reportLeft(sessionId);
  }

  #reportLeft(sessionId: string): void {
    this.#options.services.report({ type: "session-left", roomId: this.#options.roomId, sessionId });
  }

  /** The room is to go on at another worker. @returns the connections that go along; those that are closing stay */
  letGo(): Transport[] {
    this.#seats.stopAll();
    return [...this.#all.values()].flatMap((session) => session.letGo() ?? []);
  }

  /** Somebody is connected, and has been sent nothing yet. */
  get hasNewcomer(): boolean {
    for (const { phase } of this.#all.values()) if (phase === "connecting") return true;
    return false;
  }

  /** No connection is on its way from the room's last owner, and all have got what was sent to them. */
  get areSettled(): boolean {
    if (this.#awaited.size > 0) return false;
    for (const session of this.#all.values()) if (!session.isAllSent) return false;
    return true;
  }

  // Recovery.

  /** What another owner of the room needs to go on with those whom the room knows. */
  save(): SavedSession[] {
    return [...this.#options.clients].flatMap(({ sessionId }) => this.#all.get(sessionId)?.save() ?? []);
  }

  /** Opens a session, or one that an earlier owner of the room had. */
  #open(sessionId: string, saved?: SavedSession): Session {
    const { services, owner } = this.#options;
    const tokens = new ResumeTokens(sessionId, services.tokenHash, saved?.tokens);
    const now = () => services.scheduler.now();
    const session = new Session(sessionId, tokens, owner, now, saved);
    this.#all.set(sessionId, session);
    return session;
  }

  restore(saved: SavedSession): void {
    this.#open(saved.id, saved);
  }

  /** An event of the journal is applied again. */
  repeat(event: RoomEvent): void {
    if (event.type === "joined") this.#open(event.sessionId);
    if (event.type === "returned") this.#all.get(event.sessionId)?.tokens.used(event.tokenGeneration);
  }

  /** A session had ended with the last owner: nobody needs to be told. */
  repeatLeft(sessionId: string): void {
    this.#all.delete(sessionId);
  }

  /** The journal has been applied. @param survivors sessions whose connections follow; the others are dropped */
  takeUp(survivors: ReadonlySet<string>): void {
    for (const { sessionId, isDropped } of this.#options.clients) {
      const session = this.#all.get(sessionId);
      if (session?.isKicked === true) this.expel(session, "KICKED");
      else if (isDropped) this.#keepSeat(sessionId);
      else if (survivors.has(sessionId)) this.#await(sessionId);
      else this.#options.enqueue({ type: "dropped", sessionId });
    }
  }

  #await(sessionId: string): void {
    this.#awaited.add(sessionId);
    this.#options.services.survivors.awaits();
  }

  /** @returns whether it was awaited */
  #awaitNoMore(sessionId: string): boolean {
    if (!this.#awaited.delete(sessionId)) return false;
    this.#options.services.survivors.settled();
    return true;
  }

  /** True while a session's connection from the last owner of the room may come back. */
  isAwaited(sessionId: string): boolean {
    return this.#awaited.has(sessionId);
  }

  /** A connection goes on that has outlived the room's last owner, unless the client has taken another meanwhile. */
  adopt(transport: Transport, sessionId: string, heard: Heard): void {
    const session = this.#all.get(sessionId);
    if (session === undefined || session.phase === "leaving") return transport.close("SESSION_NOT_FOUND");
    if (session.phase !== "away") return transport.close("SUPERSEDED");
    this.#return(transport, session, heard, 0);
  }

  adoptionFailed(sessionId: string): void {
    if (this.#awaitNoMore(sessionId)) this.#options.enqueue({ type: "dropped", sessionId });
  }
}
