/**
 * A client's side of a session: applies what the room sends, numbers what is sent to it, and keeps both counts across
 * connections, so that each message and each event arrives once (PROTOCOL.md, sections M, E, A and R).
 */
import { RookeryError } from "../../shared/errors.ts";
import { encodeClientValue, findAck } from "../../shared/protocol/client-codec.ts";
import { Outbox } from "../../shared/protocol/outbox.ts";
import { ClientMessage, ServerMessage, type ServerValue, type Welcome } from "../../shared/protocol/wire.ts";
import { describe, type EntitySchema, Mirror, SchemaError, schemaHash } from "../../shared/schema/index.ts";
import type { Scheduler } from "../../shared/time.ts";
import { ClockSync } from "./clock-sync.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { Link, type LinkPhase, type LinkSetup } from "./link.ts";
import { ReceivedEvents } from "./received-events.ts";
import type { Loss } from "./retry-policy.ts";
import { RoundTrip } from "./round-trip.ts";

/** What `onState` tells of each state that was applied. */
export type StateInfo = {
  readonly tick: number;
  /** The room's time the state is of. */
  readonly roomTimeMs: number;
  /** Sequence of the last of our messages that is part of the state; 0 for none. */
  readonly ack: number;
  /** True when it was sent as a whole: at the start and after a new connection. */
  readonly snapshot: boolean;
  /** The scheduler's time. */
  readonly receivedAtMs: number;
  /** Size of the message it came in. */
  readonly bytes: number;
};

/** Called in the order in which things happen; none of them may throw. */
export type SessionHandlers = {
  readonly onState: (info: StateInfo) => void;
  readonly onEvent: (name: string, payload: unknown) => void;
  /** The first state is there, in the session's first connection or in that of a new session. */
  readonly onBegun: () => void;
  /** The state is there again on a new connection. */
  readonly onResumed: () => void;
  /** The state is there again on the same connection, from another owner of the room. */
  readonly onMoved: () => void;
  /** The room has gone back to an earlier moment; `onResumed` or `onMoved` follows. */
  readonly onStepBack: () => void;
  readonly onDropped: (loss: Loss) => void;
  readonly onEnded: (loss: Loss) => void;
  /** A callback on the mirror threw. */
  readonly onFault: (error: unknown) => void;
};

const OUTBOX_LIMITS = { itemsMax: CLIENT_LIMITS.outboxMessagesMax, bytesMax: CLIENT_LIMITS.outboxBytesMax };

export class Session<S extends EntitySchema> {
  readonly clock: ClockSync;
  readonly #scheduler: Scheduler;
  readonly #handlers: SessionHandlers;
  readonly #link: Link;
  readonly #events: ReceivedEvents;
  readonly #roundTrip = new RoundTrip();
  #outbox = new Outbox(OUTBOX_LIMITS);
  #mirror: Mirror<S> | undefined;
  #schemaHash: string | undefined;
  #welcome: Welcome | undefined;
  #tick = 0;
  #roomTimeMs = 0;
  #ack = 0;
  /** Another owner of the room has the connection; its WELCOME follows. */
  #isMoving = false;
  /** That owner knows less of our messages than we can send again: nothing is sent until it says that it has stepped back. */
  #isHeld = false;
  /** What to say when the state that follows a WELCOME is there. */
  #announce: (() => void) | undefined;

  /** @param eventsReceived before this page was loaded, when a session goes on that began earlier */
  constructor(setup: LinkSetup, schema: S | undefined, eventsReceived: number, handlers: SessionHandlers) {
    this.#scheduler = setup.scheduler;
    this.#handlers = handlers;
    this.clock = new ClockSync(setup.scheduler);
    this.#events = new ReceivedEvents(setup.scheduler, eventsReceived, () => this.#sendAck());
    if (schema !== undefined) {
      const descriptor = describe(schema);
      this.#mirror = new Mirror<S>(descriptor);
      this.#schemaHash = schemaHash(descriptor);
    }
    this.#link = new Link(setup, {
      offer: (continues) => ({
        eventsReceived: continues ? this.#events.count : 0,
        ...(this.#schemaHash === undefined ? {} : { schemaHash: this.#schemaHash }),
      }),
      onMessage: (values, bytes) => this.#receive(values, bytes),
      onBeat: () => this.#sendPing(),
      onDropped: (loss) => {
        this.#isMoving = false;
        this.#isHeld = false;
        this.#roundTrip.fail();
        handlers.onDropped(loss);
      },
      onEnded: (loss) => {
        this.#roundTrip.fail();
        this.#events.stop();
        handlers.onEnded(loss);
      },
    });
  }

  start(): void {
    this.#link.start();
  }

  get phase(): LinkPhase {
    return this.#link.phase;
  }

  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new Error("The room is not joined yet.");
    return this.#welcome;
  }

  get mirror(): Mirror<S> {
    if (this.#mirror === undefined) throw new Error("The room is not joined yet.");
    return this.#mirror;
  }

  get tick(): number {
    return this.#tick;
  }

  get roomTimeMs(): number {
    return this.#roomTimeMs;
  }

  get eventsReceived(): number {
    return this.#events.count;
  }

  /**
   * @returns the message's sequence number
   * @throws RookeryError when it cannot be sent: ROOM_CLOSED, PAYLOAD_TOO_LARGE or SESSION_OVERFLOW
   */
  send(type: string, payload: unknown): number {
    if (this.#link.isOver) throw new RookeryError("ROOM_CLOSED");
    const seq = this.#outbox.last + 1;
    // By its name and not by its index: it may be sent again to newer code with another list of messages.
    const bytes = encodeClientValue([ClientMessage.MESSAGE, seq, this.#events.count, type, payload]);
    if (bytes.length > CLIENT_LIMITS.messageBytesMax) throw new RookeryError("PAYLOAD_TOO_LARGE");
    if (this.#outbox.push(bytes) === undefined) {
      throw new RookeryError("SESSION_OVERFLOW", "Too many messages wait for acknowledgement.");
    }
    if (!this.#isHeld && this.#link.send(bytes)) this.#events.markTold();
    return seq;
  }

  /** @throws RookeryError TIMEOUT when there is no connection or it is lost meanwhile */
  ping(): Promise<number> {
    const answer = this.#roundTrip.begin(this.#scheduler.now());
    if (!this.#sendPing()) this.#roundTrip.fail();
    return answer;
  }

  leave(): void {
    this.#link.leave(encodeClientValue([ClientMessage.LEAVE]));
  }

  /** Order within a message: the state, our private part of it, events. Throwing loses the connection. */
  #receive(values: readonly ServerValue[], bytes: number): void {
    let state: StateInfo | undefined;
    for (const value of values) {
      switch (value[0]) {
        case ServerMessage.WELCOME:
          this.#adopt(value[2]);
          break;
        case ServerMessage.RESUME:
          this.#resync(value[1], value[3]);
          break;
        case ServerMessage.STATE:
        case ServerMessage.SNAPSHOT:
          this.#applyState(value[0] === ServerMessage.SNAPSHOT, value[3], value[4]);
          this.#tick = value[1];
          this.#roomTimeMs = value[2];
          this.clock.anchor(value[2]);
          state = this.#stateInfo(value[0] === ServerMessage.SNAPSHOT, bytes);
          break;
        case ServerMessage.SAVED:
          this.#outbox.acknowledge(this.#ack);
          break;
        case ServerMessage.OWN:
          this.#guard(() => this.mirror.applyOwn(value[1]));
          break;
        case ServerMessage.EVENT:
          state = this.#tellState(state);
          if (this.#events.take()) this.#handlers.onEvent(value[1], value[2]);
          break;
        case ServerMessage.PONG:
          this.#roundTrip.measured(value[1], this.clock.sample(value[1], value[2]));
          break;
      }
    }
    this.#tellState(state);
    this.#events.weigh(bytes);
  }

  #adopt(welcome: Welcome): void {
    const continues = welcome.resumed && welcome.sessionId === this.#welcome?.sessionId;
    if (welcome.schema !== null && welcome.schemaHash !== this.#schemaHash) {
      this.#mirror = new Mirror<S>(welcome.schema);
      this.#schemaHash = welcome.schemaHash;
    }
    if (continues) this.#resume(welcome, welcome.stepBackEpoch > this.welcome.epoch);
    else this.#begin(welcome);
    this.#isMoving = false;
    this.#isHeld = false;
    this.#welcome = welcome;
    this.#link.adopt(welcome);
  }

  /** The room's owner has died, and another has taken over the connection [R5]. */
  #resync(nonce: number, ack: number): void {
    this.#roundTrip.fail();
    // The count is still that of the old session while a new one has not been welcomed.
    const eventsReceived = this.#link.continues ? this.#events.count : 0;
    this.#link.answer(
      encodeClientValue([ClientMessage.RESYNC, nonce, eventsReceived, this.#schemaHash ?? ""]),
    );
    this.#events.markTold();
    // Died before it welcomed us: there is nothing to go on with.
    if (this.#welcome === undefined || this.#link.phase !== "open") return;
    this.#isMoving = true;
    this.#isHeld = ack < this.#outbox.last - this.#outbox.size;
    if (!this.#isHeld) this.#sendAgain(ack);
    if (this.#link.isOver) this.#link.send(encodeClientValue([ClientMessage.LEAVE]));
  }

  #begin(welcome: Welcome): void {
    this.#outbox = new Outbox(OUTBOX_LIMITS, welcome.ack);
    this.#ack = welcome.ack;
    this.#events.begin(welcome.nextEvent);
    this.clock.reset();
    this.#announce = this.#handlers.onBegun;
  }

  #resume(welcome: Welcome, isStepBack: boolean): void {
    if (!this.#events.resume(welcome.nextEvent)) throw new RookeryError("SESSION_OVERFLOW");
    const { last, size } = this.#outbox;
    // What such a room has lost of our messages, and we have forgotten, is lost [R6].
    const from = isStepBack ? Math.max(welcome.ack, last - size) : welcome.ack;
    if (!this.#isMoving || this.#isHeld) this.#sendAgain(from);
    const announce = this.#isMoving ? this.#handlers.onMoved : this.#handlers.onResumed;
    this.#announce = announce;
    if (!isStepBack) return this.clock.forgetSamples();
    this.#ack = welcome.ack;
    this.clock.reset();
    this.#announce = () => {
      this.#handlers.onStepBack();
      announce();
    };
  }

  /** The server has our messages up to this one, for good; what it may have missed is sent again. */
  #sendAgain(ack: number): void {
    const rest = this.#outbox.after(ack);
    if (rest === undefined) throw new RookeryError("SESSION_NOT_FOUND");
    this.#outbox.acknowledge(ack);
    this.#ack = Math.max(this.#ack, ack);
    for (const bytes of rest) this.#link.send(bytes);
  }

  #applyState(snapshot: boolean, acks: Uint8Array, patch: Uint8Array): void {
    const ack = findAck(acks, this.welcome.slot, this.#ack);
    if (ack !== undefined) this.#acknowledge(ack);
    this.#guard(() => (snapshot ? this.mirror.applySnapshot(patch) : this.mirror.applyPatch(patch)));
  }

  /** Our messages up to this one are part of the state; they can be forgotten when they are saved as well [A6]. */
  #acknowledge(seq: number): void {
    if (seq > this.#outbox.last) throw new RookeryError("PROTOCOL_ERROR", `Message ${seq} was never sent.`);
    if (!this.welcome.savesLater) this.#outbox.acknowledge(seq);
    this.#ack = Math.max(this.#ack, seq);
  }

  /** A callback on the mirror that throws is not the server's fault: the state is applied by then. */
  #guard(apply: () => void): void {
    try {
      apply();
    } catch (error) {
      if (error instanceof SchemaError) throw error;
      this.#handlers.onFault(error);
    }
  }

  #stateInfo(snapshot: boolean, bytes: number): StateInfo {
    return {
      tick: this.#tick,
      roomTimeMs: this.#roomTimeMs,
      ack: this.#ack,
      snapshot,
      receivedAtMs: this.#scheduler.now(),
      bytes,
    };
  }

  #tellState(state: StateInfo | undefined): undefined {
    if (state === undefined) return;
    const announce = this.#announce;
    this.#announce = undefined;
    if (announce !== undefined) {
      this.#link.settle();
      announce();
    }
    this.#handlers.onState(state);
  }

  #sendPing(): boolean {
    const sent = this.#link.send(
      encodeClientValue([ClientMessage.PING, this.#scheduler.now(), this.#events.count]),
    );
    if (sent) this.#events.markTold();
    return sent;
  }

  #sendAck(): void {
    const sent = this.#link.send(encodeClientValue([ClientMessage.ACK, this.#events.count]));
    if (sent) this.#events.markTold();
  }
}
