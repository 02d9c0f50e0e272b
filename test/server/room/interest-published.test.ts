/** Views on the way out of a hosted room: what each connection is sent, from its snapshot on. */
import * as v from "valibot";
import { expect, test } from "vitest";
import type { Client } from "../../../server/room/client.ts";
import { message } from "../../../server/room/messages.ts";
import { Room } from "../../../server/room/room.ts";
import { timer } from "../../../server/room/timers.ts";
import { findAck } from "../../../shared/protocol/codec.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import {
  entity,
  f64,
  Mirror,
  map,
  owner,
  PENDING_ENTITIES_MAX,
  string,
  u8,
  u32,
} from "../../../shared/schema/index.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say } from "../worker/room-harness.ts";

const Sheep = entity({ x: f64, y: f64, name: string, wool: owner(u8) }, "Sheep");
const FieldState = entity({
  day: u32,
  sheep: map(Sheep, { spatial: ["x", "y"] }),
  stones: map(entity({ size: u8 })),
  purses: map(entity({ coins: owner(u8) })),
});
const Place = v.object({ key: v.string(), x: v.number() });
const RADIUS = 10;
const LATER_MS = 1_000;

/** Sheep stand along a line; clients look at a piece of it. */
class Field extends Room<typeof FieldState> {
  static override state = FieldState;
  static override tickRate = 20;

  override messages = {
    look: message(v.number(), (client, x) => lookAt(client, x)),
    lookLater: message(v.number(), (client, x) => {
      this.timers.look.after(LATER_MS, { sessionId: client.sessionId, x });
    }),
    put: message(Place, (_client, { key, x }) => {
      const sheep = this.state.sheep.get(key) ?? this.state.sheep.set(key, { name: `<${key}>`, wool: 1 });
      sheep.x = x;
    }),
    shear: message(v.string(), (_client, key) => {
      const sheep = this.state.sheep.get(key);
      if (sheep) sheep.wool += 1;
    }),
    wait: message(v.number(), (_client, days) => {
      this.state.day += days;
    }),
    stones: message(v.number(), (_client, count) => {
      for (let i = 0; i < count; i++) this.state.stones.set(`${i}`, { size: i % 9 });
    }),
  };

  override timers = {
    look: timer<{ sessionId: string; x: number }>(({ sessionId, x }) => {
      const client = this.clients.get(sessionId);
      if (client) lookAt(client, x);
    }),
  };

  override onJoin(client: Client): void {
    lookAt(client, 0);
    this.state.purses.set(client.sessionId, { coins: 5 });
  }
}

/** The same without ticks: messages are applied on arrival. */
class StillField extends Field {
  static override tickRate = 0;
}

function lookAt(client: Client, x: number): void {
  client.view = { x, y: 0, radius: RADIUS };
}

/** A client with its mirror. */
class Player {
  transport: MemoryTransport;
  mirror: Mirror<typeof FieldState> | undefined;
  #applied = 0;
  #seq = 0;

  constructor(transport: MemoryTransport) {
    this.transport = transport;
  }

  say(name: string, payload: unknown): void {
    say(this.transport, ++this.#seq, name, payload);
  }

  resume(transport: MemoryTransport): void {
    this.transport = transport;
    this.#applied = 0;
  }

  /** Applies what has come. @returns the types of the values */
  take(): number[] {
    const values = this.transport.values.slice(this.#applied);
    this.#applied += values.length;
    for (const value of values) {
      if (value[0] === ServerMessage.WELCOME && value[2].schema) this.mirror ??= new Mirror(value[2].schema);
      if (value[0] === ServerMessage.SNAPSHOT) this.mirror?.applySnapshot(value[4]);
      if (value[0] === ServerMessage.STATE) this.mirror?.applyPatch(value[4]);
      if (value[0] === ServerMessage.OWN) this.mirror?.applyOwn(value[1]);
    }
    return values.map(([type]) => type);
  }

  /** Which sheep it sees, with their wool if that is its own. */
  get sheep(): string[] {
    this.take();
    return Array.from(this.mirror?.state.sheep ?? [], ([key, { wool = "" }]) => `${key}${wool}`).sort();
  }

  /** Which sheep were ever named to it. */
  get told(): string[] {
    const text = this.transport.sent.map((bytes) => Buffer.from(bytes).toString("latin1")).join();
    return [...new Set(text.match(/<\w+>/g))].sort();
  }
}

async function start(roomClass = Field): Promise<{ harness: RoomHarness; ann: Player; bob: Player }> {
  const harness = new RoomHarness(roomClass);
  const ann = new Player(harness.join("ann"));
  const bob = new Player(harness.join("bob"));
  await harness.tick();
  bob.say("look", 100);
  ann.say("put", { key: "ann", x: 1 });
  ann.say("put", { key: "near", x: -1 });
  ann.say("put", { key: "bob", x: 101 });
  await harness.tick();
  return { harness, ann, bob };
}

test("each client gets its own part, and never another's, in one write a tick", async () => {
  const { harness, ann, bob } = await start();
  expect([ann.sheep, bob.sheep]).toEqual([["ann1", "near"], ["bob1"]]);
  ann.say("put", { key: "near", x: 99 });
  ann.say("shear", "bob");
  ann.say("wait", 3);
  const before = [ann, bob].map(({ transport }) => transport.sent.length);
  await harness.tick();
  expect([ann, bob].map(({ transport }, i) => transport.sent.length - (before[i] ?? 0))).toEqual([1, 1]);
  expect([ann.sheep, bob.sheep]).toEqual([["ann1"], ["bob2", "near"]]);
  expect([ann.mirror?.state.day, bob.mirror?.state.day]).toEqual([3, 3]);
  expect([ann.told, bob.told]).toEqual([
    ["<ann>", "<near>"],
    ["<bob>", "<near>"],
  ]);
});

test("what is private outside of spatial maps comes with the snapshot", async () => {
  const { ann, bob } = await start();
  for (const [player, coins] of [
    [ann, { ann: 5, bob: undefined }],
    [bob, { ann: undefined, bob: 5 }],
  ] as const) {
    player.take();
    const purses = Array.from(player.mirror?.state.purses ?? [], ([key, purse]) => [key, purse.coins]);
    expect(Object.fromEntries(purses)).toEqual(coins);
  }
});

test("each client's table of acknowledgements has its own row only", async () => {
  const { harness, ann, bob } = await start();
  ann.say("wait", 1);
  await harness.tick();
  for (const [{ transport }, ownSlot, otherSlot] of [
    [ann, 0, 1],
    [bob, 1, 0],
  ] as const) {
    const acks = transport.ofType(ServerMessage.STATE).at(-1)?.[3] as Uint8Array;
    expect(transport.welcome.slot).toBe(ownSlot);
    expect(findAck(acks, ownSlot, 1)).toBe(ownSlot === 0 ? 4 : 1);
    expect(findAck(acks, otherSlot, 1)).toBe(undefined);
  }
});

test("who comes back gets exactly the view of then", async () => {
  const { harness, ann } = await start();
  const { resumeToken } = ann.transport.welcome;
  ann.take();
  ann.transport.lose();
  await harness.tick();
  const near = ann.mirror?.state.sheep.get("near");
  const { transport } = new Player(harness.join("cyd"));
  await harness.tick();
  say(transport, 1, "put", { key: "ann", x: 100 });
  say(transport, 2, "put", { key: "late", x: 2 });
  await harness.tick();
  ann.resume(harness.resume("ann", resumeToken));
  await harness.tick();
  expect(ann.take()).toEqual([ServerMessage.WELCOME, ServerMessage.SNAPSHOT, ServerMessage.OWN]);
  expect(ann.sheep).toEqual(["late", "near"]);
  expect(ann.mirror?.state.sheep.get("near")).toBe(near);
  expect(ann.told).toEqual(["<late>", "<near>"]);
});

test("who was skipped gets what it sees now, in one change", async () => {
  const { harness, ann, bob } = await start();
  ann.take();
  ann.transport.bufferedBytes = 1;
  bob.say("put", { key: "ann", x: 2 });
  bob.say("shear", "ann");
  await harness.tick();
  bob.say("put", { key: "near", x: 50 });
  bob.say("put", { key: "unseen", x: 3 });
  bob.say("wait", 7);
  await harness.tick();
  bob.say("put", { key: "unseen", x: 51 });
  await harness.tick();
  expect(ann.take()).toEqual([]);
  ann.transport.bufferedBytes = 0;
  await harness.tick();
  expect(ann.take()).toEqual([ServerMessage.STATE, ServerMessage.OWN]);
  expect(ann.sheep).toEqual(["ann2"]);
  expect(ann.mirror?.state.sheep.get("ann")?.x).toBe(2);
  expect(ann.mirror?.state.day).toBe(7);
  expect(ann.told).not.toContain("<unseen>");
  bob.say("put", { key: "ann", x: 3 });
  await harness.tick();
  expect(ann.take()).toEqual([ServerMessage.STATE]);
  expect(ann.mirror?.state.sheep.get("ann")?.x).toBe(3);
});

test("who was skipped for too long gets a snapshot of its view", async () => {
  const { harness, ann, bob } = await start();
  ann.take();
  ann.transport.bufferedBytes = 1;
  bob.say("stones", PENDING_ENTITIES_MAX + 1);
  bob.say("put", { key: "near", x: 50 });
  await harness.tick();
  ann.transport.bufferedBytes = 0;
  await harness.tick();
  expect(ann.take()).toEqual([ServerMessage.SNAPSHOT, ServerMessage.OWN]);
  expect(ann.sheep).toEqual(["ann1"]);
  expect(ann.mirror?.state.stones.size).toBe(PENDING_ENTITIES_MAX + 1);
  bob.say("put", { key: "near", x: 5 });
  await harness.tick();
  expect(ann.sheep).toEqual(["ann1", "near"]);
});

test("in a room without ticks, a view that moves brings what it shows, to its client alone", async () => {
  const { harness, ann, bob } = await start(StillField);
  bob.say("lookLater", 0);
  await harness.tick();
  ann.take();
  expect(bob.sheep).toEqual(["bob1"]);
  await harness.time.advance(LATER_MS);
  expect(bob.sheep).toEqual(["ann", "near"]);
  expect(ann.take()).toEqual([]);
});
