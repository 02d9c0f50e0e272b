/** A ticking room for tests of the whole server: echoes, counts, fails and hangs on demand. */
import { existsSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import type { Client } from "../../../server/room/client.ts";
import { effect } from "../../../server/room/effects.ts";
import { message } from "../../../server/room/messages.ts";
import { type JoinOptions, Room } from "../../../server/room/room.ts";
import { entity, map, string, u32 } from "../../../shared/schema/index.ts";

const Member = entity({ name: string, messages: u32 }, "Member");
export const EchoState = entity({ ticks: u32, members: map(Member) }, "EchoState");

export class Echo extends Room<typeof EchoState> {
  static state = EchoState;
  static tickRate = 20;
  static maxClients = 10;
  static filterBy = ["map"];
  static reconnectMs = 3_000;

  messages = {
    echo: message(v.unknown(), (client, payload) => {
      const member = this.state.members.get(client.sessionId);
      if (member !== undefined) member.messages += 1;
      client.send("echo", payload);
    }),
    shout: message(v.string(), (client, text) => this.broadcast("shout", text, { except: client })),
    tell: message(v.string(), (_client, text) => this.broadcast("told", text)),
    fail: message(v.unknown(), () => {
      throw new Error("asked to fail");
    }),
    hang: message(v.unknown(), () => {
      for (;;);
    }),
    hoard: message(v.unknown(), () => {
      const hoard: string[][] = [];
      for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => `${index}`));
    }),
    crash: message(v.unknown(), () => process.abort()),
    crashUnlessThere: message(v.string(), (_client, path) => {
      if (existsSync(path)) return;
      writeFileSync(path, "");
      process.abort();
    }),
    leave: message(v.unknown(), (client) => client.leave("asked to")),
    lock: message(v.boolean(), (_client, isLocked) => (isLocked ? this.lock() : this.unlock())),
    hide: message(v.boolean(), (_client, isHidden) => this.setPrivate(isHidden)),
    save: message(v.string(), (_client, text) => void this.effects.save.start(text)),
    close: message(v.unknown(), () => this.disconnect()),
  };

  effects = {
    save: effect({
      run: async (text: string, { key }) => `${key} ${text}`,
      done: (result) => this.broadcast("saved", result),
    }),
  };

  onCreate(options: JoinOptions) {
    if (options.failOnCreate === true) throw new Error("asked to fail in onCreate");
    this.metadata = { map: options.map ?? null };
  }

  onJoin(client: Client, options: JoinOptions) {
    if (options.failOnJoin === true) throw new Error("asked to fail in onJoin");
    this.state.members.set(client.sessionId, { name: String(options.name ?? ""), messages: 0 });
  }

  onDrop(client: Client) {
    this.broadcast("dropped", client.sessionId);
  }

  onReconnect(client: Client) {
    this.broadcast("returned", client.sessionId);
  }

  onLeave(client: Client, consented: boolean) {
    this.state.members.delete(client.sessionId);
    this.broadcast("left", { sessionId: client.sessionId, consented });
  }

  onTick() {
    this.state.ticks += 1;
  }

  onShutdown() {
    this.broadcast("last words", "goodbye");
  }
}
