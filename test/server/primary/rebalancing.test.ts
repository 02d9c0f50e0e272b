/** Rooms move to a worker that has become ready beside others, one after the other, whatever happens meanwhile. */
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import type { Admission } from "../../../server/primary/matchmaker.ts";
import { createHarness, type Harness, JOURNALED, joined, refusal } from "./matchmaker-harness.ts";

const SPREAD = "rooms are spread over the workers";

let harness: Harness;
/** Who has a seat, by room. */
let members: Map<string, string[]>;
/** Requests to leave that have been looked at. */
let looked: number;
beforeEach(() => {
  members = new Map();
  looked = 0;
  harness = createHarness({
    workers: [1],
    roomTypes: [JOURNALED, { ...JOURNALED, name: "fleeting", durability: "none" }],
  });
});

/** Rooms with so many clients each. */
async function rooms(...clients: number[]): Promise<string[]> {
  const ids: string[] = [];
  for (const count of clients) {
    const { roomId, sessionId } = await joined(harness, "match");
    members.set(roomId, [sessionId]);
    for (let i = 1; i < count; i++) await seated(roomId);
    ids.push(roomId);
    lock(roomId, true);
  }
  for (const roomId of ids) lock(roomId, false);
  return ids;
}

async function seated(roomId: string): Promise<Admission> {
  const admission = await harness.join("match", { mode: "joinById", roomId });
  const { sessionId, workerId } = admission;
  harness.matchmaker.redeem(roomId, sessionId);
  harness.matchmaker.onWorkerMessage(workerId, { type: "session-joined", roomId, sessionId });
  members.get(roomId)?.push(sessionId);
  return admission;
}

function lock(roomId: string, locked: boolean): void {
  const update = {
    type: "room-updated",
    locked,
    isPrivate: false,
    autoDispose: true,
    metadata: null,
  } as const;
  harness.matchmaker.onWorkerMessage(workerOf(roomId), { ...update, roomId });
}

/** Another worker is ready, and the rooms begin to move. */
async function ready(workerId = 2): Promise<void> {
  harness.readyWorkers.add(workerId);
  harness.matchmaker.onWorkerReady(workerId, []);
  await harness.time.advance(LIMITS.rebalanceAfterMs);
}

/** The next room that is asked to leave its worker. */
function asked(): string {
  const release = harness.releases()[looked];
  if (release === undefined) throw new Error("no room is asked to leave");
  looked += 1;
  return release.roomId;
}

async function letGo(roomId: string, connectionIds: number[] = [], workerId = 1): Promise<void> {
  harness.matchmaker.onWorkerMessage(workerId, { type: "room-released", roomId, connectionIds });
  await harness.time.settle();
}

async function opens(roomId: string, workerId: number): Promise<void> {
  const sessionIds = members.get(roomId) ?? [];
  const taken = { type: "room-created", roomId, failure: undefined, sessionIds } as const;
  harness.matchmaker.onWorkerMessage(workerId, taken);
  await harness.time.advance(0);
}

/** Plays the workers' part until nothing more moves. @returns the rooms that have moved */
async function moveAll(): Promise<string[]> {
  const moved: string[] = [];
  while (harness.releases().length > looked) {
    const roomId = asked();
    const from = harness.matchmaker.workerOf(roomId);
    await letGo(roomId, [], from);
    await opens(roomId, harness.matchmaker.workerOf(roomId));
    moved.push(roomId);
  }
  return moved;
}

const workerOf = (roomId: string) => harness.matchmaker.workerOf(roomId);

describe("a worker that is ready", () => {
  test("gets half of the clients, a room after the other, with their sockets", async () => {
    const ids = await rooms(3, 3, 3, 3);
    await ready();
    expect(harness.releases()).toHaveLength(1);
    const first = asked();
    harness.sockets.set(first, ["a", "b"]);
    await letGo(first, [7, 9]);
    expect(harness.kept).toEqual([{ roomId: first, connectionIds: [7, 9] }]);
    expect(harness.creates().at(-1)).toMatchObject({
      workerId: 2,
      roomId: first,
      epoch: 2,
      survivors: ["a", "b"],
    });
    expect(harness.followed).toContainEqual({ roomId: first, workerId: 2 });
    // The next one waits until that is open.
    expect(harness.releases()).toHaveLength(1);
    await opens(first, 2);
    expect(await moveAll()).toHaveLength(1);
    expect(ids.map(workerOf).toSorted()).toEqual([1, 1, 2, 2]);
    expect(harness.notes).toEqual([{ fields: { moved: 2 }, message: SPREAD }]);
  });

  test("gets them only after a while, in which others become ready as well", async () => {
    const ids = await rooms(2, 2, 2);
    harness.readyWorkers.add(2);
    harness.matchmaker.onWorkerReady(2, []);
    await harness.time.advance(LIMITS.rebalanceAfterMs - 1);
    harness.readyWorkers.add(3);
    harness.matchmaker.onWorkerReady(3, []);
    await harness.time.advance(LIMITS.rebalanceAfterMs - 1);
    expect(harness.releases()).toEqual([]);
    await harness.time.advance(1);
    await moveAll();
    expect(ids.map(workerOf).toSorted()).toEqual([1, 2, 3]);
  });

  test.each([
    ["with one room only", [3]],
    ["with a room that would be all of it", [4, 1]],
  ])("gets none %s, or only what evens out", async (_what, clients) => {
    const ids = await rooms(...clients);
    await ready();
    const moved = await moveAll();
    // Whoever has the large room keeps it.
    expect(workerOf(ids[0] ?? "")).toBe(1);
    expect(moved).toEqual(ids.slice(1));
  });

  test("gets what evens out most, so that few rooms move", async () => {
    const [, , large] = await rooms(1, 1, 3);
    await ready();
    expect(await moveAll()).toEqual([large]);
  });

  test("gets those that a death has displaced first", async () => {
    harness = createHarness({ workers: [1, 2], roomTypes: [JOURNALED] });
    const ids = await rooms(2, 2, 2, 2);
    const own = ids.filter((id) => workerOf(id) === 2);
    const displaced = ids.filter((id) => workerOf(id) === 1);
    expect(own).toHaveLength(2);
    harness.loseWorker(1);
    for (const id of displaced) await opens(id, 2);
    await ready(3);
    expect((await moveAll()).toSorted()).toEqual(displaced.toSorted());
    // Where they are now is their place: the next death displaces others.
    harness.loseWorker(2);
    for (const id of own) await opens(id, 3);
    await ready(4);
    expect((await moveAll()).toSorted()).toEqual(own.toSorted());
  });

  test("leaves the others alone while one that was displaced is busy, until the last attempt", async () => {
    harness = createHarness({ workers: [1, 2], roomTypes: [JOURNALED] });
    const ids = await rooms(2, 2, 2, 2);
    const displaced = ids.filter((id) => workerOf(id) === 1);
    for (const roomId of displaced) harness.busy.add(roomId);
    harness.loseWorker(1);
    for (const id of displaced) await opens(id, 2);
    await ready(3);
    await harness.time.advance(2 * LIMITS.rebalanceAgainMs);
    expect(harness.releases()).toEqual([]);
    await harness.time.advance(LIMITS.rebalanceAgainMs);
    const moved = await moveAll();
    expect(moved).toHaveLength(2);
    expect(moved.filter((id) => displaced.includes(id))).toEqual([]);
  });

  test("gets one that was displaced first in the last attempt, too, though others even out more", async () => {
    harness = createHarness({ workers: [1, 2], roomTypes: [JOURNALED] });
    const ids = await rooms(1, 3, 1, 3);
    const own = ids.filter((id) => workerOf(id) === workerOf(ids[1] ?? ""));
    const displaced = ids.filter((id) => !own.includes(id));
    const home = workerOf(displaced[0] ?? "");
    for (const roomId of displaced) harness.busy.add(roomId);
    harness.loseWorker(home);
    for (const id of displaced) await opens(id, 3 - home);
    await ready(3);
    await harness.time.advance(2 * LIMITS.rebalanceAgainMs);
    harness.busy.clear();
    for (const roomId of displaced.slice(1)) harness.busy.add(roomId);
    await harness.time.advance(LIMITS.rebalanceAgainMs);
    expect((await moveAll())[0]).toBe(displaced[0]);
  });

  test("knows as displaced what the last death has displaced, not one before it", async () => {
    harness = createHarness({ workers: [1, 2], roomTypes: [JOURNALED] });
    const ids = await rooms(2, 2, 2);
    const home = [1, 2].find((workerId) => ids.filter((id) => workerOf(id) === workerId).length === 2) ?? 0;
    const away = 3 - home;
    const displaced = ids.filter((id) => workerOf(id) === home);
    harness.loseWorker(home);
    for (const id of displaced) await opens(id, away);
    await ready(3);
    const moved = await moveAll();
    // The other one stays, since nothing is gained by a second move: it is at home there.
    expect(moved).toHaveLength(1);
    expect(displaced).toContain(moved[0]);
    harness.loseWorker(3);
    for (const id of moved) await opens(id, away);
    await ready(4);
    expect(await moveAll()).toEqual(moved);
  });

  test("may die while a displaced room is on its way: that goes first the next time, too", async () => {
    harness = createHarness({ workers: [1, 2], roomTypes: [JOURNALED] });
    const ids = await rooms(2, 2, 2, 2);
    const displaced = ids.filter((id) => workerOf(id) === 1);
    harness.loseWorker(1);
    for (const id of displaced) await opens(id, 2);
    await ready(3);
    const moving = asked();
    expect(displaced).toContain(moving);
    harness.loseWorker(3);
    await letGo(moving, [], 2);
    expect(workerOf(moving)).toBe(2);
    await opens(moving, 2);
    await ready(4);
    expect((await moveAll()).toSorted()).toEqual(displaced.toSorted());
  });

  test("gets no room that dies with its worker", async () => {
    for (let i = 0; i < 3; i++) {
      const create = harness.join("fleeting", { mode: "create" });
      await harness.answerAll();
      await create;
    }
    await ready();
    expect(harness.releases()).toEqual([]);
  });
});

describe("while a room moves", () => {
  test("who joins it or comes back waits, and gets to where it is then", async () => {
    await rooms(2, 2);
    await ready();
    const moving = asked();
    const [sessionId = ""] = members.get(moving) ?? [];
    const join = harness.join("match", { mode: "joinById", roomId: moving });
    const isOpen = harness.matchmaker.whenOpen(moving);
    let isSettled = false;
    void Promise.all([join, isOpen]).then(() => {
      isSettled = true;
    });
    await letGo(moving);
    expect(isSettled).toBe(false);
    await opens(moving, 2);
    expect((await join).workerId).toBe(2);
    expect(harness.matchmaker.resume(sessionId).workerId).toBe(2);
  });

  test("it is listed, and so is one that is taken over", async () => {
    const ids = await rooms(2, 2);
    await ready();
    expect(harness.matchmaker.list("match")).toHaveLength(2);
    harness.loseWorker(1);
    expect(harness.matchmaker.list("match").map(({ roomId }) => roomId)).toEqual(ids);
  });

  test("its worker may keep it: it is open as before, and is asked again a while later", async () => {
    const ids = await rooms(2, 2);
    await ready();
    const kept = [asked()];
    await opens(kept[0] ?? "", 1);
    kept.push(asked());
    await opens(kept[1] ?? "", 1);
    expect(kept.toSorted()).toEqual(ids.toSorted());
    expect(harness.releases()).toHaveLength(2);
    expect(ids.map(workerOf)).toEqual([1, 1]);
    expect(harness.rooms().open).toBe(2);
    await harness.time.advance(LIMITS.rebalanceAgainMs);
    expect(await moveAll()).toHaveLength(1);
    expect(harness.notes).toEqual([{ fields: { moved: 1 }, message: SPREAD }]);
  });

  test("one that is busy is not asked; the attempts have an end", async () => {
    const ids = await rooms(2, 2);
    for (const roomId of ids) harness.busy.add(roomId);
    await ready();
    for (let round = 0; round < 10; round++) await harness.time.advance(LIMITS.rebalanceAgainMs);
    expect(harness.releases()).toEqual([]);
    expect(harness.notes).toEqual([{ fields: { moved: 0 }, message: "rooms could not be spread evenly" }]);
    expect(harness.time.pendingTimers).toBe(0);
    // Another chance comes with the next worker.
    harness.busy.clear();
    await ready(3);
    expect(await moveAll()).toHaveLength(1);
  });

  test("its worker may die: it is taken over like all the others", async () => {
    const ids = await rooms(2, 2);
    await ready();
    harness.loseWorker(1);
    expect(ids.map(workerOf)).toEqual([2, 2]);
    for (const roomId of ids) await opens(roomId, 2);
    expect(harness.rooms().open).toBe(2);
  });

  test("where it was to go may be gone: it goes back to one that is there", async () => {
    await rooms(2, 2);
    await ready();
    const moving = asked();
    harness.loseWorker(2);
    await letGo(moving);
    expect(harness.creates().at(-1)).toMatchObject({ workerId: 1, roomId: moving, epoch: 2 });
    await opens(moving, 1);
    expect(harness.rooms().open).toBe(2);
  });

  test("no worker may be there: the next one takes it", async () => {
    await rooms(2, 2);
    await ready();
    const moving = asked();
    harness.readyWorkers.clear();
    await letGo(moving);
    expect(refusal(() => workerOf(moving))).toBe("no error");
    harness.readyWorkers.add(3);
    harness.matchmaker.onWorkerReady(3, []);
    expect(harness.creates().at(-1)).toMatchObject({ workerId: 3, roomId: moving });
  });

  test("it may end: its place is taken by the next", async () => {
    const ids = await rooms(1, 1, 1);
    await ready();
    const ending = asked();
    harness.matchmaker.onWorkerMessage(1, { type: "room-disposed", roomId: ending });
    await harness.time.advance(0);
    expect(refusal(() => workerOf(ending))).toBe("ROOM_NOT_FOUND");
    const [next = "", ...more] = await moveAll();
    expect(more).toEqual([]);
    expect(ids.filter((roomId) => roomId !== ending)).toContain(next);
    expect(workerOf(next)).toBe(2);
  });

  test("its last client may leave: it ends at the other worker", async () => {
    const ids = await rooms(1, 1);
    await ready();
    const moving = asked();
    expect(ids).toContain(moving);
    members.set(moving, []);
    await letGo(moving);
    await opens(moving, 2);
    expect(harness.disposals()).toEqual([{ type: "dispose-room", workerId: 2, roomId: moving }]);
  });

  test("the server may shut down: it waits for the room, for a while, and moves no other", async () => {
    await rooms(2, 2, 2, 2);
    await ready();
    const moving = asked();
    await letGo(moving);
    let isDrained = false;
    void harness.matchmaker.drain().then(() => {
      isDrained = true;
    });
    await harness.time.advance(LIMITS.moveMs - 1);
    expect(isDrained).toBe(false);
    await opens(moving, 2);
    expect(isDrained).toBe(true);
    await harness.time.advance(LIMITS.rebalanceAgainMs);
    expect(harness.releases()).toHaveLength(1);
    expect(harness.time.pendingTimers).toBe(0);
  });

  test("a shutdown does not wait for a room that nobody opens, nor when none moves", async () => {
    await harness.matchmaker.drain();
    harness = createHarness({ workers: [1], roomTypes: [JOURNALED] });
    await rooms(2, 2);
    await ready();
    const drained = harness.matchmaker.drain();
    await harness.time.advance(LIMITS.moveMs);
    await drained;
  });
});
