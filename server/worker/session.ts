/**
 * A client's session in a room: what outlives its connections. It counts messages in both directions, keeps what
 * the client has not acknowledged, and knows which connection, if any, it lives on.
 *
 *                attach            `joined` or `returned` applied
 *   away ------------------> connecting -----------------------> live
 *    ^                            |                                |
 *    +----------------------------+--------------------------------+   connection lost
 *                                                                      (from any state: leaving, for good)
 */
import { type ErrorCode, RookeryError } from "../../shared/errors.ts";
import { decodeClientValueAt, encodeServerValue } from "../../shared/protocol/codec.ts";
import { Outbox } from "../../shared/protocol/outbox.ts";
import { ClientMessage, type ClientValue, ServerMessage } from "../../shared/protocol/wire.ts";
import { LIMITS } from "../limits.ts";
import type { Transport } from "../transport/transport.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { ResumeTokens, SavedTokens } from "./resume-tokens.ts";

export type SessionPhase = "away" | "connecting" | "live" | "leaving";

/** What a session asks of the room it belongs to. */
export interface SessionOwner {
  /** Clients may have had more from the room, or given it more, than it knows. */
  readonly hasSteppedBack: boolean;
  /** @returns false when the room's queue is full */
  onMessage(session: Session, seq: number, message: number | string, payload: unknown): boolean;
  onLost(session: Session): void;
  onLeave(session: Session): void;
  /** The room's clock now, in milliseconds. */
  roomTimeMs(): number;
  /** Trailer of messages. */
  assemble(part: Uint8Array): Uint8Array;
}

const OUTBOX_LIMITS = { itemsMax: LIMITS.outboxEventsMax, bytesMax: LIMITS.outboxBytesMax };

export type SavedSession = {
  readonly id: string;
  readonly tokens: SavedTokens;
  readonly unacknowledged: { readonly last: number; readonly items: readonly Uint8Array[] };
  readonly seatMs: number | undefined;
  readonly isKicked: boolean;
};

export class Session implements ConnectionOwner {
  readonly id: string;
  readonly tokens: ResumeTokens;
  readonly outbox: Outbox;
  /** For how long the seat is kept after the last loss of a connection, as the room said then. */
  seatMs: number | undefined;
  /** The room has told the client to leave. */
  isKicked: boolean;
  readonly #owner: SessionOwner;
  readonly #now: () => number;
  #phase: SessionPhase = "away";
  /** While it is connecting or live. */
  #connection: Connection | undefined;
  #hasBeenLive = false;
  /** Sequence of the last message taken from the client; what is not above it is a resend. */
  #lastSeq = 0;

  /** @param saved of a session that began elsewhere */
  constructor(
    id: string,
    tokens: ResumeTokens,
    owner: SessionOwner,
    now: () => number,
    saved?: SavedSession,
  ) {
    this.id = id;
    this.tokens = tokens;
    this.#owner = owner;
    this.#now = now;
    this.seatMs = saved?.seatMs;
    this.isKicked = saved?.isKicked ?? false;
    const { last, items } = saved?.unacknowledged ?? { last: 0, items: [] };
    this.outbox = new Outbox(OUTBOX_LIMITS, last - items.length);
    for (const item of items) this.outbox.push(item);
  }

  /** What another owner of the room needs to go on with this session. */
  save(): SavedSession {
    const { last, size } = this.outbox;
    return {
      id: this.id,
      tokens: this.tokens.save(),
      unacknowledged: { last, items: this.outbox.after(last - size) ?? [] },
      seatMs: this.seatMs,
      isKicked: this.isKicked,
    };
  }

  /**
   * The session was live with an earlier owner of the room.
   *
   * @param lastSeq of the last of its messages that the room has applied
   */
  takeUp(lastSeq: number): void {
    this.#hasBeenLive = true;
    this.#lastSeq = lastSeq;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  /** What it lives on, or is about to. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** An earlier connection, or this one, has been welcomed. */
  get hasBeenLive(): boolean {
    return this.#hasBeenLive;
  }

  /**
   * Puts the session on a new connection; an earlier one is closed with SUPERSEDED.
   *
   * @param eventsReceived how many events the client has, from earlier connections
   * @returns false, with the connection closed, when the client's count cannot be continued from
   */
  attach(transport: Transport, eventsReceived: number, schemaHash: string | undefined): boolean {
    const { hasSteppedBack } = this.#owner;
    // It has had events that never happened. Going on behind them keeps every number it may still say unambiguous.
    if (hasSteppedBack && eventsReceived > this.outbox.last) this.outbox.skipTo(eventsReceived);
    if (!this.outbox.acknowledge(eventsReceived) || this.outbox.after(eventsReceived) === undefined) {
      transport.close("SESSION_OVERFLOW");
      return false;
    }
    const connection = new Connection(transport, this, {
      schemaHash,
      eventsReceived,
      isBack: this.#hasBeenLive,
      mayLeaveGap: hasSteppedBack && this.#hasBeenLive,
    });
    const earlier = this.#connection;
    this.#phase = "connecting";
    this.#connection = connection;
    earlier?.transport.close("SUPERSEDED");
    transport.listen(connection);
    return true;
  }

  /** The room has applied the arrival: from now on the client gets every step. */
  goLive(): void {
    if (this.#phase !== "connecting") return;
    this.#phase = "live";
    this.#hasBeenLive = true;
  }

  /** Ends the session: its connection is closed, and nothing of it is sent or taken any more. */
  end(code: ErrorCode): void {
    this.#disconnect("leaving")?.transport.close(code);
  }

  /** Breaks the connection off with an error; the session stays, and the client may come back. */
  drop(code: ErrorCode): void {
    this.#lose()?.transport.close(code);
  }

  /** A client that does not read cannot be told why: the connection is cut. */
  dropUnread(): void {
    const transport = this.#lose()?.transport;
    transport?.close("SLOW_CLIENT");
    transport?.terminate();
  }

  /** Nothing waits to be sent: in another process what has been written of a message would stay half of one. */
  get isAllSent(): boolean {
    return (this.#connection?.transport.bufferedBytes ?? 0) === 0;
  }

  /** The session is to go on at another worker. @returns its connection; undefined when it has none that goes on */
  letGo(): Transport | undefined {
    const transport = this.#disconnect("away")?.transport;
    return transport?.isOpen === true ? transport : undefined;
  }

  /** @returns the connection it was on, if it was on one */
  #disconnect(phase: "away" | "leaving"): Connection | undefined {
    const connection = this.#connection;
    this.#phase = phase;
    this.#connection = undefined;
    return connection;
  }

  /** Its connection is no more, if it is on one. @returns that */
  #lose(): Connection | undefined {
    if (this.#connection === undefined) return undefined;
    const connection = this.#disconnect("away");
    this.#owner.onLost(this);
    return connection;
  }

  /** A late close of an earlier connection is not this session's end. */
  onClosed(connection: Connection): void {
    if (this.#connection === connection) this.#lose();
  }

  /** A message has come; one of an earlier connection is none of this session's any more. */
  onMessage(connection: Connection, bytes: Uint8Array, from: number, end: number): void {
    if (this.#connection !== connection) return;
    if (!connection.charge(end - from, this.#now)) return this.drop("RATE_LIMITED");
    let value: ClientValue;
    try {
      value = decodeClientValueAt(bytes, from, end);
    } catch (error) {
      if (error instanceof RookeryError) return this.drop(error.code);
      throw error;
    }
    switch (value[0]) {
      case ClientMessage.MESSAGE: {
        const [, seq, eventsReceived, message, payload] = value;
        if (!this.#acknowledge(connection, eventsReceived)) return;
        if (seq <= this.#lastSeq) return;
        if (seq !== this.#lastSeq + 1 && !connection.mayLeaveGap) return this.drop("PROTOCOL_ERROR");
        // Not by this client's fault: it may come back, and sends the message again.
        if (!this.#owner.onMessage(this, seq, message, payload)) return this.drop("SERVER_BUSY");
        connection.mayLeaveGap = false;
        this.#lastSeq = seq;
        return;
      }
      case ClientMessage.PING: {
        if (!this.#acknowledge(connection, value[2]) || this.#phase !== "live") return;
        // What cannot be sent at once would measure the wrong thing, and be in the way.
        if (connection.transport.bufferedBytes > 0) return;
        const pong = encodeServerValue([ServerMessage.PONG, value[1], this.#owner.roomTimeMs()]);
        return connection.transport.send(this.#owner.assemble(pong));
      }
      case ClientMessage.ACK:
        this.#acknowledge(connection, value[1]);
        return;
      case ClientMessage.LEAVE:
        return this.#owner.onLeave(this);
    }
  }

  /** @returns false, with the connection dropped, for a number above all that were sent on it or before it */
  #acknowledge(connection: Connection, eventsReceived: number): boolean {
    if (eventsReceived === connection.eventsReceived) return true;
    if (eventsReceived <= connection.eventsSent && this.outbox.acknowledge(eventsReceived)) {
      connection.eventsReceived = eventsReceived;
      return true;
    }
    this.drop("PROTOCOL_ERROR");
    return false;
  }
}
