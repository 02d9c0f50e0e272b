import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import {
  createHarness,
  expectRefused,
  joined,
  NO_ROOMS,
  NO_SEATS,
  refusal,
  WALL_CLOCK_AT_START,
} from "./matchmaker-harness.ts";

describe("join pipeline", () => {
  it("creates a room once for all who wait for it, and admits them when it is open", async () => {
    const harness = createHarness();
    const joins = [harness.join("open"), harness.join("open")];
    await harness.time.settle();
    expect(harness.creates()).toHaveLength(1);
    expect(harness.creates()[0]).toMatchObject({ roomType: "open", options: {}, epoch: 1 });
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, creating: 1 });

    await harness.answerAll();
    const [first, second] = await Promise.all(joins);
    expect(first?.roomId).toBe(second?.roomId);
    expect(first?.sessionId).not.toBe(second?.sessionId);
    expect(first?.expiresAt).toBe(WALL_CLOCK_AT_START + LIMITS.ticketTtlMs);
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, open: 1 });
    expect(harness.seats()).toEqual({ ...NO_SEATS, reserved: 2 });
  });

  it("asks onAuth first, creates the room only then, and hands the result to the worker with the seat", async () => {
    const harness = createHarness();
    const join = harness.join("guarded", { token: "t", options: { a: 1 }, address: "10.0.0.1", origin: "o" });
    await harness.time.settle();
    expect(harness.creates()).toEqual([]);
    expect(harness.authorizations()[0]?.request).toEqual({
      roomType: "guarded",
      token: "t",
      options: { a: 1 },
      address: "10.0.0.1",
      origin: "o",
    });
    const auth = new Uint8Array([1, 2, 3]);
    await harness.answerAll(auth);
    const { roomId, sessionId, workerId } = await join;
    expect(harness.matchmaker.redeem(roomId, sessionId)).toEqual({
      workerId,
      passenger: { kind: "join", options: { a: 1 }, auth },
    });
  });

  it("admits at once to a room that is open: without a message to its worker, for as long as a ticket lasts", async () => {
    const harness = createHarness();
    const { roomId } = await joined(harness, "arena");
    const options = { colour: "red" };
    const { sessionId, workerId, ...admission } = await harness.join("arena", { options });
    expect(admission).toEqual({ roomId, expiresAt: WALL_CLOCK_AT_START + LIMITS.ticketTtlMs });
    expect([harness.creates(), harness.authorizations()]).toEqual([[], []]);
    expect(harness.seats()).toEqual({ ...NO_SEATS, reserved: 1, joined: 1 });
    await harness.time.advance(LIMITS.ticketTtlMs - 1);
    expect(harness.matchmaker.redeem(roomId, sessionId)).toEqual({
      workerId,
      passenger: { kind: "join", options, auth: undefined },
    });
    // It has a ticket, and can come again.
    harness.matchmaker.handoffFailed(roomId, sessionId);
    expect(harness.seats()).toEqual({ ...NO_SEATS, reserved: 1, joined: 1 });
    await harness.time.advance(LIMITS.ticketTtlMs);
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
  });

  it("admits at once in the handshake, too: the seat is free as soon as the hand-off has failed", async () => {
    const harness = createHarness();
    const { roomId } = await joined(harness, "arena");
    const { sessionId } = await harness.join("arena", { isHandshake: true });
    harness.matchmaker.redeem(roomId, sessionId);
    harness.matchmaker.handoffFailed(roomId, sessionId);
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
  });

  it("asks onAuth for each who joins a room that is open", async () => {
    const harness = createHarness();
    const { roomId } = await joined(harness, "guarded");
    const join = harness.join("guarded");
    await harness.time.settle();
    expect(harness.authorizations()).toHaveLength(1);
    await harness.answerAll();
    expect((await join).roomId).toBe(roomId);
  });

  it("plans nothing for good when onAuth refuses", async () => {
    const harness = createHarness();
    const join = harness.join("guarded");
    await harness.time.settle();
    const [asked] = harness.authorizations();
    harness.matchmaker.onWorkerMessage(asked?.workerId ?? 0, {
      type: "authorized",
      requestId: asked?.requestId ?? 0,
      result: { failure: { code: "UNAUTHORIZED", message: "Unknown player." } },
    });
    await expect(join).rejects.toMatchObject({ code: "UNAUTHORIZED", message: "Unknown player." });
    expect(harness.creates()).toEqual([]);
    expect(harness.rooms()).toEqual(NO_ROOMS);
    expect(harness.time.pendingTimers).toBe(0);
  });

  it("goes on with the others of a planned room when the one that planned it is refused", async () => {
    const harness = createHarness();
    const [refused, admitted] = [harness.join("guarded"), harness.join("guarded")];
    await harness.time.settle();
    const [asked] = harness.authorizations();
    harness.matchmaker.onWorkerMessage(asked?.workerId ?? 0, {
      type: "authorized",
      requestId: asked?.requestId ?? 0,
      result: { failure: { code: "UNAUTHORIZED", message: "" } },
    });
    await expectRefused(refused, "UNAUTHORIZED");
    await harness.answerAll();
    await expect(admitted).resolves.toMatchObject({ workerId: asked?.workerId });
    expect(harness.rooms().open).toBe(1);
  });

  it("times out when onAuth is silent, gives the seat back and ignores the late answer", async () => {
    const harness = createHarness();
    const join = harness.join("guarded");
    await harness.time.advance(LIMITS.joinDeadlineMs - 1);
    expect(harness.seats().reserved).toBe(1);
    await harness.time.advance(1);
    await expectRefused(join, "TIMEOUT");
    expect(harness.seats()).toEqual(NO_SEATS);
    await harness.answerAll();
    expect(harness.rooms()).toEqual(NO_ROOMS);
    expect(harness.warnings).toEqual([]);
  });

  it("times out when the room is slow; one that opens late takes the next joins", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.time.advance(LIMITS.joinDeadlineMs);
    await expectRefused(join, "TIMEOUT");
    await harness.answerAll();
    await expect(harness.join("open")).resolves.toBeDefined();
    expect(harness.rooms()).toEqual({ ...NO_ROOMS, open: 1 });
  });

  it("fails all who wait for a room that could not be created", async () => {
    const harness = createHarness();
    const joins = [harness.join("open"), harness.join("open")];
    await harness.time.settle();
    const [create] = harness.creates();
    harness.matchmaker.onWorkerMessage(create?.workerId ?? 0, {
      type: "room-created",
      sessionIds: [],
      roomId: create?.roomId ?? "",
      failure: { code: "ROOM_CREATE_FAILED", message: "onCreate threw." },
    });
    for (const join of joins) await expectRefused(join, "ROOM_CREATE_FAILED");
    expect(harness.matchmaker.stats()).toEqual({
      rooms: NO_ROOMS,
      seats: NO_SEATS,
      joinsPending: 0,
      authorizationsPending: 0,
    });
  });

  it("refuses joins above the limit of those under way, and takes them again later", async () => {
    const harness = createHarness();
    const joins = Array.from({ length: LIMITS.joinsPendingMax }, () => harness.join("arena"));
    await expectRefused(harness.join("arena"), "SERVER_BUSY");
    await harness.answerAll();
    await Promise.all(joins);
    await expect(Promise.all([harness.join("arena"), harness.answerAll()])).resolves.toBeDefined();
  });

  it("is busy while no worker is ready, and before any worker has told its room types", async () => {
    const harness = createHarness({ workers: [] });
    await expectRefused(harness.join("open"), "SERVER_BUSY");
    await expectRefused(createHarness({ roomTypes: [] }).join("open"), "SERVER_BUSY");
  });
});

describe("modes", () => {
  it("`create` always makes a room, `joinOrCreate` only when none fits", async () => {
    const harness = createHarness();
    const joins = [
      harness.join("open", { mode: "create" }),
      harness.join("open", { mode: "create" }),
      harness.join("open"),
      harness.join("open", { options: { mode: "ranked" } }),
    ];
    await harness.answerAll();
    const rooms = (await Promise.all(joins)).map(({ roomId }) => roomId);
    expect(new Set(rooms).size).toBe(3);
    expect(rooms[2]).toBe(rooms[0]);
  });

  it("`join` takes what there is and makes nothing", async () => {
    const harness = createHarness();
    await expectRefused(harness.join("open", { mode: "join" }), "ROOM_NOT_FOUND");
    const { roomId } = await joined(harness);
    await expect(harness.join("open", { mode: "join" })).resolves.toMatchObject({ roomId });
    await expectRefused(harness.join("open", { mode: "join" }), "ROOM_NOT_FOUND");
    await expect(harness.join("nonsense", { mode: "join" })).rejects.toMatchObject({
      code: "ROOM_TYPE_UNKNOWN",
      message: 'There is no room type "nonsense".',
    });
  });

  it("`joinById` and `joinByCode` find private rooms, and say why they do not let in", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.time.settle();
    const { code = "", roomId = "", workerId = 0 } = harness.creates()[0] ?? {};
    await harness.answerAll();
    await join;
    const update = { type: "room-updated" as const, roomId, autoDispose: false, metadata: null };
    const byId = () => harness.join("open", { mode: "joinById", roomId });
    const byCode = () => harness.join("open", { mode: "joinByCode", code: code.toLowerCase() });

    harness.matchmaker.onWorkerMessage(workerId, { ...update, locked: true, isPrivate: true });
    await expectRefused(byId(), "ROOM_LOCKED");
    harness.matchmaker.onWorkerMessage(workerId, { ...update, locked: false, isPrivate: true });
    await expectRefused(harness.join("open", { mode: "join" }), "ROOM_NOT_FOUND");
    await expect(byCode()).resolves.toMatchObject({ roomId });
    await expectRefused(byId(), "ROOM_FULL");
    await expectRefused(byCode(), "ROOM_FULL");
    await expectRefused(harness.join("arena", { mode: "joinById", roomId }), "ROOM_NOT_FOUND");
    await expectRefused(harness.join("open", { mode: "joinById", roomId: "x" }), "ROOM_NOT_FOUND");
    await expectRefused(harness.join("open", { mode: "joinByCode", code: "x" }), "ROOM_NOT_FOUND");
    await expectRefused(harness.join("open", { mode: "joinById" }), "BAD_REQUEST");
    await expectRefused(harness.join("open", { mode: "joinByCode" }), "BAD_REQUEST");
  });

  it("gives a room of its own to who was matched into one that closed itself in onCreate", async () => {
    for (const closed of [
      { locked: true, isPrivate: false },
      { locked: false, isPrivate: true },
    ]) {
      const harness = createHarness();
      const joins = [harness.join("open"), harness.join("open")];
      await harness.time.settle();
      const { roomId = "", workerId = 0 } = harness.creates()[0] ?? {};
      harness.matchmaker.onWorkerMessage(workerId, {
        type: "room-updated",
        roomId,
        autoDispose: false,
        metadata: null,
        ...closed,
      });
      await harness.answerAll();
      const [founder, other] = await Promise.all(joins);
      expect(founder?.roomId).toBe(roomId);
      expect(other?.roomId).not.toBe(roomId);
      expect(harness.seats()).toEqual({ ...NO_SEATS, reserved: 2 });
    }
  });

  it("fills rooms of ten with a thousand clients that come at once: one hundred full rooms", async () => {
    const harness = createHarness({ workers: [1, 2, 3, 4] });
    const joins = Array.from({ length: 1_000 }, () => harness.join("arena"));
    await harness.time.settle();
    const creates = harness.creates();
    expect(creates).toHaveLength(100);
    expect(new Set(creates.map(({ roomId }) => roomId)).size).toBe(100);
    for (const worker of [1, 2, 3, 4]) {
      expect(creates.filter(({ workerId }) => workerId === worker)).toHaveLength(25);
    }
    await harness.answerAll();
    const perRoom = Map.groupBy(await Promise.all(joins), ({ roomId }) => roomId);
    expect([...perRoom.values()].map(({ length }) => length)).toEqual(new Array(100).fill(10));
  });
});

describe("seats", () => {
  it("come back when a ticket is not redeemed in time", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.answerAll();
    const { roomId, sessionId } = await join;
    await harness.time.advance(LIMITS.ticketTtlMs - 1);
    expect(harness.seats().reserved).toBe(1);
    await harness.time.advance(1);
    expect(harness.seats()).toEqual(NO_SEATS);
    expect(refusal(() => harness.matchmaker.redeem(roomId, sessionId))).toBe("TICKET_INVALID");
  });

  it("are kept as long as the ticket is good, however long the join took", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.time.advance(LIMITS.joinDeadlineMs - 1);
    await harness.answerAll();
    const { roomId, sessionId, expiresAt } = await join;
    await harness.time.advance(expiresAt - WALL_CLOCK_AT_START - harness.time.now() - 1);
    expect(refusal(() => harness.matchmaker.redeem(roomId, sessionId))).toBe("no error");
  });

  it("do not expire once the connection is on its way, and can be redeemed again", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness);
    await harness.time.advance(10 * LIMITS.ticketTtlMs);
    expect(harness.matchmaker.redeem(roomId, sessionId).workerId).toBe(workerId);
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
    expect(harness.matchmaker.resume(sessionId)).toEqual({ workerId, roomId });
  });

  it("are free after session-left, said once or twice, and the room takes the next client", async () => {
    const harness = createHarness();
    const [first] = [await joined(harness), await joined(harness)];
    const { roomId, sessionId, workerId } = first;
    for (let times = 0; times < 2; times++) {
      harness.matchmaker.onWorkerMessage(workerId, { type: "session-left", roomId, sessionId });
    }
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 1 });
    expect(refusal(() => harness.matchmaker.resume(sessionId))).toBe("SESSION_NOT_FOUND");
    await expect(harness.join("open", { mode: "join" })).resolves.toMatchObject({ roomId });
  });

  it("wait for their ticket again when the hand-off fails, and only with the last one on its way", async () => {
    const harness = createHarness();
    const join = harness.join("open");
    await harness.answerAll();
    const { roomId, sessionId } = await join;
    harness.matchmaker.redeem(roomId, sessionId);
    harness.matchmaker.redeem(roomId, sessionId);
    harness.matchmaker.handoffFailed(roomId, sessionId);
    expect(harness.seats()).toEqual({ ...NO_SEATS, passed: 1 });
    harness.matchmaker.handoffFailed(roomId, sessionId);
    expect(harness.seats()).toEqual({ ...NO_SEATS, reserved: 1 });
    await harness.time.advance(LIMITS.ticketTtlMs);
    expect(harness.seats()).toEqual(NO_SEATS);
  });

  it("are taken anew by a session that came back before its leaving was known; not in a full room", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness);
    const left = { type: "session-left" as const, roomId, sessionId };
    const back = { type: "session-joined" as const, roomId, sessionId };
    harness.matchmaker.onWorkerMessage(workerId, left);
    harness.matchmaker.onWorkerMessage(workerId, back);
    expect(harness.matchmaker.resume(sessionId)).toEqual({ workerId, roomId });

    harness.matchmaker.onWorkerMessage(workerId, left);
    await joined(harness);
    await joined(harness);
    harness.matchmaker.onWorkerMessage(workerId, back);
    expect(harness.seats()).toEqual({ ...NO_SEATS, joined: 2 });
    expect(harness.warnings).toEqual(["session joined a full room"]);
  });

  it("go with the room when it is disposed", async () => {
    const harness = createHarness();
    const { roomId, sessionId, workerId } = await joined(harness);
    harness.matchmaker.onWorkerMessage(workerId, { type: "room-disposed", roomId });
    expect(harness.seats()).toEqual(NO_SEATS);
    expect(refusal(() => harness.matchmaker.resume(sessionId))).toBe("SESSION_NOT_FOUND");
    expect(refusal(() => harness.matchmaker.redeem(roomId, sessionId))).toBe("TICKET_INVALID");
  });
});
