/** How a room ends: told to, by itself, with the server, or by an error; what its clients and the primary hear of it. */
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say } from "./room-harness.ts";
import { Desk, type Hook, Table } from "./rooms.ts";

let harness: RoomHarness;
let a: MemoryTransport;
let b: MemoryTransport;
let hasEnded: boolean;
beforeEach(async () => {
  Table.onHook = () => undefined;
  await start();
});

async function start(roomClass: RoomClass = Table): Promise<void> {
  harness = new RoomHarness(roomClass);
  hasEnded = false;
  void harness.room.ended.then(() => {
    hasEnded = true;
  });
  [a, b] = (await harness.seated("a", "b")) as [MemoryTransport, MemoryTransport];
}

/** What the primary hears of seats and the end. */
function reports(): string[] {
  return harness.reported("session-left", "room-disposed");
}

const ALL_OVER = ["session-left a", "session-left b", "room-disposed"];

/** Nothing of the room is left behind, and it stays that way. */
async function expectNothingLeft(): Promise<void> {
  const before = harness.reports.length;
  await harness.time.advance(60_000);
  expect(harness.reports).toHaveLength(before);
  expect(hasEnded).toBe(true);
  expect(harness.time.pendingTimers).toBe(0);
  expect(harness.room.clientCount).toBe(0);
}

describe.each([
  ["with ticks", Table],
  ["without ticks", Desk],
])("a room %s", (_kind, roomClass) => {
  beforeEach(async () => start(roomClass));

  test("that is told to end closes its clients, tells its hooks, and reports its end last", async () => {
    harness.room.dispose("ROOM_CLOSED");
    await harness.time.settle();
    expect([a.closeCode, b.closeCode]).toEqual(["ROOM_CLOSED", "ROOM_CLOSED"]);
    expect(harness.table.notes.slice(-3)).toEqual(["onLeave a", "onLeave b", "onDispose"]);
    expect(reports()).toEqual(ALL_OVER);
    harness.room.dispose("ROOM_CLOSED");
    await expectNothingLeft();
  });

  test("that ends itself sends what it said before, and applies nothing more of clients", async () => {
    say(a, 1, "tell", "goodbye");
    say(a, 2, "disconnect");
    for (let seq = 3; seq <= 40; seq++) say(a, seq, "add", seq);
    const late = harness.join("late");
    await harness.tick();
    for (const transport of [a, b]) {
      expect(transport.events).toEqual([["told", "goodbye"]]);
      expect(transport.closeCode).toBe("ROOM_CLOSED");
    }
    expect(late.closeCode).toBe("ROOM_CLOSED");
    expect(reports().toSorted()).toEqual([...ALL_OVER, "session-left late"].toSorted());
    expect(reports().at(-1)).toBe("room-disposed");
    await expectNothingLeft();
    expect(harness.table.notes.filter((note) => note === "onDispose")).toHaveLength(1);
  });

  test("ends in the same way when a client is kicked and another away in its last step", async () => {
    b.lose();
    await harness.tick();
    say(a, 1, "kick", "a");
    say(a, 2, "disconnect");
    await harness.tick();
    expect(a.closeCode).toBe("KICKED");
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("has last words when the server shuts down, after what waited", async () => {
    say(a, 1, "tell", "just in time");
    harness.room.dispose("SERVER_SHUTTING_DOWN");
    await harness.time.settle();
    for (const transport of [a, b]) {
      expect(transport.events).toEqual([
        ["told", "just in time"],
        ["last words", null],
      ]);
      expect(transport.closeCode).toBe("SERVER_SHUTTING_DOWN");
    }
    expect(harness.table.notes.slice(-4)).toEqual(["onShutdown", "onLeave a", "onLeave b", "onDispose"]);
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("shuts down once, also when it ends itself or kicks in that very step", async () => {
    say(a, 1, "kick", "b");
    say(a, 2, "disconnect");
    harness.room.dispose("SERVER_SHUTTING_DOWN");
    await harness.time.settle();
    expect(b.closeCode).toBe("KICKED");
    expect(harness.table.notes.filter((note) => note === "onDispose")).toHaveLength(1);
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("takes nobody in while it ends, and says why", async () => {
    say(a, 1, "save", "score");
    await harness.tick();
    harness.room.dispose("SERVER_SHUTTING_DOWN");
    expect(hasEnded).toBe(false);
    expect(harness.join("c").closeCode).toBe("SERVER_SHUTTING_DOWN");
    expect(harness.resume("a", a.welcome.resumeToken).closeCode).toBe("SERVER_SHUTTING_DOWN");
    harness.table.answers[0]?.resolve("done");
    await harness.tick();
    expect(harness.join("c").closeCode).toBe("SERVER_SHUTTING_DOWN");
    await expectNothingLeft();
  });

  test("fires no timers once it is disposed of", async () => {
    say(a, 1, "later", 1_000);
    say(a, 2, "often", 500);
    say(a, 3, "save", "score");
    await harness.tick();
    harness.room.dispose("ROOM_CLOSED");
    await harness.time.advance(2_000);
    harness.table.answers[0]?.resolve("done");
    await harness.time.advance(2_000);
    expect(harness.table.notes.slice(-2)).toEqual(["onDispose", "saved score: done"]);
    await expectNothingLeft();
  });
});

describe("effects under way at the end", () => {
  beforeEach(async () => {
    say(a, 1, "save", "one");
    say(a, 2, "save", "two");
    await harness.tick();
  });

  test("are waited for, and their results reach the room", async () => {
    harness.room.dispose("ROOM_CLOSED");
    harness.table.answers[0]?.resolve("first");
    await harness.time.advance(LIMITS.disposeEffectsMs / 2);
    expect(reports()).toEqual(["session-left a", "session-left b"]);
    harness.table.answers[1]?.reject(new Error("no database"));
    await harness.time.advance(0);
    expect(harness.table.notes.slice(-3)).toEqual([
      "onDispose",
      "saved one: first",
      "not saved two: no database",
    ]);
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("are aborted when they take too long, which the room is told", async () => {
    harness.room.dispose("ROOM_CLOSED");
    await harness.time.advance(LIMITS.disposeEffectsMs - 1);
    expect(harness.table.signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(hasEnded).toBe(false);
    await harness.time.advance(1);
    expect(harness.table.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(harness.table.notes.slice(-2)).toEqual([
      "not saved one: The room has ended.",
      "not saved two: The room has ended.",
    ]);
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("do not keep a room alive that tries again whenever they fail", async () => {
    const { save } = harness.table.effects;
    Object.assign(save.hooks, { failed: (_error: Error, text: string) => void save.start(text) });
    harness.room.dispose("ROOM_CLOSED");
    for (const { reject } of harness.table.answers) reject(new Error("no database"));
    await harness.tick();
    expect(harness.table.answers).toHaveLength(4);
    await harness.time.advance(LIMITS.disposeEffectsMs);
    expect(harness.table.answers).toHaveLength(4);
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("whose results wait for the next tick are not lost", async () => {
    harness.table.answers[0]?.resolve("first");
    harness.table.answers[1]?.resolve("second");
    await harness.time.settle();
    expect(harness.table.notes).not.toContain("saved one: first");
    harness.room.dispose("ROOM_CLOSED");
    expect(harness.table.notes.slice(-5)).toEqual([
      "saved one: first",
      "saved two: second",
      "onLeave a",
      "onLeave b",
      "onDispose",
    ]);
    await expectNothingLeft();
  });

  test("end with a room that fails, and say nothing any more", async () => {
    say(a, 3, "fail", "broken");
    await harness.tick();
    expect(harness.table.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(reports()).toEqual(ALL_OVER);
    harness.table.answers[0]?.resolve("late");
    await expectNothingLeft();
    expect(harness.table.notes.some((note) => note.startsWith("saved"))).toBe(false);
  });
});

describe("an error in the room's code", () => {
  test.each<[Hook, string, () => void]>([
    ["onJoin", "joined", () => void harness.join("c")],
    ["onTick", "tick", () => undefined],
    ["onDrop", "dropped", () => b.lose()],
    [
      "onReconnect",
      "returned",
      () => {
        b.lose();
        harness.resume("b", b.welcome.resumeToken);
      },
    ],
    ["onLeave", "left", () => say(a, 1, "kick", "b")],
  ])(
    "in %s ends it: everybody is told, the seats are given back, the log has it once",
    async (hook, event, cause) => {
      let isArmed = false;
      Table.onHook = (running) => {
        if (isArmed && running === hook) throw new Error(`fails in ${hook}`);
      };
      await start();
      isArmed = true;
      cause();
      await harness.tick(2);
      expect(a.closeCode).toBe("ROOM_ERROR");
      expect(reports().at(-1)).toBe("room-disposed");
      expect(reports().filter((report) => ALL_OVER.includes(report))).toEqual(ALL_OVER);
      expect(harness.errors).toHaveLength(1);
      expect(harness.errors[0]).toMatchObject({
        fields: { event, err: { message: `fails in ${hook}` } },
        sentence: `the room failed in "${event}"`,
      });
      await expectNothingLeft();
    },
  );

  test.each([
    ["a message", "message", async () => say(a, 1, "fail", "broken")],
    [
      "a timer",
      "timer",
      async () => {
        Object.assign(harness.table.timers.later, {
          callback: () => {
            throw new Error("broken");
          },
        });
        say(a, 1, "later", 10);
      },
    ],
    [
      "an effect's result",
      "effect",
      async () => {
        say(a, 1, "save", "x");
        await harness.tick();
        Object.assign(harness.table.effects.save.hooks, { done: () => Promise.resolve() });
        harness.table.answers[0]?.resolve("done");
      },
    ],
  ])("in %s as well", async (_where, event, cause) => {
    await cause();
    await harness.tick(2);
    expect([a.closeCode, b.closeCode]).toEqual(["ROOM_ERROR", "ROOM_ERROR"]);
    expect(reports()).toEqual(ALL_OVER);
    expect(harness.errors.map(({ fields }) => (fields as { event: string }).event)).toEqual([event]);
    await expectNothingLeft();
  });

  test.each<[Hook, "ROOM_CLOSED" | "SERVER_SHUTTING_DOWN"]>([
    ["onLeave", "ROOM_CLOSED"],
    ["onDispose", "ROOM_CLOSED"],
    ["onDispose", "SERVER_SHUTTING_DOWN"],
  ])("in %s while it ends with %s does not keep it from ending", async (hook, code) => {
    Table.onHook = (running) => {
      if (running === hook) throw new Error(`fails in ${hook}`);
    };
    await start();
    harness.room.dispose(code);
    await harness.time.settle();
    expect([a.closeCode, b.closeCode]).toEqual([code, code]);
    expect(reports()).toEqual(ALL_OVER);
    expect(harness.errors).toHaveLength(1);
    await expectNothingLeft();
  });

  test("in the step of a shutdown ends it with ROOM_ERROR, once", async () => {
    say(a, 1, "fail", "broken");
    harness.room.dispose("SERVER_SHUTTING_DOWN");
    await harness.time.settle();
    expect(a.closeCode).toBe("ROOM_ERROR");
    expect(harness.table.notes).not.toContain("onDispose");
    expect(reports()).toEqual(ALL_OVER);
    await expectNothingLeft();
  });

  test("does not touch its neighbours: they do not miss a tick", async () => {
    const neighbour = harness.create(Table, "room-2");
    const { ended } = neighbour;
    const table = Table.last;
    await harness.tick();
    const before = table.clock.tick;
    say(a, 1, "fail", "broken");
    await harness.tick(5);
    expect(a.closeCode).toBe("ROOM_ERROR");
    expect(table.clock.tick).toBe(before + 5);
    expect(await Promise.race([ended, "goes on"])).toBe("goes on");
  });

  test("metadata that cannot be sent to the primary is the room's error", async () => {
    Table.onHook = (hook, room) => {
      if (hook === "onTick") room.metadata = { update: () => undefined };
    };
    await start();
    expect(a.closeCode).toBe("ROOM_ERROR");
    expect(harness.reported("room-updated")).toEqual([]);
    await expectNothingLeft();
  });
});

test("the last message of a room that closes is complete: state and events of its last step", async () => {
  say(a, 1, "add", 5);
  say(a, 2, "tell", "over");
  say(a, 3, "disconnect");
  await harness.tick();
  expect(b.messages.at(-1)?.map(([type]) => type)).toEqual([ServerMessage.STATE, ServerMessage.EVENT]);
});
