/** The rooms of one worker: created, found, ended and drained. */
import { pino } from "pino";
import { beforeEach, describe, expect, test } from "vitest";
import type { PrimaryToWorker } from "../../../server/ipc/messages.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { RoomHost } from "../../../server/worker/room-host.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say, TICK_MS } from "./room-harness.ts";
import { Table } from "./rooms.ts";

let harness: RoomHarness;
let host: RoomHost;
beforeEach(() => {
  Table.onHook = () => undefined;
  harness = new RoomHarness();
  class Broken extends Table {
    constructor() {
      super();
      throw new Error("in the constructor");
    }
  }
  const roomClasses = new Map<string, RoomClass>([
    ["table", Table],
    ["broken", Broken],
  ]);
  host = new RoomHost(roomClasses, harness.services, pino({ level: "silent" }));
});

function create(roomId: string, roomType = "table"): void {
  host.create({ roomId, roomType, code: "CODE", options: {}, seed: 1, epoch: 1 }, []);
}

type Accept = Extract<PrimaryToWorker, { type: "accept" }>;

function acceptOf(roomId: string, sessionId: string): Accept {
  return {
    type: "accept",
    connectionId: 1,
    roomId,
    sessionId,
    upgrade: { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 },
    passenger: { kind: "join", options: {}, auth: undefined },
  };
}

function join(roomId: string, sessionId: string): MemoryTransport {
  const transport = new MemoryTransport();
  host.accept(transport, acceptOf(roomId, sessionId));
  return transport;
}

test("creates rooms, counts them and their clients, and forgets those that have ended", async () => {
  create("r1");
  create("r2");
  const a = join("r1", "a");
  const b = join("r1", "b");
  const c = join("r2", "c");
  await harness.time.advance(TICK_MS);
  expect(harness.reports.filter(({ type }) => type === "room-created")).toEqual([
    { type: "room-created", roomId: "r1", failure: undefined, sessionIds: [] },
    { type: "room-created", roomId: "r2", failure: undefined, sessionIds: [] },
  ]);
  expect([host.roomCount, host.clientCount]).toEqual([2, 3]);
  expect([a, b, c].map(({ welcome }) => welcome.roomId)).toEqual(["r1", "r1", "r2"]);
  host.dispose("r1");
  await harness.time.settle();
  expect([host.roomCount, host.clientCount]).toEqual([1, 1]);
  expect([a, b, c].map(({ isOpen }) => isOpen)).toEqual([false, false, true]);
});

test.each([
  ["of an unknown type", "nonsense", "ROOM_TYPE_UNKNOWN"],
  ["whose constructor fails", "broken", "ROOM_CREATE_FAILED"],
])("a room %s is reported as failed, and harms no other", async (_what, roomType, code) => {
  create("good");
  create("bad", roomType);
  expect(harness.reports.at(-1)).toEqual({
    type: "room-created",
    roomId: "bad",
    sessionIds: [],
    failure: { code, message: expect.any(String) },
  });
  expect(host.roomCount).toBe(1);
  const transport = join("good", "a");
  await harness.time.advance(TICK_MS);
  expect(transport.welcome.roomId).toBe("good");
});

test("a room whose onCreate fails leaves no tick behind", async () => {
  Table.onHook = (hook) => {
    if (hook === "onCreate") throw new Error("in onCreate");
  };
  await harness.time.advance(TICK_MS);
  const before = harness.table.stepsMs.length;
  create("bad");
  await harness.time.advance(10 * TICK_MS);
  expect(host.roomCount).toBe(0);
  expect(Table.last.stepsMs).toEqual([]);
  expect(harness.table.stepsMs.length).toBe(before + 10);
});

test("a room that ends itself in onCreate is reported as disposed, and as nothing else", async () => {
  Table.onHook = (hook, room) => {
    if (hook === "onCreate") room.disconnect();
  };
  create("brief");
  await harness.time.advance(TICK_MS);
  expect(harness.reports).toEqual([{ type: "room-disposed", roomId: "brief" }]);
  expect(host.roomCount).toBe(0);
});

describe("what concerns a room that is not there", () => {
  test("a connection is closed, and its seat given back", () => {
    expect(join("nowhere", "a").closeCode).toBe("ROOM_NOT_FOUND");
    expect(harness.reports).toEqual([{ type: "session-left", roomId: "nowhere", sessionId: "a" }]);
  });

  test("its end is confirmed", () => {
    host.dispose("nowhere");
    expect(harness.reports).toEqual([{ type: "room-disposed", roomId: "nowhere" }]);
  });
});

test("a connection that was lost on the way gives back the seat that nobody has taken, and no other", async () => {
  create("r1");
  join("r1", "a");
  await harness.time.advance(TICK_MS);
  harness.reports.length = 0;
  host.connectionLost(acceptOf("r1", "a"));
  expect(harness.reports).toEqual([]);
  host.connectionLost(acceptOf("r1", "b"));
  host.connectionLost(acceptOf("nowhere", "c"));
  expect(harness.reported("session-left")).toEqual(["session-left b", "session-left c"]);
});

describe("rooms whose worker has died", () => {
  const takeOver = (roomId: string) =>
    host.create({ roomId, roomType: "table", code: "CODE", options: {}, seed: 1, epoch: 2 }, []);
  const created = () =>
    harness.reports.flatMap((report) => (report.type === "room-created" ? [report.roomId] : []));

  test("are taken over one in each turn of the event loop, and count from the first", async () => {
    create("mine");
    const mine = join("mine", "a");
    await harness.time.advance(TICK_MS);
    harness.reports.length = 0;
    // Beyond the next tick, while the simulated turns take no time: what is due runs between them.
    harness.time.stall(TICK_MS);
    const told = mine.sent.length;
    for (const roomId of ["r1", "r2", "r3"]) takeOver(roomId);
    expect([created(), host.roomCount]).toEqual([[], 4]);
    await harness.time.advanceToNext();
    expect(mine.sent.length).toBeGreaterThan(told);
    expect(created()).toEqual([]);
    await harness.time.advanceToNext();
    expect(created()).toEqual(["r1"]);
    await harness.time.advanceToNext();
    expect(created()).toEqual(["r1", "r2"]);
    await harness.time.advance(0);
    expect([created(), host.roomCount]).toEqual([["r1", "r2", "r3"], 4]);
  });

  test("are taken over at once when something comes for them, and before a drain", async () => {
    for (const roomId of ["r1", "r2", "r3", "r4"]) takeOver(roomId);
    join("r3", "a");
    expect(created()).toEqual(["r3"]);
    host.dispose("r2");
    expect(created()).toEqual(["r3", "r2"]);
    const drained = host.drain();
    expect(created()).toEqual(["r3", "r2", "r1", "r4"]);
    await harness.time.advance(TICK_MS);
    await drained;
    expect([created().length, host.roomCount]).toEqual([4, 0]);
  });
});

test("a drain ends all rooms, and waits for what they have under way", async () => {
  create("r1");
  create("r2");
  const slow = Table.last;
  const transports = [join("r1", "a"), join("r2", "b")];
  await harness.time.advance(TICK_MS);
  const [, b] = transports;
  if (b !== undefined) say(b, 1, "save", "score");
  await harness.time.advance(TICK_MS);
  let isDrained = false;
  const drained = host.drain().then(() => {
    isDrained = true;
  });
  await harness.time.advance(1_000);
  expect(transports.map(({ closeCode }) => closeCode)).toEqual([
    "SERVER_SHUTTING_DOWN",
    "SERVER_SHUTTING_DOWN",
  ]);
  expect(transports.map(({ events }) => events.at(-1)?.[0])).toEqual(["last words", "last words"]);
  expect([isDrained, host.roomCount]).toEqual([false, 1]);
  slow.answers[0]?.resolve("saved");
  await harness.time.advance(0);
  await drained;
  expect(host.roomCount).toBe(0);
});
