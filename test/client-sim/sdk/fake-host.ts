/**
 * A server in memory, on simulated time: it speaks the real codec and keeps sessions as PROTOCOL.md asks, so that the
 * client is tested against bytes, and tests can break the network and the server at any point. What the one room plays
 * is up to the subclass.
 */

import type { WebSocketConstructor } from "../../../client-sim/sdk/socket.ts";
import { ERRORS, type ErrorCode, RookeryError } from "../../../shared/errors.ts";
import {
  assembleMessage,
  decodeClientValue,
  encodeAcks,
  encodeServerValue,
} from "../../../shared/protocol/codec.ts";
import {
  formatResumeToken,
  type Offer,
  parseOffer,
  parseResumeToken,
} from "../../../shared/protocol/handshake.ts";
import { Outbox } from "../../../shared/protocol/outbox.ts";
import {
  ClientMessage,
  type ClientValue,
  type JoinRequest,
  ServerMessage,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import {
  describe,
  type EntitySchema,
  type Live,
  StateEncoder,
  schemaHash,
} from "../../../shared/schema/index.ts";
import type { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeSocket } from "./fake-socket.ts";

export const BASE_URL = "http://game.test";
export const RECONNECT_MS = 20_000;
/** Slots are not the numbers of anything else. */
export const SLOT_BASE = 10;
const EVENT_LIMITS = { itemsMax: 4_096, bytesMax: 512 * 1024 };

type FakeSession = {
  readonly id: string;
  readonly slot: number;
  events: Outbox;
  generation: number;
  /** Last message applied. */
  ack: number;
  /** The room was set back: of its messages some may be missing. */
  mayLeaveGap: boolean;
  socket: FakeSocket | undefined;
};
/** What a client says that it has. */
type Heard = Pick<Offer, "eventsReceived" | "schemaHash">;
type Applied = { readonly sessionId: string; readonly type: number | string; readonly payload: unknown };

export abstract class FakeHost<S extends EntitySchema> {
  readonly time: SimulatedTime;
  readonly #schema: S;
  /** Every socket that was ever opened, in order. */
  readonly sockets: FakeSocket[] = [];
  /** Every HTTP request, in order. */
  readonly requests: {
    readonly url: string;
    readonly init: RequestInit | undefined;
    readonly atMs: number;
  }[] = [];
  /** What clients' messages did to the room, once each. */
  readonly applied: Applied[] = [];
  /** Answered to the next requests instead of tickets. */
  readonly httpAnswers: (() => Response | Promise<Response>)[] = [];
  /** Close codes for the next handshakes; 1006 for a connection that cannot be made. */
  readonly refusals: number[] = [];
  /** While true nothing can be reached. */
  isDown = false;
  /** While true clients are read from but nothing is said to them. */
  isMute = false;
  /** Of connections opened from now on, in each direction. */
  latencyMs = 0;
  /** By how much longer a message to a client is held up, and all that come after it. */
  holdMs = (): number => 0;
  /** While true an owner dies as soon as it has taken a connection in: it welcomes nobody. */
  diesBeforeWelcome = false;
  /** Events are sent again from here on the next connection, if not from where the client is. */
  repeatFrom: number | undefined;
  /** Room time; tests let it drift or stand still. */
  roomTimeAt = (nowMs: number): number => nowMs;
  encoder: StateEncoder<S>;
  roomId = "room-1";
  epoch = 1;
  tag = 0xdecaf001;
  tick = 0;
  /** While true what STATE acknowledges is not saved; `save` says when it is. */
  savesLater = false;
  /** The last epoch that began with the room set back. */
  stepBackEpoch = 0;
  #sessions = new Map<string, FakeSession>();
  #tickets = new Map<string, string>();
  #ids = 0;
  /** Connections whose owner has died, with the nonce that the next one looks for, once there is one. */
  readonly #orphans = new Map<FakeSocket, number | undefined>();

  constructor(time: SimulatedTime, schema: S) {
    this.time = time;
    this.#schema = schema;
    this.encoder = new StateEncoder(schema);
  }

  /** @param count how many sessions there have been with it */
  protected abstract enter(root: Live<S>, sessionId: string, count: number): void;

  /** A message has come; it is part of the next state. */
  protected act(_sessionId: string, _payload: unknown, _seq: number): void {}

  readonly fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    this.requests.push({ url: String(url), init, atMs: this.time.now() });
    if (this.isDown) throw new TypeError("fetch failed");
    const scripted = this.httpAnswers.shift();
    if (scripted !== undefined) return scripted();
    const sessionId = this.#newSession();
    const ticket = `ticket-of-${sessionId}`;
    this.#tickets.set(ticket, sessionId);
    const expiresAt = this.time.now() + 15_000;
    return Response.json({
      ticket,
      roomId: this.roomId,
      sessionId,
      url: "ws://machine-7.test/ws",
      expiresAt,
    });
  };

  /** The WebSocket constructor for clients of this server. */
  get webSocket(): WebSocketConstructor {
    const server = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, server.time, () => server.#receive(this));
        this.latencyMs = server.latencyMs;
        this.holdMs = server.holdMs;
        server.sockets.push(this);
        server.time.setTimeout(() => server.#accept(this), 0);
      }
    };
  }

  /** The last socket opened. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  requestBody(index: number): JoinRequest {
    return JSON.parse(String(this.requests[index]?.init?.body)) as JoinRequest;
  }

  /** One tick of the room: everybody gets a STATE. */
  step(): void {
    this.tick += 1;
    const { patch, ownerPatches } = this.encoder.commit();
    const state = this.#stateValue(ServerMessage.STATE, patch);
    for (const session of this.#sessions.values()) {
      const own = ownerPatches.get(session.id);
      const parts = own ? [state, encodeServerValue([ServerMessage.OWN, own])] : [state];
      this.#send(session, parts);
    }
  }

  /** A reliable event to one session, connected or not. */
  event(sessionId: string, name: string, payload: unknown): void {
    const session = this.#session(sessionId);
    const part = encodeServerValue([ServerMessage.EVENT, name, payload]);
    if (session.events.push(part) === undefined) throw new Error("the test sends too many events");
    this.#send(session, [part]);
  }

  /** Events of a session that it has not acknowledged. */
  unacknowledged(sessionId: string): number {
    return this.#session(sessionId).events.size;
  }

  /** The room is lost with its sessions; the next join finds another one. */
  replaceRoom(): void {
    this.#sessions = new Map();
    this.encoder = new StateEncoder(this.#schema);
    this.roomId = "room-2";
    this.tag = 0xdecaf002;
    this.tick = 0;
  }

  /**
   * The room's owner dies, and another takes it over with its connections [R5].
   *
   * @param ack of all sessions; by default what each has applied
   */
  takeOver({ nonce, tag, ack }: { nonce: number; tag: number; ack?: number }): void {
    this.epoch += 1;
    this.tag = tag;
    for (const session of this.#sessions.values()) {
      if (session.socket === undefined) continue;
      this.#orphans.set(session.socket, nonce);
      const resume = encodeServerValue([ServerMessage.RESUME, nonce, tag, ack ?? session.ack]);
      session.socket.deliver(assembleMessage([resume], tag));
    }
  }

  /** What all sessions were told is saved. */
  save(): void {
    for (const session of this.#sessions.values())
      this.#send(session, [encodeServerValue([ServerMessage.SAVED])]);
  }

  /**
   * The room's owner dies, and the next one has the room as it was earlier [R6]. `takeOver` follows, or lost connections.
   *
   * @param ack the last message of all sessions that was applied then
   * @param events how many each had been sent
   */
  setBack(ack: number, events: number): void {
    this.stepBackEpoch = this.epoch + 1;
    for (const session of this.#sessions.values()) {
      session.ack = ack;
      session.mayLeaveGap = true;
      session.events = new Outbox(EVENT_LIMITS, events);
    }
  }

  #newSession(): string {
    this.#ids += 1;
    const id = `session${this.#ids}`;
    const events = new Outbox(EVENT_LIMITS);
    this.#sessions.set(id, {
      id,
      slot: SLOT_BASE + this.#ids,
      events,
      generation: 0,
      ack: 0,
      mayLeaveGap: false,
      socket: undefined,
    });
    this.enter(this.encoder.root, id, this.#ids);
    this.encoder.commit();
    return id;
  }

  #session(id: string): FakeSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Error(`no session ${id}`);
    return session;
  }

  #accept(socket: FakeSocket): void {
    const refusal = this.refusals.shift();
    if (this.isDown || refusal === 1006) return socket.drop();
    if (this.isMute) return;
    socket.open();
    if (refusal !== undefined) return socket.closeByServer(refusal);
    const offer = parseOffer(socket.protocols.join(", "));
    const session = offer && this.#sessionOf(offer, new URL(socket.url));
    if (!session)
      return socket.closeByServer(ERRORS[offer?.ticket ? "TICKET_INVALID" : "SESSION_NOT_FOUND"].close);
    session.socket?.closeByServer(ERRORS.SUPERSEDED.close);
    session.socket = socket;
    if (this.diesBeforeWelcome) this.#orphans.set(socket, undefined);
    else this.#welcome(session, offer, session.generation > 0);
  }

  #sessionOf(offer: Offer, url: URL): FakeSession | undefined {
    const { ticket, resume } = offer;
    if (ticket !== undefined) return this.#sessions.get(this.#tickets.get(ticket) ?? "");
    if (resume !== undefined) {
      const token = parseResumeToken(resume);
      const session = this.#sessions.get(token?.sessionId ?? "");
      return session?.generation === token?.generation ? session : undefined;
    }
    return url.pathname === "/ws/arena" ? this.#session(this.#newSession()) : undefined;
  }

  #welcome(session: FakeSession, offer: Heard, resumed: boolean): void {
    session.generation += 1;
    const descriptor = describe(this.#schema);
    const hash = schemaHash(descriptor);
    const from = this.repeatFrom ?? offer.eventsReceived;
    this.repeatFrom = undefined;
    if (this.stepBackEpoch > 0) session.events.skipTo(from);
    const missed = session.events.after(from);
    if (missed === undefined) return session.socket?.closeByServer(ERRORS.SESSION_OVERFLOW.close);
    session.events.acknowledge(from);
    const welcome: Welcome = {
      roomId: this.roomId,
      roomType: "arena",
      code: "ABCDEF",
      sessionId: session.id,
      slot: session.slot,
      resumed,
      resumeToken: formatResumeToken({
        sessionId: session.id,
        generation: session.generation,
        secret: "s3cret",
      }),
      reconnectMs: RECONNECT_MS,
      epoch: this.epoch,
      worker: 0,
      tag: this.tag,
      tickRate: 20,
      nextEvent: from + 1,
      ack: session.ack,
      savesLater: this.savesLater,
      stepBackEpoch: this.stepBackEpoch,
      messages: ["move", "chat"],
      schemaHash: hash,
      schema: offer.schemaHash === hash ? null : descriptor,
    };
    const own = this.encoder.ownerSnapshot(session.id);
    this.#send(session, [
      encodeServerValue([ServerMessage.WELCOME, 1, welcome]),
      this.#stateValue(ServerMessage.SNAPSHOT, this.encoder.snapshot()),
      ...(own ? [encodeServerValue([ServerMessage.OWN, own])] : []),
      ...missed,
    ]);
  }

  #stateValue(
    type: typeof ServerMessage.STATE | typeof ServerMessage.SNAPSHOT,
    patch: Uint8Array,
  ): Uint8Array {
    const acks = [...this.#sessions.values()].map(({ slot, ack }) => ({ slot, seq: ack }));
    return encodeServerValue([type, this.tick, this.#roomTimeMs(), encodeAcks(acks, 2), patch]);
  }

  #roomTimeMs(): number {
    return this.roomTimeAt(this.time.now());
  }

  #send(session: FakeSession, parts: readonly Uint8Array[]): void {
    const { socket } = session;
    if (!this.isMute && socket !== undefined && !this.#orphans.has(socket))
      socket.deliver(assembleMessage(parts, this.tag));
  }

  /** What a client sent has arrived. */
  #receive(socket: FakeSocket): void {
    const session = [...this.#sessions.values()].find((candidate) => candidate.socket === socket);
    const bytes = socket.received.at(-1);
    if (session === undefined || bytes === undefined) return;
    try {
      const value = decodeClientValue(bytes);
      if (this.#orphans.has(socket)) this.#resync(session, socket, value);
      else this.#apply(session, socket, value);
    } catch (error) {
      const code: ErrorCode = error instanceof RookeryError ? error.code : "INTERNAL";
      socket.closeByServer(ERRORS[code].close);
    }
  }

  /** Whatever comes before the answer to RESUME is thrown away. */
  #resync(session: FakeSession, socket: FakeSocket, value: ClientValue): void {
    if (value[0] !== ClientMessage.RESYNC || value[1] !== this.#orphans.get(socket)) return;
    this.#orphans.delete(socket);
    const [, , eventsReceived, schemaHash] = value;
    this.#welcome(session, { eventsReceived, schemaHash }, true);
  }

  #apply(session: FakeSession, socket: FakeSocket, value: ClientValue): void {
    switch (value[0]) {
      case ClientMessage.MESSAGE: {
        const [, seq, eventsReceived, type, payload] = value;
        this.#acknowledge(session, eventsReceived);
        if (seq > session.ack + 1 && !session.mayLeaveGap)
          throw new RookeryError("PROTOCOL_ERROR", `message ${seq} after ${session.ack}`);
        if (seq <= session.ack) return;
        session.mayLeaveGap = false;
        session.ack = seq;
        this.applied.push({ sessionId: session.id, type, payload });
        this.act(session.id, payload, seq);
        return;
      }
      case ClientMessage.PING:
        this.#acknowledge(session, value[2]);
        return this.#send(session, [encodeServerValue([ServerMessage.PONG, value[1], this.#roomTimeMs()])]);
      case ClientMessage.LEAVE:
        this.#sessions.delete(session.id);
        return socket.closeByServer(ERRORS.CONSENTED.close);
      case ClientMessage.ACK:
        return this.#acknowledge(session, value[1]);
    }
  }

  #acknowledge(session: FakeSession, eventsReceived: number): void {
    if (!session.events.acknowledge(eventsReceived))
      throw new RookeryError("PROTOCOL_ERROR", "acknowledged too much");
  }
}
