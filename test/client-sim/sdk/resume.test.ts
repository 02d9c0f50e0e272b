/** Lost connections: what is resumed, what is sent again, what is delivered once. */
import { describe, expect, it } from "vitest";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { assembleMessage, decodeClientValue, encodeServerValue } from "../../../shared/protocol/codec.ts";
import { parseOffer } from "../../../shared/protocol/handshake.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { RECONNECT_MS, SLOT_BASE } from "./fake-host.ts";
import { TestState } from "./fake-server.ts";
import { clientOf, joinRoom, record, settled, type TestRoom } from "./setup.ts";

/** Longer than any first delay before a new connection. */
const SOON_MS = CLIENT_LIMITS.backoffMinMs;
const TAG = 0xdecaf001;
const STILL = { dx: 0, dy: 0, shoot: false };

/** A STATE of the room, good but for what is given. */
function stateOf(acks: readonly number[], patch: readonly number[]): Uint8Array {
  const value = encodeServerValue([ServerMessage.STATE, 1, 1, Uint8Array.from(acks), Uint8Array.from(patch)]);
  return assembleMessage([value], TAG);
}

function messagesOf(sent: readonly Uint8Array[]): Uint8Array[] {
  return sent.filter((bytes) => decodeClientValue(bytes)[0] === ClientMessage.MESSAGE);
}

describe("a lost connection", () => {
  it("[R1] is replaced with the newest resume token and the count of events", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.event("session1", "hit", 1);
    await time.advance(10);
    const token = room.resumeToken;
    server.socket.drop();
    expect(room.connectionState).toBe("reconnecting");
    await time.advance(SOON_MS);

    expect(parseOffer(server.socket.protocols.join(", "))).toMatchObject({
      resume: token,
      eventsReceived: 1,
    });
    expect(server.socket.url).toBe("ws://machine-7.test/ws");
    expect(room.resumeToken).not.toBe(token);
    expect(room.connectionState).toBe("open");
    expect(lines).toEqual(["hit 1", "drop 1006 undefined", "reconnect"]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["going away", 1001],
    ["service restart", 1012],
    ["a torn stream", 1002],
    ["a slow client", ERRORS.SLOW_CLIENT.close],
    ["a silent client", ERRORS.CLIENT_SILENT.close],
    ["a busy server", ERRORS.SERVER_BUSY.close],
  ])("resumes after %s (%d)", async (_what, code) => {
    const { time, server, room } = await joinRoom();
    server.socket.closeByServer(code);
    await time.advance(SOON_MS);
    expect(server.requests).toHaveLength(1);
    expect([room.connectionState, room.sessionId]).toEqual(["open", "session1"]);
  });

  it.each([
    ["an orderly close", 1000, undefined],
    ["being superseded", ERRORS.SUPERSEDED.close, "SUPERSEDED"],
    ["being kicked", ERRORS.KICKED.close, "KICKED"],
    ["the end of the room", ERRORS.ROOM_CLOSED.close, "ROOM_CLOSED"],
  ])("leaves at once after %s (%d)", async (_what, code, reason) => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.socket.closeByServer(code);
    await time.advance(60_000);
    expect(lines).toEqual([`leave ${code} ${reason}`]);
    expect(room.connectionState).toBe("closed");
    expect(server.sockets).toHaveLength(1);
    expect(time.pendingTimers).toBe(0);
  });

  it("[R2] sends again exactly what the room has not applied, in order and byte for byte", async () => {
    const { time, server, room } = await joinRoom();
    expect(room.send("move", { ...STILL, dx: 1 })).toBe(1);
    await time.advance(1);
    const first = server.socket;
    // On their way when the connection breaks: the server has none of these.
    first.latencyMs = 50;
    room.send("move", { ...STILL, dx: 2 });
    room.send("move", { ...STILL, dx: 3 });
    first.drop();
    expect(room.send("move", { ...STILL, dx: 4 })).toBe(4);
    await time.advance(SOON_MS);

    const resent = messagesOf(server.socket.received);
    expect(resent.slice(0, 2)).toEqual(messagesOf(first.sent).slice(1));
    expect(resent.map((bytes) => decodeClientValue(bytes)[1])).toEqual([2, 3, 4]);
    expect(server.applied.map(({ payload }) => (payload as Uint8Array)[0])).toEqual([1, 2, 3, 4]);
    room.send("move", { ...STILL, dx: 5 });
    await time.advance(1);
    expect(server.applied).toHaveLength(5);
  });

  it("[A4] forgets what a state acknowledges", async () => {
    const { time, server, room } = await joinRoom();
    const acks: number[] = [];
    room.onState(({ ack }) => acks.push(ack));
    for (let i = 0; i < 3; i++) room.send("move", STILL);
    await time.advance(1);
    server.step();
    await time.advance(1);
    room.send("move", STILL);
    server.socket.drop();
    await time.advance(SOON_MS);
    expect(acks[0]).toBe(3);
    expect(messagesOf(server.socket.received)).toHaveLength(1);
    expect(server.applied).toHaveLength(4);
  });

  it("[E1] delivers events once: missed ones come, repeated ones are dropped", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.event("session1", "n", 1);
    server.event("session1", "n", 2);
    await time.advance(1);
    server.socket.drop();
    server.event("session1", "n", 3);
    // This server repeats everything it still keeps, 1 and 2 included.
    server.repeatFrom = 0;
    await time.advance(SOON_MS);
    server.event("session1", "n", 4);
    await time.advance(1);
    expect(lines.filter((line) => line.startsWith("n "))).toEqual(["n 1", "n 2", "n 3", "n 4"]);
    expect(room.eventsReceived).toBe(4);
  });

  it("takes up state it has missed as differences", async () => {
    const { time, server, room } = await joinRoom();
    const me = room.state.players.get("session1");
    const seen: string[] = [];
    room.state.players.onAdd((player, key) => seen.push(`add ${key} ${player.hp}`));
    room.state.players.onChange((_player, key, fields) => seen.push(`change ${key} ${fields.join()}`));
    server.socket.drop();
    server.encoder.root.players.set("npc", { hp: 5 });
    const mine = server.encoder.root.players.get("session1");
    if (mine) mine.x = 77;
    server.step();
    await time.advance(SOON_MS);
    expect(seen).toEqual(["add npc 5", "change session1 x"]);
    expect(room.state.players.get("session1")).toBe(me);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
  });

  it("has another way, whose round trips the clock learns anew", async () => {
    const { time, server, room } = await joinRoom();
    // A room that was down meanwhile: its time stood still.
    server.roomTimeAt = (nowMs) => nowMs - 200;
    server.latencyMs = 40;
    server.socket.drop();
    await time.advance(600);
    expect(room.clock.rttMs).toBe(80);
    expect(room.clock.now()).toBeCloseTo(time.now() - 200, 6);
  });

  it("backs off exponentially with full jitter, within bounds, for as long as the seat is kept", async () => {
    const draws = [0, 0.999, 0.5];
    let drawn = 0;
    const random = (): number => draws[drawn++ % draws.length] ?? 0;
    const { time, server, room } = await joinRoom({ random }, { rejoin: false });
    const lines = record(room);
    drawn = 0;
    server.isDown = true;
    const lostAtMs = time.now();
    server.socket.drop();
    while (room.connectionState === "reconnecting") await time.advanceToNext();

    const times = [lostAtMs, ...server.sockets.slice(1).map(({ openedAtMs }) => openedAtMs)];
    const delays = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    const expected = delays.map((_, i) => {
      const boundMs = Math.min(CLIENT_LIMITS.backoffMaxMs, CLIENT_LIMITS.backoffMinMs * 2 ** i);
      return (draws[i % draws.length] ?? 0) * boundMs;
    });
    for (const [i, delay] of delays.entries()) expect(delay).toBeCloseTo(expected[i] ?? 0, 3);
    const trying = (times.at(-1) ?? 0) - lostAtMs;
    expect(trying).toBeGreaterThan(RECONNECT_MS + CLIENT_LIMITS.resumeGraceMs - CLIENT_LIMITS.backoffMaxMs);
    expect(trying).toBeLessThanOrEqual(RECONNECT_MS + CLIENT_LIMITS.resumeGraceMs);
    expect(lines).toEqual(["drop 1006 undefined", "leave 1006 undefined"]);
    expect(time.pendingTimers).toBe(0);
  });

  it("starts the backoff over only after a connection that lasted", async () => {
    const { time, server } = await joinRoom();
    await time.advance(CLIENT_LIMITS.stableMs);
    const delays: number[] = [];
    for (const livedMs of [0, 0, CLIENT_LIMITS.stableMs]) {
      const lostAtMs = time.now();
      server.socket.drop();
      await time.advance(1_000);
      delays.push(server.socket.openedAtMs - lostAtMs);
      await time.advance(livedMs);
    }
    const lostAtMs = time.now();
    server.socket.drop();
    await time.advance(1_000);
    expect([...delays, server.socket.openedAtMs - lostAtMs]).toEqual([50, 100, 200, 50]);
  });
});

describe("a server that cannot be understood", () => {
  it.each([
    ["[F4] another trailer", assembleMessage([encodeServerValue([ServerMessage.PONG, 1, 1])], 0xbad)],
    ["half a message", stateOf([], []).subarray(4)],
    ["a patch of nonsense", stateOf([], [255, 255, 255])],
    ["[S11] an entity that does not exist", stateOf([], [30 * 4 + 2])],
    ["an acknowledgement of what was never sent", stateOf([SLOT_BASE + 1, 7, 0], [])],
  ])("is left and resumed: %s", async (_what, bytes) => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    const spoilt = server.socket;
    spoilt.deliver(bytes);
    await time.advance(SOON_MS + 1);
    expect(spoilt.closedWith).toBe(ERRORS.PROTOCOL_ERROR.close);
    expect(lines).toEqual(["drop 4420 PROTOCOL_ERROR", "reconnect"]);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
  });

  it("[F1] text is not understood either", async () => {
    const { time, server, room } = await joinRoom();
    server.socket.onmessage?.({ data: "hello" });
    await time.advance(SOON_MS);
    expect(server.sockets).toHaveLength(2);
    expect(room.connectionState).toBe("open");
  });

  it("applies no part of a message with a bad trailer", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    const event = encodeServerValue([ServerMessage.EVENT, "boom", null]);
    server.socket.deliver(assembleMessage([event], 0xbad));
    await time.advance(SOON_MS);
    expect(lines.some((line) => line.startsWith("boom"))).toBe(false);
    expect(room.eventsReceived).toBe(0);
  });

  it("is lost when it falls silent, although the connection looks open", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.isMute = true;
    await time.advance(CLIENT_LIMITS.silenceMs - CLIENT_LIMITS.pingMs);
    expect(lines).toEqual([]);
    await time.advance(2 * CLIENT_LIMITS.pingMs);
    expect(lines).toEqual(["drop 4505 TIMEOUT"]);
    server.isMute = false;
    await time.advance(CLIENT_LIMITS.silenceMs + CLIENT_LIMITS.pingMs);
    expect(lines).toEqual(["drop 4505 TIMEOUT", "reconnect"]);
    expect(room.connectionState).toBe("open");
  });

  it("is not lost as long as it answers pings", async () => {
    const { time, server } = await joinRoom();
    await time.advance(10 * CLIENT_LIMITS.silenceMs);
    expect(server.sockets).toHaveLength(1);
  });
});

describe("acknowledging events", () => {
  it.each([
    ["messages", (room: TestRoom) => room.send("move", STILL)],
    ["pings", (room: TestRoom) => room.ping()],
  ])("[E2] rides on %s, and then nothing goes alone", async (_what, send) => {
    const { time, server, room } = await joinRoom();
    server.event("session1", "n", 1);
    await time.advance(CLIENT_LIMITS.ackMs - 10);
    const sent = send(room);
    await time.advance(1);
    await sent;
    expect(server.unacknowledged("session1")).toBe(0);
    await time.advance(CLIENT_LIMITS.ackMs / 2);
    expect(server.socket.messages.some(([type]) => type === ClientMessage.ACK)).toBe(false);
  });

  it("[E3] goes alone when there is nothing to ride on for a second", async () => {
    const { time, server } = await joinRoom();
    // Just after a ping, so that the next is the furthest away.
    await time.advance(CLIENT_LIMITS.pingMs - 300);
    server.event("session1", "n", 1);
    await time.advance(CLIENT_LIMITS.ackMs - 10);
    expect(server.unacknowledged("session1")).toBe(1);
    await time.advance(20);
    expect(server.unacknowledged("session1")).toBe(0);
    expect(server.socket.messages.at(-1)).toEqual([ClientMessage.ACK, 1]);
  });

  it("[E3] goes alone at once when half of what the server keeps is reached", async () => {
    const { time, server } = await joinRoom();
    for (let i = 0; i < CLIENT_LIMITS.ackEvents; i++) server.event("session1", "n", i);
    await time.advance(1);
    expect(server.socket.messages.at(-1)).toEqual([ClientMessage.ACK, CLIENT_LIMITS.ackEvents]);
    const big = "x".repeat(CLIENT_LIMITS.ackBytes / 8);
    for (let i = 0; i < 8; i++) server.event("session1", "big", big);
    await time.advance(1);
    expect(server.socket.messages.at(-1)).toEqual([ClientMessage.ACK, CLIENT_LIMITS.ackEvents + 8]);
  });
});

describe("a page that was loaded again", () => {
  it("goes on with its session, its messages and its events", async () => {
    const { time, server, room } = await joinRoom();
    room.send("move", STILL);
    server.event("session1", "n", 1);
    await time.advance(1);
    const { resumeToken, eventsReceived } = room;
    server.event("session1", "n", 2);
    const again = await settled(
      time,
      clientOf(server).reconnect(resumeToken, { state: TestState, eventsReceived }),
    );
    const seen: unknown[] = [];
    again.onMessage("n", (payload) => seen.push(payload));
    await time.advance(1);
    expect(seen).toEqual([2]);
    expect([again.roomId, again.sessionId]).toEqual(["room-1", "session1"]);
    expect(again.send("move", STILL)).toBe(2);
    await time.advance(1);
    expect(server.applied).toHaveLength(2);
    expect(room.connectionState).toBe("closed");
  });

  it("is told when the session has ended, and does not join another room", async () => {
    const { time, server, room } = await joinRoom();
    const token = room.resumeToken;
    await settled(time, room.leave());
    const reconnecting = clientOf(server).reconnect(token);
    await expect(settled(time, reconnecting)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(server.requests).toHaveLength(1);
  });
});
