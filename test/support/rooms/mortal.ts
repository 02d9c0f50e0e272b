/**
 * Rooms whose process is killed at a point of their life that a test has chosen. The test sets a trap there, a file;
 * whoever comes by takes it away and dies, as if killed from outside. So a replay, which comes by again, goes on; and what
 * is no room but its rehearsal does not fall in. They keep account of what has happened in them.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Client } from "../../../server/room/client.ts";
import { SILENT } from "../../../server/room/determinism.ts";
import { effect } from "../../../server/room/effects.ts";
import { message } from "../../../server/room/messages.ts";
import { type AuthContext, type JoinOptions, Room } from "../../../server/room/room.ts";
import { timer } from "../../../server/room/timers.ts";
import { entity, map, u32 } from "../../../shared/schema/index.ts";

const Member = entity({ counts: u32 }, "Member");
export const MortalState = entity({ ticks: u32, chain: u32, members: map(Member) }, "MortalState");

/**
 * Where a process may die. "taken up" is in `onCreate` and in `restore`: what a room that is taken over comes by. At
 * "orphan" it does not die, but loses its channel to the primary.
 */
export type Point =
  | "constructed"
  | "auth"
  | "taken up"
  | "joined"
  | "counted"
  | "tick"
  | "left"
  | "saving"
  | "orphan";

/** What the room has seen, for a test to read. */
export type Account = {
  readonly name: string;
  readonly ticks: { readonly tick: number; readonly dtMs: number; readonly chain: number }[];
  /** Hooks with the session that they were for. */
  readonly hooks: string[];
  /** Payloads of "count", with the tick before which they were applied. */
  readonly counts: { readonly number: number; readonly tick: number }[];
  /** Where to save something at the end, if anywhere. */
  lastWill?: string;
};

export const FLOOD_EVENT_BYTES = 10_000;
const UINT32 = 2 ** 32;

/** @param name the room's own, which the join says that creates it; a room under construction has none */
export function trapFile(dataDirectory: string, point: Point, name = ""): string {
  return join(dataDirectory, `trap ${point} ${name}`);
}

/** Each restore of the room takes long, as long as this file is there. */
export function slowFile(dataDirectory: string, name: string): string {
  return join(dataDirectory, `slow ${name}`);
}
export const SLOW_RESTORE_MS = 200;

function isTrapped(point: Point, name: string): boolean {
  const file = trapFile(String(process.env.DATA_DIR), point, name);
  if (!existsSync(file)) return false;
  rmSync(file);
  return true;
}

function dieAt(point: Point, name: string): void {
  if (isTrapped(point, name)) process.kill(process.pid, "SIGKILL");
}

/** Takes this process' time, and none of the room's. */
function burn(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

export class Mortal extends Room<typeof MortalState, Account> {
  static override state = MortalState;
  static override tickRate = 20;
  static override maxClients = 2;
  static override reconnectMs = 20_000;
  static override record = true;

  override data: Account = { name: "", ticks: [], hooks: [], counts: [] };

  constructor() {
    super();
    this.#dieAt("constructed");
  }

  override messages = {
    count: message(v.number(), (client, number) => {
      this.data.counts.push({ number, tick: this.clock.tick });
      const member = this.state.members.get(client.sessionId);
      if (member !== undefined) member.counts += 1;
      this.broadcast("counted", [number, this.random()]);
      this.#dieAt("counted");
    }),
    account: message(v.unknown(), (client) => client.send("account", this.data)),
    burn: message(v.number(), (_client, forMs) => burn(forMs)),
    flood: message(v.number(), (client, events) => {
      for (let event = 0; event < events; event++) client.send("flood", "x".repeat(FLOOD_EVENT_BYTES));
    }),
    later: message(v.array(v.number()), (_client, delaysMs) => {
      for (const delayMs of delaysMs) this.timers.later.after(delayMs, delayMs);
      this.#dieAt("counted");
    }),
    save: message(v.string(), (_client, url) => void this.effects.save.start(url)),
    saveAtEnd: message(v.string(), (_client, url) => {
      this.data.lastWill = url;
    }),
    close: message(v.unknown(), () => this.disconnect()),
    lose: message(v.unknown(), () => {
      if (this.#isRehearsed || !isTrapped("orphan", this.data.name)) return;
      // Or the process would end with its channel.
      process.removeAllListeners("disconnect");
      process.disconnect();
    }),
  };

  override timers = {
    later: timer<number>((delayMs) => {
      this.broadcast("later", [delayMs, this.clock.nowMs]);
    }),
  };

  override effects = {
    save: effect({
      run: async (url: string, { key, signal }) =>
        await (await fetch(url, { method: "POST", body: key, signal })).text(),
      done: (answer) => this.broadcast("saved", answer),
    }),
  };

  override onCreate({ name }: JoinOptions) {
    this.data = { ...this.data, name: String(name) };
    this.#takenUp();
    this.#note("created");
  }

  override save(): Uint8Array {
    this.#dieAt("saving");
    return new Uint8Array(0);
  }

  override restore() {
    this.#takenUp();
  }

  override onJoin(client: Client) {
    this.state.members.set(client.sessionId, {});
    this.#note("joined", client);
    this.#dieAt("joined");
  }

  override onDrop(client: Client) {
    this.#note("dropped", client);
  }

  override onReconnect(client: Client) {
    this.#note("returned", client);
  }

  override onLeave(client: Client, consented: boolean) {
    this.state.members.delete(client.sessionId);
    this.#note(consented ? "left" : "expelled", client);
    this.#dieAt("left");
  }

  override onTick(dtMs: number) {
    const { state } = this;
    state.ticks += 1;
    // Depends on all ticks before, on their lengths and on chance.
    state.chain = (Math.imul(state.chain ^ dtMs, 0x01000193) + Math.floor(this.random() * UINT32)) >>> 0;
    this.data.ticks.push({ tick: this.clock.tick, dtMs, chain: state.chain });
    this.#dieAt("tick");
  }

  override onDispose() {
    if (this.data.lastWill !== undefined) this.effects.save.start(this.data.lastWill);
  }

  /** Somebody replays the room to see what it would do. */
  get #isRehearsed(): boolean {
    return this.log === SILENT;
  }

  /** A room under construction has no name yet. */
  #dieAt(point: Point): void {
    if (!this.#isRehearsed) dieAt(point, point === "constructed" ? "" : this.data.name);
  }

  #takenUp(): void {
    if (!this.#isRehearsed && existsSync(slowFile(String(process.env.DATA_DIR), this.data.name)))
      burn(SLOW_RESTORE_MS);
    this.#dieAt("taken up");
  }

  #note(hook: string, client?: Client): void {
    const event = client === undefined ? hook : `${hook} ${client.sessionId}`;
    this.data.hooks.push(event);
    this.broadcast("noted", event);
  }
}

/** Ticks so seldom that what comes in between can be acted upon. */
export class SeldomMortal extends Mortal {
  static override tickRate = 1;
}

/** Has no ticks. */
export class TicklessMortal extends Mortal {
  static override tickRate = 0;
}

/** Asks who comes. */
export class GuardedMortal extends Mortal {
  static async onAuth(token: string, { options }: AuthContext): Promise<object | false> {
    dieAt("auth", String(options.name));
    return token === "let me in" && { token };
  }
}

/** Its ticks take so long that each is followed by a checkpoint, and it keeps only what it needs. */
export class WornMortal extends Mortal {
  static override record = false;

  override onTick(dtMs: number) {
    burn(20);
    super.onTick(dtMs);
  }
}
