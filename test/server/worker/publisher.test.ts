/** What goes out: one write per client and step, shared where it can be, and what becomes of clients that do not read. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Client, entity, map, Room, u8 } from "../../../server/index.ts";
import { LIMITS } from "../../../server/limits.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { Mirror, PENDING_ENTITIES_MAX } from "../../../shared/schema/index.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say, TICK_MS } from "./room-harness.ts";
import { Desk, plainState, Table, type TableState } from "./rooms.ts";

let harness: RoomHarness;
beforeEach(() => {
  Table.onHook = () => undefined;
  harness = new RoomHarness();
});

/** Welcomed clients; what they were sent before is forgotten. */
async function seats<const Ids extends string[]>(
  ...ids: Ids
): Promise<{ [K in keyof Ids]: MemoryTransport }> {
  return (await harness.seated(...ids)) as { [K in keyof Ids]: MemoryTransport };
}

/** What a client's mirror shows, all that it was sent applied. */
function mirrored(transport: MemoryTransport): unknown {
  const { schema, sessionId } = transport.welcome;
  if (schema === null) throw new Error("the schema was not sent");
  const mirror = new Mirror<typeof TableState>(schema);
  for (const value of transport.values) {
    if (value[0] === ServerMessage.SNAPSHOT) mirror.applySnapshot(value[4]);
    if (value[0] === ServerMessage.STATE) mirror.applyPatch(value[4]);
    if (value[0] === ServerMessage.OWN) mirror.applyOwn(value[1]);
  }
  return plainState(mirror.state, sessionId);
}

function serverState(sessionId: string): unknown {
  return plainState(harness.table.state, sessionId);
}

describe("one write per client and tick", () => {
  test("whatever happens in it", async () => {
    const [a, b, c] = await seats("a", "b", "c");
    say(a, 1, "add", 1);
    say(a, 2, "tell", "all");
    say(b, 1, "keep", 7);
    say(b, 2, "whisper", "own");
    say(b, 3, "nonsense");
    say(c, 1, "tellOthers", "but me");
    const late = harness.join("late");
    c.lose();
    const again = harness.resume("c", c.welcome.resumeToken);
    const before = [a, b, again, late].map(({ sent }) => sent.length);
    await harness.tick();
    expect([a, b, again, late].map(({ sent }, index) => sent.length - (before[index] ?? 0))).toEqual([
      1, 1, 1, 1,
    ]);
    for (const transport of [a, b, again, late]) {
      expect(mirrored(transport)).toEqual(serverState(transport.welcome.sessionId));
    }
    expect(a.events.slice(-2)).toEqual([
      ["told", "all"],
      ["told", "but me"],
    ]);
    expect(b.events.map(([name]) => name)).toEqual(["told", "whispered", "$error", "told"]);
    expect(again.events.map(([name]) => name)).toEqual(["told"]);
    expect(late.events).toEqual([]);
  });

  test("and none for who has left in it, whatever the others are told", async () => {
    const [a, b] = await seats("a", "b");
    a.receive([ClientMessage.LEAVE]);
    say(b, 1, "tell", "all");
    const before = [a, b].map(({ sent }) => sent.length);
    await harness.tick();
    expect([a, b].map(({ sent }, index) => sent.length - (before[index] ?? 0))).toEqual([0, 1]);
    expect(b.events.slice(-1)).toEqual([["told", "all"]]);
  });

  test("[S9] also when nothing happens, with the tick's number", async () => {
    const clients = await seats("a", "b");
    await harness.tick(3);
    for (const { messages } of clients) {
      expect(messages.map((values) => values.map(([type]) => type))).toEqual([
        [ServerMessage.WELCOME, ServerMessage.SNAPSHOT, ServerMessage.OWN],
        [ServerMessage.STATE],
        [ServerMessage.STATE],
        [ServerMessage.STATE],
      ]);
    }
    expect(clients[0].ofType(ServerMessage.STATE).map(([, tick, roomTimeMs]) => [tick, roomTimeMs])).toEqual([
      [2, 100],
      [3, 150],
      [4, 200],
    ]);
  });
});

describe("the same bytes for many", () => {
  test("a client with nothing of its own gets the very same buffer as all others like it", async () => {
    const [a, b, c, d] = await seats("a", "b", "c", "d");
    say(a, 1, "add", 1);
    say(a, 2, "tell", "all");
    say(d, 1, "whisper", "own");
    await harness.tick();
    const last = [a, b, c, d].map(({ sent }) => sent.at(-1));
    expect(last[0]).toBeInstanceOf(Uint8Array);
    expect(last[1]).toBe(last[0]);
    expect(last[2]).toBe(last[0]);
    expect(last[3]).not.toBe(last[0]);
    expect(d.messages.at(-1)?.slice(0, 2)).toEqual(a.messages.at(-1));
  });

  test("private fields and messages to some make a buffer of one's own, with the parts of all in order", async () => {
    const [a, b, c] = await seats("a", "b", "c");
    say(a, 1, "keep", 9);
    say(b, 1, "tellOthers", "not b");
    await harness.tick();
    const types = [a, b, c].map(({ messages }) => messages.at(-1)?.map(([type]) => type));
    expect(types).toEqual([
      [ServerMessage.STATE, ServerMessage.OWN, ServerMessage.EVENT],
      [ServerMessage.STATE],
      [ServerMessage.STATE, ServerMessage.EVENT],
    ]);
    const [[stateOfA], [stateOfB], [stateOfC]] = [a, b, c].map(({ messages }) => messages.at(-1) ?? []) as [
      unknown[],
      unknown[],
      unknown[],
    ];
    expect(stateOfA).toEqual(stateOfB);
    expect(stateOfC).toEqual(stateOfB);
    await harness.tick();
    expect(new Set([a, b, c].map(({ sent }) => sent.at(-1))).size).toBe(1);
  });
});

describe("a client that reads too slowly", () => {
  test("[S10] is skipped, and then gets one STATE with all the changes and every event in order", async () => {
    const [a, slow] = await seats("a", "slow");
    const before = slow.sent.length;
    slow.bufferedBytes = 1;
    say(slow, 1, "keep", 3);
    for (let seq = 1; seq <= 5; seq++) {
      say(a, seq, seq % 2 === 0 ? "tell" : "add", seq % 2 === 0 ? `text ${seq}` : seq);
      await harness.tick();
    }
    say(a, 6, "grow", 10);
    await harness.tick();
    expect(slow.sent).toHaveLength(before);
    expect(a.sent.length).toBe(before + 6);
    slow.bufferedBytes = 0;
    await harness.tick();
    expect(slow.sent).toHaveLength(before + 1);
    expect(slow.messages.at(-1)?.map(([type]) => type)).toEqual([
      ServerMessage.STATE,
      ServerMessage.OWN,
      ServerMessage.EVENT,
      ServerMessage.EVENT,
    ]);
    expect(slow.events).toEqual(a.events);
    expect(mirrored(slow)).toEqual(serverState("slow"));
    await harness.tick();
    expect(slow.sent.at(-1)).toBe(a.sent.at(-1));
    expect(mirrored(slow)).toEqual(serverState("slow"));
  });

  test("[S10] gets a snapshot when more has changed than is remembered", async () => {
    const [a, slow] = await seats("a", "slow");
    slow.bufferedBytes = 1;
    say(slow, 1, "keep", 4);
    say(a, 1, "grow", PENDING_ENTITIES_MAX + 1);
    await harness.tick();
    say(a, 2, "shrink");
    say(a, 3, "tell", "gone");
    await harness.tick();
    slow.bufferedBytes = 0;
    await harness.tick();
    expect(slow.messages.at(-1)?.map(([type]) => type)).toEqual([
      ServerMessage.SNAPSHOT,
      ServerMessage.OWN,
      ServerMessage.EVENT,
    ]);
    expect(mirrored(slow)).toEqual(serverState("slow"));
    await harness.tick();
    expect(slow.sent.at(-1)).toBe(a.sent.at(-1));
  });

  test("[L1] is cut off when it has not read for too long, and may come back", async () => {
    const [a, slow] = await seats("a", "slow");
    const ticks = LIMITS.unreadMs / TICK_MS;
    slow.bufferedBytes = 1;
    await harness.tick(ticks);
    // It reads in time: from then on it is counted anew.
    slow.bufferedBytes = 0;
    await harness.tick();
    slow.bufferedBytes = 1;
    await harness.tick(ticks);
    expect(slow.isOpen).toBe(true);
    await harness.tick();
    expect(slow.closeCode).toBe("SLOW_CLIENT");
    expect(slow.isTerminated).toBe(true);
    say(a, 1, "tell", "missed");
    await harness.tick();
    expect(harness.table.notes.at(-1)).toBe("onDrop slow");
    const again = harness.resume("slow", slow.welcome.resumeToken);
    await harness.tick();
    expect(again.events).toEqual([["told", "missed"]]);
    expect(mirrored(again)).toEqual(serverState("slow"));
    expect(a.isOpen).toBe(true);
  });

  test("[S10] in a room without ticks it gets what it missed even if nothing more happens", async () => {
    harness = new RoomHarness(Desk);
    const [a, slow] = await seats("a", "slow");
    await harness.time.advance(0);
    slow.bufferedBytes = 1;
    say(a, 1, "add", 2);
    say(a, 2, "tell", "news");
    await harness.time.advance(5_000);
    expect(slow.events).toEqual([]);
    slow.bufferedBytes = 0;
    await harness.time.advance(200);
    expect(slow.events).toEqual([["told", "news"]]);
    expect(mirrored(slow)).toEqual(serverState("slow"));
    const sent = [a, slow].map((transport) => transport.sent.length);
    await harness.time.advance(60_000);
    expect([a, slow].map((transport) => transport.sent.length)).toEqual(sent);
    expect(harness.time.pendingTimers).toBe(0);
  });
});

const Sheep = entity({ x: u8, y: u8 }, "Sheep");
const Flock = entity({ sheep: map(Sheep, { spatial: ["x", "y"] }) }, "Flock");

/** Everybody sees a corner of it. */
class Meadow extends Room<typeof Flock> {
  static override state = Flock;
  static override tickRate = 1000 / TICK_MS;

  override onCreate(): void {
    for (const x of [1, 2, 200]) this.state.sheep.set(`${x}`, { x, y: 0 });
  }

  override onJoin(client: Client): void {
    client.view = { x: 0, y: 0, radius: 10 };
  }

  override onTick(): void {
    for (const sheep of this.state.sheep.values()) sheep.y = (sheep.y + 1) % 5;
  }
}

test("with interest management one step has a state for those who are there, and a snapshot for who comes", async () => {
  harness = new RoomHarness(Meadow);
  const [a] = await seats("a");
  const late = harness.join("late");
  await harness.tick();
  expect(a.messages.at(-1)?.map(([type]) => type)).toEqual([ServerMessage.STATE]);
  expect(late.messages[0]?.map(([type]) => type)).toEqual([ServerMessage.WELCOME, ServerMessage.SNAPSHOT]);
  await harness.tick();
  const [seen, seenLate] = [a, late].map((transport) => {
    const mirror = new Mirror<typeof Flock>(transport.welcome.schema ?? []);
    for (const value of transport.values) {
      if (value[0] === ServerMessage.SNAPSHOT) mirror.applySnapshot(value[4]);
      if (value[0] === ServerMessage.STATE) mirror.applyPatch(value[4]);
    }
    return Array.from(mirror.state.sheep, ([key, { y }]) => [key, y]).sort();
  });
  expect(seen?.map(([key]) => key)).toEqual(["1", "2"]);
  expect(seenLate).toEqual(seen);
});

describe("[E4] a client that acknowledges nothing", () => {
  const text = "x".repeat(8_000);
  const fits = Math.floor(LIMITS.outboxBytesMax / 8_020);

  async function fill(teller: MemoryTransport, count: number): Promise<void> {
    for (let seq = 1; seq <= count; seq++) {
      say(teller, seq, "tell", text, seq - 1);
      await harness.time.advance(200);
    }
  }

  test("ends with SESSION_OVERFLOW, and its seat is given back", async () => {
    const [teller, silent] = await seats("teller", "silent");
    await fill(teller, fits);
    expect(silent.isOpen).toBe(true);
    say(teller, fits + 1, "tell", text, fits);
    await harness.tick(2);
    expect(silent.closeCode).toBe("SESSION_OVERFLOW");
    expect(silent.events).toHaveLength(fits);
    expect(harness.reported("session-left")).toEqual(["session-left silent"]);
    expect(harness.table.notes.at(-1)).toBe("onLeave silent");
    expect(teller.isOpen).toBe(true);
    expect(teller.events).toHaveLength(fits + 1);
  });

  test("ends while it is away, too", async () => {
    class Patient extends Table {
      static override reconnectMs = 600_000;
    }
    harness = new RoomHarness(Patient);
    const [teller, away] = await seats("teller", "away");
    away.lose();
    await fill(teller, fits + 1);
    expect(harness.reported("session-left")).toEqual(["session-left away"]);
    expect(harness.resume("away", away.welcome.resumeToken).closeCode).toBe("SESSION_NOT_FOUND");
    expect(harness.time.pendingTimers).toBe(1);
  });

  test("but not one that does: its outbox is emptied", async () => {
    const [teller, reader] = await seats("teller", "reader");
    for (let seq = 1; seq <= 2 * fits; seq++) {
      say(teller, seq, "tell", text, seq - 1);
      await harness.time.advance(200);
      reader.receive([ClientMessage.ACK, seq]);
    }
    expect(reader.events).toHaveLength(2 * fits);
    expect(reader.isOpen).toBe(true);
  });
});
