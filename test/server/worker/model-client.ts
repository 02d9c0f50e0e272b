/**
 * A client as PROTOCOL.md has it, on a network that a test decides about: messages wait on both ways until they are
 * delivered, and are gone when the connection breaks. After each delivery its mirror must equal what the server's
 * state was when the message was sent.
 */
import { expect } from "vitest";
import { findAck } from "../../../shared/protocol/codec.ts";
import { ClientMessage, ServerMessage, type ServerValue } from "../../../shared/protocol/wire.ts";
import { Mirror } from "../../../shared/schema/index.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import type { RoomHarness } from "./room-harness.ts";
import { plainState, type TableState } from "./rooms.ts";

type Sent = { readonly values: readonly ServerValue[]; readonly state: unknown };
type Message = { readonly seq: number; readonly name: string; readonly payload: unknown };

export class ModelClient {
  readonly sessionId: string;
  /** Payloads of all events, in the order in which they came. */
  readonly heard: unknown[] = [];
  readonly #harness: RoomHarness;
  #transport: MemoryTransport | undefined;
  #mirror: Mirror<typeof TableState> | undefined;
  #slot = 0;
  #resumeToken: string | undefined;
  /** Number of the last event received. */
  #events = 0;
  #lastSeq = 0;
  #acknowledged = 0;
  #isWelcome = false;
  #unacknowledged: Message[] = [];
  #up: Message[] = [];
  #down: Sent[] = [];

  constructor(harness: RoomHarness, sessionId: string) {
    this.#harness = harness;
    this.sessionId = sessionId;
  }

  get isConnected(): boolean {
    return this.#transport?.isOpen === true;
  }

  /** Messages on their way, in both directions. */
  get inFlight(): number {
    return this.#up.length + this.#down.length;
  }

  /** With the newest token it has, or its ticket; an earlier connection may be open still. */
  connect(): void {
    const { sessionId } = this;
    const eventsReceived = this.#events;
    const transport =
      this.#resumeToken === undefined
        ? this.#harness.join(sessionId, { eventsReceived })
        : this.#harness.resume(sessionId, this.#resumeToken, eventsReceived);
    expect(transport.closeCode).toBeUndefined();
    this.#forgetConnection();
    this.#transport = transport;
    transport.onSend = (values) => {
      this.#down.push({ values, state: plainState(this.#harness.table.state, sessionId) });
    };
  }

  lose(): void {
    this.#transport?.lose();
    this.#forgetConnection();
  }

  /** What the client's socket has not taken. */
  set bufferedBytes(bytes: number) {
    if (this.#transport !== undefined) this.#transport.bufferedBytes = bytes;
  }

  /** Sends a message, or keeps it until there is a connection. */
  send(name: string, payload: unknown): void {
    const message = { seq: ++this.#lastSeq, name, payload };
    this.#unacknowledged.push(message);
    if (this.#isWelcome) this.#up.push(message);
  }

  deliverUp(count: number): void {
    for (const { seq, name, payload } of this.#up.splice(0, count)) {
      this.#transport?.receive([ClientMessage.MESSAGE, seq, this.#events, name, payload]);
    }
    expect(this.#transport?.closeCode).toBeUndefined();
  }

  deliverDown(count: number): void {
    for (const { values, state } of this.#down.splice(0, count)) {
      for (const value of values) this.#take(value);
      if (this.#mirror !== undefined) expect(plainState(this.#mirror.state, this.sessionId)).toEqual(state);
    }
  }

  #forgetConnection(): void {
    this.#transport = undefined;
    this.#isWelcome = false;
    this.#up = [];
    this.#down = [];
  }

  #take(value: ServerValue): void {
    switch (value[0]) {
      case ServerMessage.WELCOME: {
        const { schema, slot, resumeToken, nextEvent, ack } = value[2];
        if (schema !== null) this.#mirror ??= new Mirror<typeof TableState>(schema);
        expect(nextEvent).toBe(this.#events + 1);
        this.#slot = slot;
        this.#resumeToken = resumeToken;
        this.#isWelcome = true;
        this.#acknowledge(ack);
        this.#up = [...this.#unacknowledged];
        return;
      }
      case ServerMessage.SNAPSHOT:
        this.#mirror?.applySnapshot(value[4]);
        return this.#acknowledge(findAck(value[3], this.#slot, this.#acknowledged));
      case ServerMessage.STATE:
        this.#mirror?.applyPatch(value[4]);
        return this.#acknowledge(findAck(value[3], this.#slot, this.#acknowledged));
      case ServerMessage.OWN:
        return this.#mirror?.applyOwn(value[1]);
      case ServerMessage.EVENT:
        this.#events += 1;
        this.heard.push(value[2]);
        return;
      case ServerMessage.PONG:
        return;
    }
  }

  #acknowledge(seq: number | undefined): void {
    if (seq === undefined) return;
    expect(seq).toBeGreaterThanOrEqual(this.#acknowledged);
    expect(seq).toBeLessThanOrEqual(this.#lastSeq);
    this.#acknowledged = seq;
    this.#unacknowledged = this.#unacknowledged.filter((message) => message.seq > seq);
  }
}
