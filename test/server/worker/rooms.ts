/** Small rooms for the tests of the worker, one with ticks and one without: they do what messages tell them. */
import * as v from "valibot";
import type { Client } from "../../../server/room/client.ts";
import { effect } from "../../../server/room/effects.ts";
import { message } from "../../../server/room/messages.ts";
import { type JoinOptions, Room } from "../../../server/room/room.ts";
import { timer } from "../../../server/room/timers.ts";
import { entity, type Live, map, owner, string, u16, u32, type View } from "../../../shared/schema/index.ts";

const Thing = entity({ size: u32 }, "Thing");
const Member = entity({ score: u32, name: string, secret: owner(u16) }, "Member");
export const TableState = entity({ turns: u32, members: map(Member), things: map(Thing) }, "TableState");

const Count = v.number();
const Text = v.string();
const Nothing = v.unknown();

/** How a test answers an effect. */
export type Answer = { resolve: (value: string) => void; reject: (error: Error) => void };

/** What a hook does before it returns; a test may make any of them fail. */
export type Hook = "onCreate" | "onJoin" | "onDrop" | "onReconnect" | "onLeave" | "onTick" | "onDispose";

export class Table extends Room<typeof TableState> {
  static override state = TableState;
  static override tickRate = 20;
  static override reconnectMs = 10_000;

  /** The room made last. */
  static last: Table;
  /** What the next room does in its hooks, besides noting them. */
  static onHook: (hook: Hook, room: Table, client: Client | undefined) => void = () => undefined;

  /** Hooks in the order in which they ran, and what effects brought. */
  readonly notes: string[] = [];
  /** Payloads of `add`, in the order in which they were applied. */
  readonly applied: { readonly sessionId: string; readonly payload: number; readonly nowMs: number }[] = [];
  readonly answers: Answer[] = [];
  readonly signals: AbortSignal[] = [];
  readonly stepsMs: number[] = [];
  readonly #onHook = Table.onHook;

  constructor() {
    super();
    Table.last = this;
  }

  override messages = {
    add: message(Count, (client, payload) => {
      this.applied.push({ sessionId: client.sessionId, payload, nowMs: this.clock.nowMs });
      const member = this.state.members.get(client.sessionId);
      if (member !== undefined) member.score += payload;
    }),
    keep: message(Count, (client, secret) => {
      const member = this.state.members.get(client.sessionId);
      if (member !== undefined) member.secret = secret;
    }),
    tell: message(Text, (_client, text) => this.broadcast("told", text)),
    tellOthers: message(Text, (client, text) => this.broadcast("told", text, { except: client })),
    whisper: message(Text, (client, text) => client.send("whispered", text)),
    grow: message(Count, (_client, count) => {
      for (let index = 0; index < count; index++) this.state.things.set(`t${index}`, { size: index });
    }),
    shrink: message(Nothing, () => this.state.things.clear()),
    kick: message(Text, (_client, sessionId) => this.clients.get(sessionId)?.leave("asked to")),
    disconnect: message(Nothing, () => this.disconnect()),
    fail: message(Text, (_client, text) => {
      throw new Error(text);
    }),
    later: message(Count, (_client, delayMs) => void this.timers.later.after(delayMs)),
    often: message(Count, (_client, intervalMs) => void this.timers.later.every(intervalMs)),
    save: message(Text, (_client, text) => void this.effects.save.start(text)),
  };

  override timers = {
    later: timer(() => {
      this.notes.push(`timer at ${this.clock.nowMs}`);
      this.broadcast("later", this.clock.nowMs);
    }),
  };

  override effects = {
    save: effect<string, string>({
      run: (_text, { signal }) => {
        this.signals.push(signal);
        return new Promise<string>((resolve, reject) => this.answers.push({ resolve, reject }));
      },
      done: (result, text) => {
        this.notes.push(`saved ${text}: ${result}`);
        this.broadcast("saved", result);
      },
      failed: (error, text) => {
        this.notes.push(`not saved ${text}: ${error.message}`);
      },
    }),
  };

  override onCreate(): void {
    this.#note("onCreate", undefined);
  }

  override onJoin(client: Client, options: JoinOptions): void {
    this.state.members.set(client.sessionId, { name: String(options.name ?? ""), secret: client.slot });
    this.#note("onJoin", client);
  }

  override onDrop(client: Client): void {
    this.#note("onDrop", client);
  }

  override onReconnect(client: Client): void {
    this.#note("onReconnect", client);
  }

  override onLeave(client: Client, consented: boolean): void {
    this.state.members.delete(client.sessionId);
    this.#note("onLeave", client, consented ? " consented" : "");
  }

  override onTick(dtMs: number): void {
    this.state.turns += 1;
    this.stepsMs.push(dtMs);
    this.#onHook("onTick", this, undefined);
  }

  override onShutdown(): void {
    this.notes.push("onShutdown");
    this.broadcast("last words");
  }

  override onDispose(): void {
    this.#note("onDispose", undefined);
  }

  #note(hook: Hook, client: Client | undefined, detail = ""): void {
    this.notes.push(client === undefined ? hook : `${hook} ${client.sessionId}${detail}`);
    this.#onHook(hook, this, client);
  }
}

/** The same without ticks: messages are applied on arrival. */
export class Desk extends Table {
  static override tickRate = 0;
}

/** A state as one client sees it, as plain data. */
export function plainState(
  { turns, members, things }: Live<typeof TableState> | View<typeof TableState>,
  sessionId: string,
): unknown {
  return {
    turns,
    members: Array.from(
      members as Iterable<[string, View<typeof Member>]>,
      ([key, { score, name, secret }]) => [key, score, name, key === sessionId ? secret : undefined],
    ).sort(),
    things: Array.from(things as Iterable<[string, View<typeof Thing>]>, ([key, { size }]) => [
      key,
      size,
    ]).sort(),
  };
}
