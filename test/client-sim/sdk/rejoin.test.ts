/** Lost sessions: when the same room object goes on with a new session, and when it ends. */
import { describe, expect, it } from "vitest";
import type { Client } from "../../../client-sim/sdk/client.ts";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { TestState } from "./fake-server.ts";
import { BURST_MS, joinRoom, makeClient, record, settled } from "./setup.ts";

const SOON_MS = 2 * CLIENT_LIMITS.backoffMaxMs;
const STILL = { dx: 0, dy: 0, shoot: false };

describe("a lost session", () => {
  it("begins anew with the original request in the same room object", async () => {
    const { time, server, client } = makeClient();
    const joining = client.joinOrCreate("arena", { map: "moon" }, { state: TestState });
    const room = await settled(time, joining);
    const lines = record(room);
    const seen: string[] = [];
    room.state.players.onAdd((_player, key) => seen.push(`add ${key}`));
    room.state.players.onRemove((_player, key) => seen.push(`remove ${key}`));
    room.send("anything", { n: 1 });
    server.event("session1", "n", 1);
    await time.advance(BURST_MS);

    server.replaceRoom();
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(SOON_MS);

    expect(lines).toEqual(["n 1", `drop ${ERRORS.ROOM_ERROR.close} ROOM_ERROR`, "rejoin"]);
    expect(server.requestBody(1)).toEqual({ mode: "joinOrCreate", options: { map: "moon" } });
    expect([room.roomId, room.sessionId, room.connectionState]).toEqual(["room-2", "session2", "open"]);
    expect(seen).toEqual(["remove session1", "add session2"]);
    expect([...room.state.players.keys()]).toEqual(["session2"]);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
    // Both counts start over with the session.
    expect(room.eventsReceived).toBe(0);
    expect(room.send("anything")).toBe(1);
    server.event("session2", "n", 2);
    await time.advance(1);
    expect(lines.at(-1)).toBe("n 2");
    expect(server.applied.at(-1)).toEqual({ sessionId: "session2", type: "anything", payload: null });
  });

  it.each(["SERVER_SHUTTING_DOWN", "SESSION_OVERFLOW", "INTERNAL"] as const)(
    "is given up at %s",
    async (reason) => {
      const { time, server, room } = await joinRoom();
      server.socket.closeByServer(ERRORS[reason].close);
      await time.advance(SOON_MS);
      expect(room.sessionId).toBe("session2");
      expect(room.connectionState).toBe("open");
    },
  );

  it.each(["ROOM_LOST", "SESSION_NOT_FOUND", "RESUME_REFUSED"] as const)(
    "is given up when a resume is refused with %s",
    async (reason) => {
      const { time, server, room } = await joinRoom();
      const lines = record(room);
      server.refusals.push(ERRORS[reason].close);
      server.socket.drop();
      await time.advance(SOON_MS);
      expect(lines).toEqual(["drop 1006 undefined", "rejoin"]);
      expect(room.sessionId).toBe("session2");
    },
  );

  it("is not given up when the server is merely busy", async () => {
    const { time, server, room } = await joinRoom();
    server.refusals.push(ERRORS.SERVER_BUSY.close, ERRORS.TIMEOUT.close, 1006);
    server.socket.drop();
    await time.advance(SOON_MS);
    expect(room.sessionId).toBe("session1");
    expect(server.requests).toHaveLength(1);
  });

  it("is given up when events are missing that the server should have kept", async () => {
    const { time, server, room } = await joinRoom();
    server.event("session1", "n", 1);
    server.event("session1", "n", 2);
    server.socket.drop();
    server.repeatFrom = 1;
    await time.advance(SOON_MS);
    expect(room.sessionId).toBe("session2");
  });

  it("leaves the old session's messages behind", async () => {
    const { time, server, room } = await joinRoom();
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(1);
    room.send("move", STILL);
    await time.advance(SOON_MS);
    expect(server.applied).toEqual([]);
    room.send("move", STILL);
    await time.advance(1);
    expect(server.applied.map(({ sessionId }) => sessionId)).toEqual(["session2"]);
  });

  it("runs the clock of the new room", async () => {
    const { time, server, room } = await joinRoom();
    server.replaceRoom();
    const createdAtMs = time.now();
    server.roomTimeAt = (nowMs) => nowMs - createdAtMs;
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(SOON_MS);
    expect(room.clock.now()).toBeCloseTo(time.now() - createdAtMs, 0);
  });

  it("looks for a new room after the time in which the old session could be resumed", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.isDown = true;
    server.socket.drop();
    await time.advance(40_000);
    expect(room.connectionState).toBe("reconnecting");
    server.isDown = false;
    await time.advance(SOON_MS);
    expect(lines).toEqual(["drop 1006 undefined", "rejoin"]);
  });

  it("ends for good when no room is found in time", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.isDown = true;
    server.socket.closeByServer(ERRORS.SERVER_SHUTTING_DOWN.close);
    const startMs = time.now();
    while (room.connectionState !== "closed") await time.advanceToNext();
    expect(time.now() - startMs).toBeLessThanOrEqual(CLIENT_LIMITS.rejoinMs);
    expect(time.now() - startMs).toBeGreaterThan(CLIENT_LIMITS.rejoinMs - CLIENT_LIMITS.backoffMaxMs);
    expect(lines).toEqual([
      `drop ${ERRORS.SERVER_SHUTTING_DOWN.close} SERVER_SHUTTING_DOWN`,
      `leave ${ERRORS.TIMEOUT.close} TIMEOUT`,
    ]);
    expect(time.pendingTimers).toBe(0);
  });

  it("ends for good when the new join is refused", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.httpAnswers.push(() =>
      Response.json({ error: { code: "ROOM_FULL", message: "" } }, { status: 409 }),
    );
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(SOON_MS);
    expect(lines.at(-1)).toBe(`leave ${ERRORS.ROOM_FULL.close} ROOM_FULL`);
  });

  it("ends for good where rejoining is not wanted", async () => {
    const { time, server, room } = await joinRoom({}, { rejoin: false });
    const lines = record(room);
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(SOON_MS);
    expect(lines).toEqual([`leave ${ERRORS.ROOM_ERROR.close} ROOM_ERROR`]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["by id", (client: Client) => client.joinById("arena", "room-1")],
    ["by code", (client: Client) => client.joinByCode("arena", "ABCDEF")],
  ])("ends for good where one room was asked for %s", async (_how, join) => {
    const { time, server, client } = makeClient();
    const room = await settled(time, join(client));
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(SOON_MS);
    expect(room.connectionState).toBe("closed");
    expect(server.requests).toHaveLength(1);
  });
});
