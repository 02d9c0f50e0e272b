/** The room of the documentation, as an author would write it, checked by the compiler and run event by event. */
import * as v from "valibot";
import { beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { Client } from "../../../server/room/client.ts";
import { effect } from "../../../server/room/effects.ts";
import { message } from "../../../server/room/messages.ts";
import { type AuthContext, type JoinOptions, Room } from "../../../server/room/room.ts";
import { type RoomEvent, RoomFailure } from "../../../server/room/room-events.ts";
import { timer } from "../../../server/room/timers.ts";
import {
  encodeInput,
  entity,
  i8,
  input,
  type Live,
  map,
  owner,
  quantised,
  string,
  u8,
  u16,
} from "../../../shared/schema/index.ts";
import { RoomDriver } from "../../support/room-driver.ts";

type User = { readonly id: number; readonly name: string };
type Score = { readonly user: string; readonly kills: number };

const Duelist = entity({
  x: quantised(0, 100, 0.5),
  hp: u8,
  name: string,
  ammo: owner(u16),
});
const DuelState = entity({ players: map(Duelist), round: u8 });
const MoveInput = input({ dx: i8 });
const Chat = v.object({ text: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(20)) });
/** For messages that say all by their name. */
const Nothing = v.unknown();

/** Stands for a database; what it was asked to save, by key. */
const database = {
  saved: new Map<string, Score>(),
  async save(key: string, score: Score): Promise<{ readonly rank: number }> {
    this.saved.set(key, score);
    return { rank: this.saved.size };
  },
};

const RESPAWN_MS = 3000;

class Duel extends Room<typeof DuelState, { ranks: number[] }> {
  static state = DuelState;
  static tickRate = 20;
  static maxClients = 2;

  static async onAuth(token: string, context: AuthContext): Promise<User> {
    if (!token.startsWith("user-")) throw new Error(`unknown token from ${context.address}`);
    return { id: Number(token.slice(5)), name: token };
  }

  data = { ranks: [] as number[] };

  messages = {
    move: message(MoveInput, (client: Client<User>, { dx }) => {
      expectTypeOf(dx).toEqualTypeOf<number>();
      const player = this.state.players.get(client.sessionId);
      if (player !== undefined) player.x += dx;
    }),
    chat: message(Chat, (client: Client<User>, { text }) => {
      expectTypeOf(text).toEqualTypeOf<string>();
      this.broadcast("chat", { from: client.auth.name, text }, { except: client });
    }),
    die: message(Nothing, (client) => {
      expectTypeOf(client.auth).toEqualTypeOf<unknown>();
      const player = this.state.players.get(client.sessionId);
      if (player === undefined) return;
      player.hp = 0;
      this.timers.respawn.after(RESPAWN_MS, { id: client.sessionId });
    }),
    save: message(v.object({ kills: v.number() }), (client: Client<User>, { kills }) => {
      client.send("saving", { key: this.effects.save.start({ user: client.auth.name, kills }) });
    }),
    roll: message(Nothing, (client) => client.send("rolled", this.random())),
    quit: message(Nothing, (client) => client.leave("You asked for it.")),
    end: message(Nothing, () => {
      this.lock();
      this.disconnect();
    }),
  };

  timers = {
    respawn: timer<{ id: string }>(({ id }) => {
      const player = this.state.players.get(id);
      if (player !== undefined) player.hp = 100;
    }),
    round: timer(() => {
      this.state.round += 1;
    }),
  };

  effects = {
    save: effect({
      run: async (score: Score, { key, signal }) => {
        signal.throwIfAborted();
        return database.save(key, score);
      },
      done: ({ rank }, score) => {
        expectTypeOf(rank).toEqualTypeOf<number>();
        this.data.ranks.push(rank);
        this.broadcast("saved", { rank, user: score.user });
      },
      failed: (error, score) => {
        this.broadcast("not saved", { reason: error.message, user: score.user });
      },
    }),
  };

  onCreate(options: JoinOptions): void {
    expectTypeOf(options.mode).toEqualTypeOf<unknown>();
    this.state.round = 1;
    this.metadata = { mode: options.mode };
    this.timers.round.every(1000);
  }

  onJoin(client: Client<User>, options: JoinOptions): void {
    const name = typeof options.name === "string" ? options.name : client.auth.name;
    const player = this.state.players.set(client.sessionId, { x: 50, hp: 100, name, ammo: 30 });
    expectTypeOf(player).toEqualTypeOf<Live<typeof Duelist>>();
    expectTypeOf(player.x).toEqualTypeOf<number>();
  }

  onDrop(client: Client<User>): void {
    if (client.auth.id === 2) this.allowReconnection(client, 0);
  }

  onReconnect(client: Client<User>): void {
    client.send("welcome back", client.auth.name);
  }

  onLeave(client: Client<User>, consented: boolean): void {
    this.state.players.delete(client.sessionId);
    this.broadcast("gone", { name: client.auth.name, consented });
  }

  onTick(dtMs: number): void {
    expectTypeOf(dtMs).toEqualTypeOf<number>();
    for (const player of this.state.players.values())
      if (player.hp > 0) player.x += this.random() < 0.5 ? -1 : 1;
  }

  onDispose(): void {
    this.effects.save.start({ user: "the room", kills: 0 });
  }
}

const ANNA: User = { id: 1, name: "user-1" };
const BEN: User = { id: 2, name: "user-2" };

async function duel(seed = 1): Promise<RoomDriver<typeof DuelState>> {
  const driver = await RoomDriver.create(Duel, DuelState, { seed, options: { mode: "ranked" } });
  driver.join("anna", { name: "Anna" }, ANNA);
  driver.join("ben", {}, BEN);
  return driver;
}

describe("a room, as its author writes it", () => {
  let room: RoomDriver<typeof DuelState>;
  beforeEach(async () => {
    database.saved.clear();
    room = await duel();
  });

  it("is typed by its schema", () => {
    expectTypeOf<Duel["state"]>().toEqualTypeOf<Live<typeof DuelState>>();
    expectTypeOf<Duel["data"]["ranks"]>().toEqualTypeOf<number[]>();
    const respawn = (duelRoom: Duel) => {
      // @ts-expect-error: the payload must fit the timer
      duelRoom.timers.respawn.after(1, { id: 1 });
      // @ts-expect-error: nor may it be left out
      duelRoom.timers.respawn.after(1);
      duelRoom.timers.round.after(1);
      // @ts-expect-error: the input must fit the effect
      duelRoom.effects.save.start({ user: "a" });
      // @ts-expect-error: no such field
      duelRoom.state.players.set("a", { y: 1 });
      // @ts-expect-error: a collection is not assigned
      duelRoom.state.players = new Map();
    };
    expectTypeOf(respawn).toBeFunction();
  });

  it("gives clients their seats, with what onAuth returned", () => {
    expect([...room.runtime.clients].map(({ sessionId, slot, auth }) => [sessionId, slot, auth])).toEqual([
      ["anna", 0, ANNA],
      ["ben", 1, BEN],
    ]);
    expect(room.state.players.get("anna")?.name).toBe("Anna");
    expect(room.state.players.get("ben")?.name).toBe("user-2");
    expect(room.runtime.listing).toMatchObject({ metadata: { mode: "ranked" }, locked: false });
  });

  it("reports who arrived, and gives a freed slot to the next", () => {
    expect(room.leave("anna").left.map(({ sessionId }) => sessionId)).toEqual(["anna"]);
    const { arrived } = room.join("carl", {}, { id: 3, name: "user-3" });
    expect(
      arrived.map(({ client, emissionsFrom }) => [client.sessionId, client.slot, emissionsFrom]),
    ).toEqual([["carl", 0, 0]]);
    expect(arrived[0]?.client).toBeInstanceOf(Client);
  });

  it("does not give a client that joins what was broadcast before it in the same step", () => {
    const { arrived, emissions } = room.step(
      { type: "left", sessionId: "anna", consented: false },
      { type: "joined", sessionId: "carl", options: {}, auth: { id: 3, name: "user-3" } },
    );
    expect(emissions).toHaveLength(1);
    expect(arrived.map(({ emissionsFrom }) => emissionsFrom)).toEqual([1]);
  });

  it("applies a binary message and acknowledges it", () => {
    const { acks, change } = room.send("ben", "move", encodeInput(MoveInput, { dx: -7 }));
    expect(room.state.players.get("ben")?.x).toBe(43);
    expect(acks).toEqual([{ slot: 1, seq: 1 }]);
    expect(change.changed).toHaveLength(1);
    expect(room.sent).toEqual([]);
  });

  it("takes a message by its index in messageNames too", () => {
    const message = room.runtime.messageNames.indexOf("move");
    room.step({ ...messageOf("anna", 1, encodeInput(MoveInput, { dx: 3 })), message });
    expect(room.state.players.get("anna")?.x).toBe(53);
  });

  it("acknowledges several messages of a client once, with the last sequence", () => {
    const { acks } = room.step(
      messageOf("anna", 4, encodeInput(MoveInput, { dx: 1 })),
      messageOf("anna", 5, encodeInput(MoveInput, { dx: 1 })),
    );
    expect(acks).toEqual([{ slot: 0, seq: 5 }]);
    expect(room.state.players.get("anna")?.x).toBe(52);
  });

  it("gives a handler what the validator made of the payload, and sends to all but one", () => {
    room.send("anna", "chat", { text: "  hello  " });
    expect(room.sent).toEqual([{ type: "chat", payload: { from: "user-1", text: "hello" }, to: ["ben"] }]);
  });

  it.each([
    ["text that is too long", "chat", { text: "x".repeat(21) }],
    ["no payload", "chat", null],
    ["bytes where none are meant", "chat", new Uint8Array([1])],
    ["an object instead of bytes", "move", { dx: 1 }],
    ["too many bytes", "move", new Uint8Array([1, 2])],
    ["too few bytes", "move", new Uint8Array(0)],
  ])("answers %s with $error to the sender, and changes nothing", (_, name, payload) => {
    const before = room.runtime.encoder.hash();
    const { change, acks } = room.send("ben", name, payload);
    expect(room.sent).toEqual([
      {
        type: "$error",
        payload: { code: "MESSAGE_INVALID", message: expect.stringMatching(/./), seq: 1 },
        to: ["ben"],
      },
    ]);
    expect(change.isEmpty).toBe(true);
    expect(room.runtime.encoder.hash()).toBe(before);
    expect(acks).toEqual([{ slot: 1, seq: 1 }]);
  });

  it.each(["teleport", "constructor", "__proto__", ""])(
    "answers the unknown message %j with $error",
    (name) => {
      const { change } = room.send("anna", name, { text: "hello" });
      expect(room.sent).toEqual([
        {
          type: "$error",
          payload: { code: "MESSAGE_UNKNOWN", message: `The room has no message "${name}".`, seq: 1 },
          to: ["anna"],
        },
      ]);
      expect(change.isEmpty).toBe(true);
    },
  );

  it("does not know a message that a condition has left undefined", async () => {
    class Conditional extends Room {
      messages = { go: message(Nothing, () => undefined) };
      constructor() {
        super();
        Object.assign(this.messages, { cheat: undefined });
      }
    }
    const driver = await RoomDriver.create(Conditional, entity({}));
    driver.step({ type: "joined", sessionId: "anna", options: {}, auth: null });
    driver.send("anna", "cheat");
    expect(driver.runtime.messageNames).toEqual(["go"]);
    expect(driver.sent).toMatchObject([{ type: "$error", payload: { code: "MESSAGE_UNKNOWN" } }]);
  });

  it("ignores a message of somebody who is not there", () => {
    const { acks, change } = room.send("nobody", "move", encodeInput(MoveInput, { dx: 1 }));
    expect([acks, change.isEmpty, room.sent]).toEqual([[], true, []]);
  });

  it("ticks with the time of the room", () => {
    room.tick();
    expect(Math.abs((room.state.players.get("anna")?.x ?? 0) - 50)).toBe(1);
    expect(room.runtime.clock).toEqual({ nowMs: 50, tick: 1 });
  });

  it("fires timers when they are due, not before, and repeats those that repeat", () => {
    room.send("anna", "die");
    for (let i = 0; i < 59; i++) room.tick();
    expect(room.state.players.get("anna")?.hp).toBe(0);
    expect(room.state.round).toBe(3);
    room.tick();
    expect(room.state.players.get("anna")?.hp).toBe(100);
    expect(room.state.round).toBe(4);
  });

  it("starts an effect after the step and takes its result as an event, once", async () => {
    const { effects } = room.send("anna", "save", { kills: 3 });
    expect(effects).toEqual([{ key: "room:1", name: "save", input: { user: "user-1", kills: 3 } }]);
    expect(room.sent).toEqual([{ type: "saving", payload: { key: "room:1" }, to: ["anna"] }]);
    expect(database.saved.size).toBe(0);

    const [pending] = effects;
    const run = room.runtime.effectHooks("save").run as (input: unknown, context: object) => Promise<unknown>;
    const value = await run(pending?.input, { key: pending?.key, signal: new AbortController().signal });
    expect(database.saved.get("room:1")).toEqual({ user: "user-1", kills: 3 });

    const done: RoomEvent = { type: "effect", key: "room:1", result: { value } };
    room.step(done);
    expect(room.sent).toEqual([{ type: "saved", payload: { rank: 1, user: "user-1" }, to: undefined }]);
    room.step(done);
    expect(room.sent).toEqual([]);
  });

  it("tells an effect's failure to the hook for it", () => {
    room.send("anna", "save", { kills: 3 });
    room.step({ type: "effect", key: "room:1", result: { error: "disk full" } });
    expect(room.sent).toEqual([
      { type: "not saved", payload: { reason: "disk full", user: "user-1" }, to: undefined },
    ]);
    // The next effect has another key: the first is settled.
    expect(room.send("anna", "save", { kills: 4 }).effects).toEqual([
      expect.objectContaining({ key: "room:2" }),
    ]);
  });

  it("keeps a dropped client's seat for as long as onDrop says, and takes it back", () => {
    const anna = room.step({ type: "dropped", sessionId: "anna" });
    expect(anna.dropped.map(({ client, reconnectMs }) => [client.isDropped, reconnectMs])).toEqual([
      [true, Room.reconnectMs],
    ]);
    expect(room.step({ type: "dropped", sessionId: "ben" }).dropped).toMatchObject([{ reconnectMs: 0 }]);

    const { arrived } = room.step({ type: "returned", sessionId: "anna", tokenGeneration: 1 });
    expect(arrived.map(({ client }) => client.isDropped)).toEqual([false]);
    expect(room.sent).toEqual([{ type: "welcome back", payload: "user-1", to: ["anna"] }]);
  });

  it("lets clients go, and tells who stays", () => {
    room.leave("anna", false);
    expect(room.state.players.has("anna")).toBe(false);
    expect(room.sent).toEqual([
      { type: "gone", payload: { name: "user-1", consented: false }, to: undefined },
    ]);
  });

  it("asks its host to close a client, or all of them", () => {
    const { kicked } = room.send("ben", "quit");
    expect(kicked.map(({ sessionId }) => sessionId)).toEqual(["ben"]);
    const why = { code: "KICKED", message: "You asked for it.", seq: 0 };
    expect(room.sent).toContainEqual({ type: "$error", payload: why, to: ["ben"] });
    const { disconnected, listingChanged } = room.send("ben", "end");
    expect([disconnected, listingChanged]).toEqual([true, true]);
    expect(room.step({ type: "dispose" }).effects).toHaveLength(1);
  });

  it("keeps an owner's fields out of the patch for all", () => {
    const { change } = room.join("carl", {}, { id: 3, name: "user-3" });
    expect([...change.ownerPatches.keys()]).toEqual(["carl"]);
  });
});

describe("determinism of a room", () => {
  it("draws random numbers by the seed", async () => {
    const rolls = async (seed: number) => {
      const room = await duel(seed);
      return Array.from({ length: 5 }, () => {
        room.send("anna", "roll");
        return room.sent[0]?.payload;
      });
    };
    const first = await rolls(7);
    expect(new Set(first).size).toBe(5);
    expect(await rolls(7)).toEqual(first);
    expect(await rolls(8)).not.toEqual(first);
  });

  it("gives the same states and messages, byte for byte, for the same events", async () => {
    const room = await duel(99);
    for (let i = 0; i < 100; i++) {
      const incoming = [room.message("anna", "move", encodeInput(MoveInput, { dx: (i % 11) - 5 }))];
      if (i % 10 === 0) incoming.push(room.message("ben", "chat", { text: `line ${i}` }));
      if (i === 30)
        incoming.push(room.message("ben", "die", null), room.message("anna", "save", { kills: i }));
      if (i === 40) incoming.push({ type: "effect", key: "room:1", result: { value: { rank: 1 } } });
      if (i === 50) incoming.push({ type: "dropped", sessionId: "ben" });
      if (i === 60) incoming.push({ type: "returned", sessionId: "ben", tokenGeneration: 1 });
      if (i === 70) incoming.push(room.message("ben", "roll", null), room.message("ben", "nonsense", null));
      room.tick(incoming);
    }
    expect(new Set(room.trace).size).toBe(room.trace.length);
    expect(room.replay()).toEqual(room.trace);
  });
});

describe("a room that breaks the rules", () => {
  class AsyncJoin extends Room {
    async onJoin(): Promise<void> {
      await Promise.reject(new Error("nobody waits for this"));
    }
  }
  class AsyncTick extends Room {
    static tickRate = 10;
    async onTick(): Promise<void> {}
  }
  class AsyncMessage extends Room {
    messages = { go: message(Nothing, async () => undefined) };
  }
  class AsyncTimer extends Room {
    timers = { later: timer(async () => undefined) };
    onCreate(): void {
      this.timers.later.after(0);
    }
  }
  class AsyncSchema extends Room {
    messages = {
      go: message(
        v.pipeAsync(
          v.unknown(),
          v.checkAsync(async () => true),
        ),
        () => undefined,
      ),
    };
  }

  const joined: RoomEvent = { type: "joined", sessionId: "anna", options: {}, auth: null };

  it.each([
    ["onJoin", AsyncJoin, [joined]],
    ["onTick", AsyncTick, [{ type: "tick", dtMs: 100 }]],
    ["messages.go", AsyncMessage, [joined, messageOf("anna", 1, null, "go")]],
    ["timers.later", AsyncTimer, [{ type: "timer", timerId: 1 }]],
  ] as const)("fails when %s returns a promise, and says what to do instead", async (hook, room, events) => {
    const driver = await RoomDriver.create(room, entity({}));
    const failure = failureOf(() => driver.step(...events));
    expect(failure.event).toBe(events.at(-1)?.type);
    expect(failure.cause).toEqual(
      new TypeError(`${hook} returned a promise. Hooks are synchronous: use static onAuth or an effect.`),
    );
  });

  it("fails when a message's schema is asynchronous", async () => {
    const driver = await RoomDriver.create(AsyncSchema, entity({}));
    driver.step(joined);
    const failure = failureOf(() => driver.send("anna", "go"));
    expect(failure.cause).toEqual(new TypeError("A message's schema must validate synchronously."));
  });

  it("cannot be made with new", () => {
    expect(() => new AsyncJoin()).toThrow(/serve\(/);
  });

  it("fails with the author's error, and names the event", async () => {
    class Broken extends Room<typeof DuelState> {
      static state = DuelState;
      onJoin(): void {
        this.state.round = -1;
      }
    }
    const driver = await RoomDriver.create(Broken, DuelState);
    const failure = failureOf(() => driver.step(joined));
    expect(failure.message).toContain("joined");
    expect(failure.cause).toBeInstanceOf(RangeError);
  });
});

function messageOf(
  sessionId: string,
  seq: number,
  payload: unknown,
  message = "move",
): Extract<RoomEvent, { type: "message" }> {
  return { type: "message", sessionId, seq, message, payload };
}

function failureOf(run: () => unknown): RoomFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof RoomFailure) return error;
    throw error;
  }
  throw new Error("the room did not fail");
}
