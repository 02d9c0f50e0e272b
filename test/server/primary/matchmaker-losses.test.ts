import { describe, expect, it } from "vitest";
import type { RoomTypeInfo } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import {
  createHarness,
  expectRefused,
  JOURNALED,
  joined,
  NO_ROOMS,
  NO_SEATS,
  refusal,
} from "./matchmaker-harness.ts";

describe("rooms without seats", () => {
  it("are disposed of once; until that is done they take nobody", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness, "arena");
    const left = { type: "session-left" as const, roomId, sessionId };
    harness.matchmaker.onWorkerMessage(workerId, left);
    harness.matchmaker.onWorkerMessage(workerId, left);
    expect(harness.disposals()).toEqual([{ type: "dispose-room", workerId, roomId }]);
    await expectRefused(harness.join("arena", { mode: "join" }), "ROOM_NOT_FOUND");
    await expectRefused(harness.join("arena", { mode: "joinById", roomId }), "ROOM_NOT_FOUND");
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, closing: 1 });
    harness.matchmaker.onWorkerMessage(workerId, { type: "session-joined", roomId, sessionId });
    expect(harness.seats()).toEqual(NO_SEATS);
    for (let times = 0; times < 2; times++) {
      harness.matchmaker.onWorkerMessage(workerId, { type: "room-disposed", roomId });
    }
    expect(harness.rooms()).toEqual(NO_ROOMS);
    expect(harness.warnings).toEqual([]);
  });

  it("stay while a ticket is out, even when the last client has left", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness, "arena");
    const ticket = await harness.join("arena");
    harness.matchmaker.onWorkerMessage(workerId, { type: "session-left", roomId, sessionId });
    expect(harness.disposals()).toEqual([]);
    expect(harness.matchmaker.redeem(roomId, ticket.sessionId).workerId).toBe(workerId);
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, open: 1 });
  });

  it("go when the last ticket expires", async () => {
    const harness = createHarness();
    const join = harness.join("arena");
    await harness.answerAll();
    const { roomId } = await join;
    await harness.time.advance(LIMITS.ticketTtlMs);
    expect(harness.disposals()).toMatchObject([{ roomId }]);
  });
});

describe("lost workers", () => {
  it("are remembered for the sessions they had", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness);
    harness.loseWorker(workerId);
    expect(harness.seats()).toEqual(NO_SEATS);
    expect(refusal(() => harness.matchmaker.resume(sessionId))).toBe("ROOM_LOST");
    expect(refusal(() => harness.matchmaker.redeem(roomId, sessionId))).toBe("ROOM_LOST");
    await expectRefused(harness.join("open", { mode: "joinById", roomId }), "ROOM_LOST");
    await harness.time.advance(60_000);
    expect(refusal(() => harness.matchmaker.resume(sessionId))).toBe("SESSION_NOT_FOUND");
    await expectRefused(harness.join("open", { mode: "joinById", roomId }), "ROOM_NOT_FOUND");
  });

  it.each([
    ["another has taken its room over", "journal" as const],
    ["its room is lost", "none" as const],
  ])("from the first sign on, who comes back waits until %s", async (_what, durability) => {
    const type: RoomTypeInfo = { ...JOURNALED, durability };
    const harness = createHarness({ roomTypes: [type] });
    const { roomId, sessionId, workerId } = await joined(harness, type.name);
    harness.matchmaker.onWorkerEnding(workerId);
    let outcome: unknown = "waits";
    harness.matchmaker.whenOpen(sessionId).then(
      () => {
        outcome = harness.matchmaker.resume(sessionId).workerId;
      },
      ({ code }) => {
        outcome = code;
      },
    );
    await harness.time.settle();
    expect(outcome).toBe("waits");
    harness.loseWorker(workerId);
    if (durability === "journal") {
      const taken = { type: "room-created", roomId, failure: undefined, sessionIds: [sessionId] } as const;
      harness.matchmaker.onWorkerMessage(3 - workerId, taken);
    }
    await harness.time.settle();
    expect(outcome).toBe(durability === "journal" ? 3 - workerId : "ROOM_LOST");
  });

  it.each(["open", "guarded"])(
    "do not fail a joinOrCreate under way: it goes to another (%s)",
    async (type) => {
      const harness = createHarness();
      const join = harness.join(type);
      await harness.time.settle();
      const [lost] = [...harness.creates(), ...harness.authorizations()];
      harness.loseWorker(lost?.workerId ?? 0);
      await harness.answerAll();
      const { workerId, roomId, sessionId } = await join;
      expect(workerId).not.toBe(lost?.workerId);
      expect(harness.matchmaker.redeem(roomId, sessionId).workerId).toBe(workerId);
    },
  );

  it("end a join even when the answer it waited for has come in the same turn", async () => {
    const harness = createHarness({ workers: [1] });
    const waiting = [harness.join("open", { mode: "create" }), harness.join("guarded", { mode: "create" })];
    await harness.time.settle();
    const roomId = harness.creates()[0]?.roomId ?? "";
    const requestId = harness.authorizations()[0]?.requestId ?? 0;
    const result = { auth: new Uint8Array() };
    harness.matchmaker.onWorkerMessage(1, {
      type: "room-created",
      roomId,
      failure: undefined,
      sessionIds: [],
    });
    harness.matchmaker.onWorkerMessage(1, { type: "authorized", requestId, result });
    harness.loseWorker(1);
    for (const join of waiting) await expectRefused(join, "ROOM_LOST");
    expect(harness.creates()).toHaveLength(1);
  });

  it("fail it the second time, and all other joins the first time", async () => {
    const harness = createHarness({ workers: [1, 2, 3] });
    const joins = [harness.join("open"), harness.join("open", { mode: "create" })];
    await harness.time.settle();
    for (let times = 0; times < 2; times++) {
      for (const { workerId } of harness.creates()) {
        if (harness.readyWorkers.size > 1) harness.loseWorker(workerId);
        else harness.matchmaker.onWorkerLost(workerId);
      }
      await harness.time.settle();
    }
    for (const join of joins) await expectRefused(join, "ROOM_LOST");
    expect(harness.matchmaker.stats()).toMatchObject({ seats: NO_SEATS, joinsPending: 0 });
  });

  it("leave a join without a worker to go to", async () => {
    const harness = createHarness({ workers: [1] });
    const join = harness.join("open");
    await harness.time.settle();
    harness.loseWorker(1);
    await expectRefused(join, "SERVER_BUSY");
  });

  it("do not lengthen the deadline: the second attempt has what the first has left", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.time.advance(LIMITS.joinDeadlineMs - 1_000);
    harness.loseWorker(harness.creates()[0]?.workerId ?? 0);
    await harness.time.advance(999);
    expect(harness.matchmaker.stats().joinsPending).toBe(1);
    await harness.time.advance(1);
    await expectRefused(join, "TIMEOUT");
  });
});

/** Rooms of the first outlive their workers. */
const WRITTEN_DOWN: readonly RoomTypeInfo[] = [
  { ...JOURNALED, name: "written" },
  { ...JOURNALED, name: "fleeting", durability: "none" },
];

/** A room with a client whose socket the primary retains. */
async function withSocket(roomType: string, workers: number[]) {
  const harness = createHarness({ workers, roomTypes: WRITTEN_DOWN });
  const { roomId, sessionId, workerId } = await joined(harness, roomType);
  harness.sockets.set(roomId, [sessionId]);
  harness.followed.length = 0;
  return { harness, roomId, sessionId, workerId };
}

describe("sockets that outlive their worker", () => {
  it("follow their room: it is told who comes before they are sent", async () => {
    const { harness, roomId, sessionId, workerId } = await withSocket("written", [1, 2]);
    harness.order.length = 0;
    harness.loseWorker(workerId);
    const other = workerId === 1 ? 2 : 1;
    expect(harness.creates()).toMatchObject([{ workerId: other, roomId, epoch: 2, survivors: [sessionId] }]);
    expect(harness.followed).toEqual([{ roomId, workerId: other }]);
    expect(harness.order).toEqual(["create-room", "sockets"]);
    expect(harness.closedSockets).toEqual([]);
    harness.matchmaker.onWorkerMessage(other, {
      type: "room-created",
      roomId,
      failure: undefined,
      sessionIds: [sessionId],
    });
    expect(harness.matchmaker.resume(sessionId)).toEqual({ workerId: other, roomId });
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, open: 1 });
  });

  it("wait with their room for a worker, when there is none", async () => {
    const { harness, roomId } = await withSocket("written", [1]);
    harness.loseWorker(1);
    expect([harness.creates(), harness.followed, harness.closedSockets]).toEqual([[], [], []]);
    // One that has closed meanwhile does not follow.
    harness.sockets.set(roomId, []);
    harness.readyWorkers.add(2);
    harness.matchmaker.onWorkerReady(2, WRITTEN_DOWN);
    expect(harness.creates()).toMatchObject([{ workerId: 2, roomId, survivors: [] }]);
    expect(harness.followed).toEqual([{ roomId, workerId: 2 }]);
  });

  it("follow it again when the next worker dies before it has taken the room over", async () => {
    const { harness, roomId, sessionId, workerId } = await withSocket("written", [1, 2, 3]);
    harness.loseWorker(workerId);
    const second = harness.creates()[0]?.workerId ?? 0;
    harness.loseWorker(second);
    const third = 6 - workerId - second;
    expect(harness.creates()[1]).toMatchObject({ workerId: third, epoch: 3, survivors: [sessionId] });
    expect(harness.followed).toEqual([
      { roomId, workerId: second },
      { roomId, workerId: third },
    ]);
    expect(harness.closedSockets).toEqual([]);
  });

  it("are closed with a room that is not written down", async () => {
    const { harness, roomId, workerId } = await withSocket("fleeting", [1, 2]);
    harness.loseWorker(workerId);
    expect([harness.closedSockets, harness.followed]).toEqual([[roomId], []]);
  });

  it("are closed with a room that was about to end", async () => {
    const { harness, roomId, sessionId, workerId } = await withSocket("written", [1, 2]);
    harness.matchmaker.onWorkerMessage(workerId, { type: "session-left", roomId, sessionId });
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, closing: 1 });
    harness.loseWorker(workerId);
    expect(harness.closedSockets).toEqual([roomId]);
    // Another worker takes it over, to end it.
    const other = workerId === 1 ? 2 : 1;
    expect(harness.creates()).toMatchObject([{ workerId: other, roomId, epoch: 2 }]);
    await expectRefused(harness.join("written", { mode: "joinById", roomId }), "ROOM_NOT_FOUND");
    const created = { type: "room-created" as const, roomId, failure: undefined, sessionIds: [] };
    harness.matchmaker.onWorkerMessage(other, created);
    expect(harness.disposals().at(-1)).toMatchObject({ workerId: other, roomId });
    harness.matchmaker.onWorkerMessage(other, { type: "room-disposed", roomId });
    expect(harness.rooms()).toEqual(NO_ROOMS);
  });

  it("of a new room there are none", async () => {
    const harness = createHarness({ workers: [1], roomTypes: WRITTEN_DOWN });
    const join = harness.join("written");
    await harness.time.settle();
    expect(harness.creates()).toMatchObject([{ epoch: 1, survivors: [] }]);
    await harness.answerAll();
    await join;
  });
});

describe("messages", () => {
  it("about a room are ignored from a worker that does not own it", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness);
    const other = workerId === 1 ? 2 : 1;
    harness.matchmaker.onWorkerMessage(other, { type: "session-left", roomId, sessionId });
    harness.matchmaker.onWorkerMessage(other, { type: "room-disposed", roomId });
    harness.matchmaker.onWorkerMessage(other, {
      type: "room-updated",
      roomId,
      locked: true,
      isPrivate: true,
      autoDispose: true,
      metadata: null,
    });
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
    expect(harness.matchmaker.list()).toMatchObject([{ roomId, locked: false }]);
    expect(harness.warnings).toHaveLength(3);
  });

  it("that answer nothing change nothing: another worker's answer, a room created twice", async () => {
    const harness = createHarness();
    const join = harness.join("guarded");
    await harness.time.settle();
    const { workerId = 0, requestId = 0 } = harness.authorizations()[0] ?? {};
    const result = { auth: new Uint8Array() };
    harness.matchmaker.onWorkerMessage(workerId + 1, { type: "authorized", requestId, result });
    await harness.time.settle();
    expect(harness.creates()).toEqual([]);
    await harness.answerAll();
    const { roomId } = await join;
    const failure = { code: "ROOM_CREATE_FAILED", message: "" } as const;
    harness.matchmaker.onWorkerMessage(workerId, { type: "room-created", roomId, failure, sessionIds: [] });
    expect(harness.rooms().open).toBe(1);
    expect(harness.warnings).toEqual(["room created that was not asked for"]);
  });
});

describe("draining", () => {
  it("ends joins under way and refuses whatever comes", async () => {
    const harness = createHarness();
    const { roomId, sessionId } = await joined(harness);
    const waiting = [harness.join("open", { mode: "create" }), harness.join("guarded")];
    await harness.time.settle();
    harness.matchmaker.drain();
    for (const join of waiting) await expectRefused(join, "SERVER_SHUTTING_DOWN");
    await expectRefused(harness.join("open"), "SERVER_SHUTTING_DOWN");
    expect(refusal(() => harness.matchmaker.redeem(roomId, sessionId))).toBe("SERVER_SHUTTING_DOWN");
    expect(refusal(() => harness.matchmaker.resume(sessionId))).toBe("SERVER_SHUTTING_DOWN");
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
  });

  it("makes no second attempt for a join whose worker is lost at the same moment", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.time.settle();
    harness.loseWorker(harness.creates()[0]?.workerId ?? 0);
    harness.matchmaker.drain();
    await expectRefused(join, "SERVER_SHUTTING_DOWN");
    expect(harness.creates()).toHaveLength(1);
  });
});
