/**
 * A client of a room that saves now and then, as PROTOCOL.md has it: it numbers its throws, keeps them until they are
 * saved, and takes what it is sent when the test lets it.
 */
import { expect } from "vitest";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import { decodeServerMessage, findAck, tagToldBy } from "../../../shared/protocol/codec.ts";
import {
  ClientMessage,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";

const NONCE = 7;

export class DiceClient {
  readonly sessionId: string;
  /** Throws that the room has told of, in the order in which they came. */
  readonly heard: number[] = [];
  lastSeq = 0;
  /** The last of its messages that is part of the state. */
  ack = 0;
  /** The last of them that it has forgotten. */
  forgotten = 0;
  stepsBack = 0;
  /** Of events received. */
  events = 0;
  tick = 0;
  roomTimeMs = 0;
  welcome: Welcome | undefined;
  transport = new MemoryTransport();
  #read = 0;
  /** Messages are sent again with this WELCOME. */
  #resumes = false;
  /** Nothing is sent before WELCOME [R6]. */
  #isHeld = false;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  join(room: HostedRoom): void {
    this.#connect();
    const passenger = { kind: "join", options: {}, auth: undefined } as const;
    room.accept(this.transport, this.sessionId, passenger, this.#head());
  }

  /** On a new connection [R1]. */
  resume(room: HostedRoom): void {
    this.#connect();
    const resumeToken = this.welcome?.resumeToken ?? "";
    room.accept(this.transport, this.sessionId, { kind: "resume", resumeToken }, this.#head());
  }

  /** Over the connection that has outlived the room's last owner [R5]. */
  goOn(room: HostedRoom): void {
    const resume = room.resumeMessage(this.sessionId, NONCE);
    expect(resume).toBeDefined();
    const values = decodeServerMessage(resume ?? new Uint8Array(0), undefined);
    expect(tagToldBy(values[0])).toBeDefined();
    this.#connect();
    const { eventsReceived, schemaHash } = this.#head();
    room.adopt(this.transport, this.sessionId, { eventsReceived, schemaHash });
    const [value] = values;
    if (value?.[0] !== ServerMessage.RESUME) throw new Error("no RESUME");
    this.#resumes = value[3] < this.forgotten;
    this.#isHeld = this.#resumes;
    if (!this.#isHeld) this.#sendAgain(value[3]);
  }

  /** Throws the dice. Without a connection that is welcomed it is sent later. */
  throw(): void {
    this.lastSeq += 1;
    if (this.transport.isOpen && !this.#isHeld && !this.#resumes) this.#send(this.lastSeq);
  }

  lose(): void {
    this.transport.lose();
  }

  /** Takes in what has been sent to it, or the first messages of that. */
  read(count = Number.POSITIVE_INFINITY): void {
    for (const values of this.transport.messages.slice(this.#read, this.#read + count)) {
      this.#read += 1;
      for (const value of values) this.#take(value);
    }
  }

  #connect(): void {
    this.transport = new MemoryTransport();
    this.#read = 0;
    this.#resumes = true;
    this.#isHeld = false;
  }

  #head() {
    return { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: this.events };
  }

  #send(seq: number): void {
    this.transport.receive([ClientMessage.MESSAGE, seq, this.events, "throw", seq]);
  }

  #sendAgain(ack: number): void {
    this.#forget(ack);
    for (let seq = this.forgotten + 1; seq <= this.lastSeq; seq++) if (seq > ack) this.#send(seq);
  }

  #forget(seq: number): void {
    this.forgotten = Math.max(this.forgotten, seq);
  }

  #take(value: ServerValue): void {
    switch (value[0]) {
      case ServerMessage.WELCOME: {
        const isStepBack = value[2].stepBackEpoch > (this.welcome?.epoch ?? value[2].epoch);
        const { ack, nextEvent } = value[2];
        this.welcome = value[2];
        expect(nextEvent).toBe(this.events + 1);
        if (isStepBack) {
          this.stepsBack += 1;
          this.ack = ack;
          this.tick = 0;
          this.roomTimeMs = 0;
        }
        const mustSendAgain = this.#resumes;
        this.#resumes = false;
        this.#isHeld = false;
        if (mustSendAgain) this.#sendAgain(ack);
        else this.#forget(ack);
        return;
      }
      case ServerMessage.STATE:
      case ServerMessage.SNAPSHOT: {
        const [, tick, roomTimeMs, acks] = value;
        expect(tick).toBeGreaterThanOrEqual(this.tick);
        expect(roomTimeMs).toBeGreaterThanOrEqual(this.roomTimeMs);
        Object.assign(this, { tick, roomTimeMs });
        const ack = findAck(acks, this.welcome?.slot ?? 0, this.ack) ?? this.ack;
        expect(ack).toBeGreaterThanOrEqual(this.ack);
        this.ack = ack;
        if (this.welcome?.savesLater === false) this.#forget(ack);
        return;
      }
      case ServerMessage.SAVED:
        expect(this.welcome?.savesLater).toBe(true);
        return this.#forget(this.ack);
      case ServerMessage.EVENT:
        this.events += 1;
        if (value[1] === "thrown") this.heard.push(Number(value[2]));
        return;
    }
  }
}
