/**
 * A client of a freight room that understands all it is sent and keeps account of it: the ticks of its states, the
 * room's events, and what its mirror shows.
 */
import { expect } from "vitest";
import { decodeServerMessage } from "../../../shared/protocol/codec.ts";
import {
  ClientMessage,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import { Mirror } from "../../../shared/schema/index.ts";
import { clientFrame, handshakeHead } from "../../support/raw-client.ts";
import { type FreightState, TICKS_PER_EVENT } from "../../support/rooms/freight.ts";
import { LeanClient } from "./lean-client.ts";

/** @returns the path of a handshake that joins the room of this name, or opens it with so many crates */
export function freightPath(name: string, crates: number): string {
  return `/ws/freight?options=${encodeURIComponent(JSON.stringify({ name, crates }))}`;
}

export class FreightClient {
  snapshots = 0;
  /** Of each STATE. */
  readonly ticks: number[] = [];
  /** Payloads as they came: counts of the room, and sessions that were dropped. */
  readonly events: unknown[] = [];
  /** Of the public state at each tick, from `hashesFrom` on. */
  readonly hashes = new Map<number, number>();
  hashesFrom = Number.POSITIVE_INFINITY;
  readonly #port: number;
  readonly #lean: LeanClient;
  readonly #onState: () => void;
  /** Private news, one for each STATE. */
  readonly #seenTicks: (number | undefined)[] = [];
  #welcome: Welcome | undefined;
  #mirror: Mirror<typeof FreightState> | undefined;

  private constructor(port: number, head: Buffer, onState: () => void) {
    this.#port = port;
    this.#onState = onState;
    this.#lean = new LeanClient(port, head, (payload) => {
      for (const value of decodeServerMessage(payload, this.#welcome?.tag)) this.#apply(value);
    });
  }

  /** @returns the client once it has a STATE */
  static async join(
    port: number,
    path: string,
    onState: () => void = () => undefined,
  ): Promise<FreightClient> {
    const client = new FreightClient(port, handshakeHead(path), onState);
    return await client.#entered();
  }

  /** @returns the same session on a new connection: a client that has the events of this one and no state */
  async resumed(): Promise<FreightClient> {
    const { resumeToken: resume } = this.welcome;
    const head = handshakeHead("/ws", { resume, eventsReceived: this.events.length });
    const client = new FreightClient(this.#port, head, () => undefined);
    client.events.push(...this.events);
    client.hashesFrom = 0;
    return await client.#entered();
  }

  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new Error("not welcomed");
    return this.#welcome;
  }

  /** Of the last STATE. */
  get tick(): number {
    return this.ticks.at(-1) ?? Number.NaN;
  }

  /** Read so far. */
  get bytes(): number {
    return this.#lean.bytes;
  }

  get isClosed(): boolean {
    return this.#lean.isClosed;
  }

  /** Waits until something that comes, or the end, makes `condition` true. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await this.#lean.until(condition, what);
  }

  stopReading(): void {
    this.#lean.socket.pause();
  }

  readAgain(): void {
    this.#lean.socket.resume();
  }

  ping(): void {
    this.#lean.socket.write(clientFrame([ClientMessage.PING, performance.now(), this.events.length]));
  }

  destroy(): void {
    this.#lean.socket.destroy();
  }

  /** It has every count since its first, exactly once and in order, and with each state the private news of its tick. */
  expectComplete(): void {
    const counts = this.events.filter((event) => typeof event === "number");
    const first = counts[0] ?? Number.NaN;
    const last = Math.floor(this.tick / TICKS_PER_EVENT);
    expect(counts).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index));
    expect(this.#seenTicks).toEqual(this.ticks);
  }

  async #entered(): Promise<this> {
    await this.until(() => this.ticks.length > 0, "STATE");
    return this;
  }

  #apply(value: ServerValue): void {
    switch (value[0]) {
      case ServerMessage.WELCOME: {
        const [, , welcome] = value;
        if (welcome.schema === null) throw new Error("the schema was not sent");
        this.#welcome = welcome;
        this.#mirror = new Mirror<typeof FreightState>(welcome.schema);
        return;
      }
      case ServerMessage.SNAPSHOT:
        this.snapshots += 1;
        this.#mirror?.applySnapshot(value[4]);
        return;
      case ServerMessage.STATE: {
        const [, tick, , , patch] = value;
        this.#mirror?.applyPatch(patch);
        this.ticks.push(tick);
        if (tick >= this.hashesFrom && this.#mirror) this.hashes.set(tick, this.#mirror.hash());
        this.#onState();
        return;
      }
      case ServerMessage.OWN:
        this.#mirror?.applyOwn(value[1]);
        if (this.ticks.length > 0) {
          this.#seenTicks.push(this.#mirror?.state.members.get(this.welcome.sessionId)?.seenTick);
        }
        return;
      case ServerMessage.EVENT:
        this.events.push(value[2]);
    }
  }
}
