import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RoomTypeInfo } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { RoomDirectory, type RoomEntry } from "../../../server/primary/room-directory.ts";
import { RookeryError } from "../../../shared/errors.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

const DUEL: RoomTypeInfo = {
  name: "duel",
  maxClients: 2,
  maxMatched: 2,
  durability: "none",
  filterBy: ["mode", "map"],
  hasAuth: false,
  autoDispose: false,
};
const LISTED = { locked: false, isPrivate: false, autoDispose: false, metadata: undefined };
const LOST_IDS_TTL_MS = 60_000;

function setUp(random: () => number = createRandom(1).next) {
  const time = new SimulatedTime();
  let ids = 0;
  const closing: string[] = [];
  const directory = new RoomDirectory({
    scheduler: time,
    random,
    newId: () => `id${++ids}`,
    onClosing: ({ roomId }) => closing.push(roomId),
  });
  const reserve = (room: RoomEntry, sessionId: string): void =>
    room.seats.reserve(sessionId, {}, LIMITS.ticketTtlMs, () => undefined);
  const openRoom = (options: Record<string, unknown> = {}, workerId = 1): RoomEntry => {
    const room = directory.plan(DUEL, workerId, options);
    directory.open(room);
    return room;
  };
  return { time, directory, reserve, openRoom, closing };
}

/** What finding a room among so many costs: the best of many short runs, which whatever else the machine does leaves alone. */
function lookUpMs(rooms: number): number {
  const { directory, reserve } = setUp();
  for (let i = 0; i < rooms; i++) {
    const room = directory.plan(DUEL, 1, { mode: i % 100 });
    reserve(room, `s${i}`);
    if (i % 2 === 0) reserve(room, `t${i}`);
  }
  let bestMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 100; run++) {
    const startedAtMs = performance.now();
    for (let mode = 0; mode < 100; mode++) directory.find(DUEL, { mode });
    bestMs = Math.min(bestMs, (performance.now() - startedAtMs) / 100);
  }
  return bestMs;
}

/** The same JSON with the names of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, reordered(member)] as const)
      .reverse(),
  );
}

describe("matching by filter", () => {
  it("matches options that are deeply equal for every filtered name, and no others", () => {
    const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
    fc.assert(
      fc.property(json, json, json, (mode, map, other) => {
        const { directory } = setUp();
        const room = directory.plan(DUEL, 1, { mode, map, name: "not filtered" });
        expect(directory.find(DUEL, { map: reordered(map), mode: reordered(mode) })).toBe(room);
        const expected = isDeepStrictEqual(map, other) ? room : undefined;
        expect(directory.find(DUEL, { mode, map: other })).toBe(expected);
      }),
    );
  });

  it("stops at the seats that are for matching; the others are for who knows the room", () => {
    const { directory, reserve } = setUp();
    const table = { ...DUEL, maxClients: 4 };
    const room = directory.plan(table, 1, {});
    reserve(room, "a");
    expect(directory.find(table, {})).toBe(room);
    reserve(room, "b");
    expect(directory.find(table, {})).toBeUndefined();
    expect(room.seats.isFull).toBe(false);
    reserve(room, "watcher");
    room.seats.release("a", undefined);
    expect(directory.find(table, {})).toBeUndefined();
    room.seats.release("b", undefined);
    expect(directory.find(table, {})).toBe(room);
  });

  it("tells an absent option from null, and values from each other's places", () => {
    const { directory } = setUp();
    directory.plan(DUEL, 1, { mode: null, map: "a" });
    expect(directory.find(DUEL, { map: "a" })).toBeUndefined();
    expect(directory.find(DUEL, { mode: "a", map: null })).toBeUndefined();
    expect(directory.find(DUEL, { mode: "null", map: "a" })).toBeUndefined();
    expect(directory.find(DUEL, { mode: null, map: "a" })).toBeDefined();
  });

  it("is not fooled by names that objects have by themselves", () => {
    const { directory } = setUp();
    const type = { ...DUEL, filterBy: ["constructor", "__proto__"] };
    const room = directory.plan(type, 1, {});
    expect(directory.find(type, {})).toBe(room);
    expect(directory.find(type, JSON.parse('{"__proto__": 1}'))).toBeUndefined();
  });

  it("refuses options that nest too deeply to be compared", () => {
    const { directory } = setUp();
    const nested = JSON.parse("[".repeat(8_000) + "]".repeat(8_000));
    expect(() => directory.find(DUEL, { mode: nested })).toThrow(
      expect.objectContaining({ code: "BAD_REQUEST" }),
    );
  });

  it("offers the room that has had a free seat the longest", () => {
    const { directory, reserve, openRoom } = setUp();
    const [first, second] = [openRoom(), openRoom()];
    expect(directory.find(DUEL, {})).toBe(first);
    reserve(first, "a");
    expect(directory.find(DUEL, {})).toBe(first);
    reserve(first, "b");
    expect(directory.find(DUEL, {})).toBe(second);
    first.seats.release("a", undefined);
    expect(directory.find(DUEL, {})).toBe(second);
    directory.remove(second, new RookeryError("ROOM_CLOSED"));
    expect(directory.find(DUEL, {})).toBe(first);
  });

  it("offers no room that is locked or private, and offers it again afterwards", () => {
    const { directory, openRoom } = setUp();
    const room = openRoom();
    for (const closed of [{ locked: true }, { isPrivate: true }]) {
      directory.update(room, { ...LISTED, ...closed });
      expect(directory.find(DUEL, {})).toBeUndefined();
      directory.update(room, LISTED);
      expect(directory.find(DUEL, {})).toBe(room);
    }
  });

  it("does not look at every room: a look-up among 10,000 costs about what it costs among 100", () => {
    // A look at every room would cost a hundred times as much.
    expect(lookUpMs(10_000)).toBeLessThan(10 * lookUpMs(100));
  });
});

describe("codes", () => {
  it("have six unambiguous signs and are found in any case", () => {
    const { directory } = setUp();
    for (let i = 0; i < 500; i++) {
      const room = directory.plan(DUEL, 1, {});
      expect(room.code).toMatch(/^[2-9A-HJ-NP-Z]{6}$/);
      expect(directory.byCode(room.code.toLowerCase())).toBe(room);
    }
  });

  it("are unique among the rooms there are, even when chance repeats itself", () => {
    const { directory } = setUp(() => 0.999_999_999_9);
    const rooms = Array.from({ length: 20 }, () => directory.plan(DUEL, 1, {}));
    expect(new Set(rooms.map(({ code }) => code)).size).toBe(20);
    for (const room of rooms) expect(directory.byCode(room.code)).toBe(room);
  });
});

describe("life of an entry", () => {
  it("ends with the last seat while the room is only planned, not later", () => {
    const { directory, reserve } = setUp();
    const planned = directory.plan(DUEL, 1, {});
    reserve(planned, "a");
    reserve(planned, "b");
    planned.seats.release("a", undefined);
    expect(directory.get(planned.roomId)).toBe(planned);
    planned.seats.release("b", undefined);
    expect(directory.get(planned.roomId)).toBeUndefined();
    expect(directory.byCode(planned.code)).toBeUndefined();
    expect(directory.find(DUEL, {})).toBeUndefined();
    expect(directory.countOf(1)).toBe(0);

    const creating = directory.plan(DUEL, 1, {});
    reserve(creating, "c");
    creating.phase = "creating";
    creating.seats.release("c", undefined);
    expect(directory.get(creating.roomId)).toBe(creating);
  });

  it("closes once when an open room has no seat left, and not if the room is to stay", () => {
    const { directory, openRoom, reserve, closing } = setUp();
    const room = openRoom();
    reserve(room, "a");
    room.seats.release("a", undefined);
    expect(closing).toEqual([]);
    expect(directory.find(DUEL, {})).toBe(room);
    reserve(room, "b");
    directory.update(room, { ...LISTED, autoDispose: true });
    expect(closing).toEqual([]);
    room.seats.release("b", undefined);
    directory.update(room, { ...LISTED, autoDispose: true });
    expect(closing).toEqual([room.roomId]);
    expect(room.phase).toBe("closing");
    expect(directory.find(DUEL, {})).toBeUndefined();
    expect(directory.list()).toEqual([]);
  });

  it("closes as soon as a room opens that nobody waits for any more", () => {
    const { directory, reserve, closing } = setUp();
    const room = directory.plan({ ...DUEL, autoDispose: true }, 1, {});
    reserve(room, "a");
    room.phase = "creating";
    room.seats.release("a", undefined);
    expect(directory.find(DUEL, {})).toBe(room);
    expect(closing).toEqual([]);
    directory.open(room);
    expect(closing).toEqual([room.roomId]);
  });

  it("takes the seats with it and tells why", () => {
    const { time, directory, openRoom } = setUp();
    const room = openRoom();
    const reasons: unknown[] = [];
    room.seats.reserve("a", {}, 1_000, (reason) => reasons.push(reason));
    const reason = new RookeryError("ROOM_CLOSED");
    directory.remove(room, reason);
    expect(reasons).toEqual([reason]);
    expect(directory.bySession("a")).toBeUndefined();
    expect(time.pendingTimers).toBe(0);
    expect(directory.find(DUEL, {})).toBeUndefined();
  });

  it("is remembered for a minute when its worker is lost", async () => {
    const { time, directory, reserve, openRoom } = setUp();
    const [lost, kept] = [openRoom({}, 1), openRoom({}, 2)];
    reserve(lost, "a");
    reserve(kept, "b");
    directory.lose(lost, "ROOM_LOST");
    expect(directory.get(lost.roomId)).toBeUndefined();
    expect([lost.roomId, "a", kept.roomId, "b"].map((id) => directory.whyLost(id))).toEqual([
      "ROOM_LOST",
      "ROOM_LOST",
      undefined,
      undefined,
    ]);
    await time.advance(LOST_IDS_TTL_MS - 1);
    expect(directory.whyLost("a")).toBe("ROOM_LOST");
    await time.advance(1);
    expect(directory.whyLost("a")).toBeUndefined();
  });
});

describe("listing", () => {
  it("shows open, public rooms, of one type or all", () => {
    const { directory, openRoom, reserve } = setUp();
    const shown = openRoom();
    reserve(shown, "a");
    directory.update(shown, { ...LISTED, locked: true, metadata: { title: "x" } });
    directory.update(openRoom(), { ...LISTED, isPrivate: true });
    directory.plan(DUEL, 1, {});
    const row = {
      roomId: shown.roomId,
      type: "duel",
      clients: 1,
      maxClients: 2,
      locked: true,
      metadata: { title: "x" },
    };
    expect(directory.list()).toEqual([row]);
    expect(directory.list("duel")).toEqual([row]);
    expect(directory.list("other")).toEqual([]);
  });

  it("has an end", () => {
    const { directory, openRoom } = setUp();
    for (let i = 0; i < 1_100; i++) openRoom();
    expect(directory.list()).toHaveLength(1_000);
    expect(directory.stats().rooms.open).toBe(1_100);
  });
});
