/** [R5] The room's owner dies, and another goes on over the same connection: what the client answers and sends again. */
import { describe, expect, it } from "vitest";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { assembleMessage, decodeClientValue, encodeServerValue } from "../../../shared/protocol/codec.ts";
import { ClientMessage, type ClientValue, ServerMessage } from "../../../shared/protocol/wire.ts";
import { describe as describeSchema, schemaHash } from "../../../shared/schema/index.ts";
import { TestState } from "./fake-server.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { BURST_MS, clientOf, joinRoom, makeClient, record, settled } from "./setup.ts";

const STILL = { dx: 0, dy: 0, shoot: false };
const OLD_TAG = 0xdecaf001;
const TAG = 0xdecaf0ff;
const NONCE = 0x8215_9406;
const HASH = schemaHash(describeSchema(TestState));
const LATENCY_MS = 50;
/** A round trip there and back, and what comes of it. */
const SOON_MS = 4 * LATENCY_MS;

/** What a client has sent, arrived or not, but for its pings. */
function saidBy(socket: FakeSocket, from = 0): ClientValue[] {
  return socket.sent
    .slice(from)
    .map(decodeClientValue)
    .filter(([type]) => type !== ClientMessage.PING);
}

function seqsOf(values: readonly ClientValue[]): number[] {
  return values.flatMap((value) => (value[0] === ClientMessage.MESSAGE ? [value[1]] : []));
}

/** In the room, over a connection that takes its time. */
async function joinFarRoom() {
  const joined = await joinRoom();
  const { server, room } = joined;
  server.latencyMs = LATENCY_MS;
  server.socket.latencyMs = LATENCY_MS;
  return { ...joined, lines: record(room), socket: server.socket };
}

/** The `dx` of what the room has applied, in order. */
function appliedBy(server: { readonly applied: readonly { readonly payload: unknown }[] }): number[] {
  return server.applied.map(({ payload }) => (payload as Uint8Array)[0] as number);
}

describe("another owner takes the connection over: the client", () => {
  it("answers at once, with what it has, and goes on where it was", async () => {
    const { time, server, room, lines, socket } = await joinFarRoom();
    server.event("session1", "n", 1);
    server.event("session1", "n", 2);
    await time.advance(SOON_MS);
    const { resumeToken } = room;
    const from = socket.sent.length;
    server.takeOver({ nonce: NONCE, tag: TAG });
    server.event("session1", "n", 3);
    await time.advance(LATENCY_MS);
    expect(socket.sent.slice(from).map(decodeClientValue)).toEqual([[ClientMessage.RESYNC, NONCE, 2, HASH]]);
    expect([room.connectionState, lines]).toEqual(["open", ["n 1", "n 2"]]);
    await time.advance(SOON_MS);
    server.event("session1", "n", 4);
    server.step();
    await time.advance(SOON_MS);

    expect(lines).toEqual(["n 1", "n 2", "move", "n 3", "n 4"]);
    expect([room.connectionState, room.eventsReceived, room.tick]).toEqual(["open", 4, 1]);
    expect(room.resumeToken).not.toBe(resumeToken);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
    expect(server.sockets).toHaveLength(1);
  });

  it("sees what has changed meanwhile as differences, in the same objects", async () => {
    const { time, server, room } = await joinFarRoom();
    const me = room.state.players.get("session1");
    const seen: string[] = [];
    room.state.players.onAdd((_player, key) => seen.push(`add ${key}`));
    room.state.players.onChange((_player, key, fields) => seen.push(`change ${key} ${fields.join()}`));
    const mine = server.encoder.root.players.get("session1");
    if (mine) mine.x = 77;
    server.encoder.root.players.set("npc", { hp: 5 });
    server.encoder.commit();
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(SOON_MS);
    expect(seen).toEqual(["add npc", "change session1 x"]);
    expect(room.state.players.get("session1")).toBe(me);
  });

  it("sends again what the dead owner had not applied, byte for byte, and nothing else", async () => {
    const { time, server, room, socket } = await joinFarRoom();
    for (const dx of [1, 2]) room.send("move", { ...STILL, dx });
    await time.advance(LATENCY_MS);
    // Applied and written down, and no STATE has said so: only RESUME does.
    expect(appliedBy(server)).toEqual([1, 2]);
    const first = socket.sent.length;
    for (const dx of [3, 4]) room.send("move", { ...STILL, dx });
    const from = socket.sent.length;
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(LATENCY_MS - 1);
    // RESUME is still under way, and these arrive where nobody knows what they are.
    room.send("move", { ...STILL, dx: 5 });
    await time.advance(1);
    const said = saidBy(socket, from);
    expect(said.map(([type]) => type)).toEqual([
      ClientMessage.MESSAGE,
      ClientMessage.RESYNC,
      ...[3, 4, 5].map(() => ClientMessage.MESSAGE),
    ]);
    expect(seqsOf(said)).toEqual([5, 3, 4, 5]);
    expect(socket.sent.slice(-3)).toEqual([...socket.sent.slice(first, first + 2), socket.sent.at(from)]);
    await time.advance(SOON_MS);
    expect(appliedBy(server)).toEqual([1, 2, 3, 4, 5]);
    // Neither WELCOME nor what follows makes it send anything a second time.
    server.step();
    await time.advance(SOON_MS);
    expect(seqsOf(saidBy(socket, from))).toEqual([5, 3, 4, 5]);
    server.takeOver({ nonce: NONCE + 1, tag: TAG + 1 });
    await time.advance(SOON_MS);
    expect(seqsOf(saidBy(socket, from))).toEqual([5, 3, 4, 5]);
  });

  it("sends on before the WELCOME, behind what it sends again", async () => {
    const { time, server, room, socket } = await joinFarRoom();
    room.send("move", { ...STILL, dx: 1 });
    const from = socket.sent.length;
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(LATENCY_MS);
    expect(room.send("move", { ...STILL, dx: 2 })).toBe(2);
    await time.advance(1);
    expect(seqsOf(saidBy(socket, from))).toEqual([1, 2]);
    await time.advance(SOON_MS);
    expect(room.send("move", { ...STILL, dx: 3 })).toBe(3);
    await time.advance(SOON_MS);
    expect(appliedBy(server)).toEqual([1, 2, 3]);
    expect(seqsOf(saidBy(socket, from))).toEqual([1, 2, 3]);
  });

  it.each([
    ["before it has answered the first", 0],
    ["before the first's WELCOME", LATENCY_MS + 1],
    ["at the first's WELCOME", 2 * LATENCY_MS],
    ["after it", SOON_MS],
  ])("is taken over twice: again %s", async (_when, afterMs) => {
    const { time, server, room, lines, socket } = await joinFarRoom();
    server.event("session1", "n", 1);
    await time.advance(SOON_MS);
    room.send("move", { ...STILL, dx: 1 });
    const from = socket.sent.length;
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(afterMs);
    room.send("move", { ...STILL, dx: 2 });
    server.takeOver({ nonce: NONCE + 1, tag: TAG + 1 });
    server.event("session1", "n", 2);
    await time.advance(SOON_MS);
    server.event("session1", "n", 3);
    await time.advance(SOON_MS);

    const nonces = saidBy(socket, from).flatMap((value) =>
      value[0] === ClientMessage.RESYNC ? [value[1]] : [],
    );
    expect(nonces).toEqual([NONCE, NONCE + 1]);
    expect(appliedBy(server)).toEqual([1, 2]);
    expect(lines.filter((line) => line !== "move")).toEqual(["n 1", "n 2", "n 3"]);
    // Once for each WELCOME that came.
    expect(lines.filter((line) => line === "move")).toHaveLength(afterMs > 2 * LATENCY_MS - 1 ? 2 : 1);
    expect([room.connectionState, server.sockets.length]).toEqual(["open", 1]);
    room.send("move", { ...STILL, dx: 3 });
    await time.advance(SOON_MS);
    expect(appliedBy(server)).toEqual([1, 2, 3]);
  });

  it("is dropped in the middle of it: it resumes, and nothing is doubled", async () => {
    const { time, server, room, lines, socket } = await joinFarRoom();
    room.send("move", { ...STILL, dx: 1 });
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(LATENCY_MS + 1);
    socket.drop();
    await time.advance(CLIENT_LIMITS.backoffMinMs + SOON_MS);
    expect(lines).toEqual(["drop 1006 undefined", "reconnect"]);
    expect(appliedBy(server)).toEqual([1]);
    // Of the move before there is nothing left.
    room.send("move", { ...STILL, dx: 2 });
    server.takeOver({ nonce: NONCE + 1, tag: TAG + 1 });
    await time.advance(SOON_MS);
    expect(lines.at(-1)).toBe("move");
    expect(appliedBy(server)).toEqual([1, 2]);
  });

  it("leaves: the new owner is told as well", async () => {
    const { time, server, room, socket } = await joinFarRoom();
    room.send("move", { ...STILL, dx: 1 });
    const from = socket.sent.length;
    server.takeOver({ nonce: NONCE, tag: TAG });
    const left = room.leave();
    await time.advance(LATENCY_MS);
    const said = saidBy(socket, from);
    expect(said.map(([type]) => type)).toEqual([
      ClientMessage.LEAVE,
      ClientMessage.RESYNC,
      ClientMessage.MESSAGE,
      ClientMessage.LEAVE,
    ]);
    expect(await settled(time, left)).toBe(ERRORS.CONSENTED.close);
    expect(appliedBy(server)).toEqual([1]);
    expect(server.sockets).toHaveLength(1);
    await time.advance(CLIENT_LIMITS.leaveMs);
    expect(time.pendingTimers).toBe(0);
  });
});

describe("before WELCOME", () => {
  it("of its first connection, a client has nothing to send again, and joins", async () => {
    const { time, server, client } = makeClient();
    server.latencyMs = LATENCY_MS;
    server.diesBeforeWelcome = true;
    const joining = client.joinOrCreate("arena", {}, { state: TestState });
    await time.advance(SOON_MS);
    server.event("session1", "n", 1);
    server.takeOver({ nonce: NONCE, tag: TAG });
    server.takeOver({ nonce: NONCE + 1, tag: TAG + 1 });
    const room = await settled(time, joining);
    const lines = record(room);
    await time.advance(SOON_MS);
    expect(server.socket.messages.slice(0, 2)).toEqual([
      [ClientMessage.RESYNC, NONCE, 0, HASH],
      [ClientMessage.RESYNC, NONCE + 1, 0, HASH],
    ]);
    // It is no move: there was nothing before.
    expect(lines).toEqual(["n 1"]);
    expect(room.send("anything")).toBe(1);
    await time.advance(SOON_MS);
    expect(server.applied).toHaveLength(1);
    expect([server.sockets.length, server.requests.length]).toEqual([1, 1]);
  });

  it("a client that does not know the schema says so, and is told", async () => {
    const { time, server, client } = makeClient();
    server.diesBeforeWelcome = true;
    const joining = client.joinOrCreate("arena");
    await time.advance(1);
    server.takeOver({ nonce: NONCE, tag: TAG });
    const room = await settled(time, joining);
    expect(server.socket.messages[0]).toEqual([ClientMessage.RESYNC, NONCE, 0, ""]);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
    // From then on it does.
    server.takeOver({ nonce: NONCE + 1, tag: TAG });
    await time.advance(1);
    expect(server.socket.messages).toContainEqual([ClientMessage.RESYNC, NONCE + 1, 0, HASH]);
  });

  it("of a later one, it resumes: all that is not applied goes out once, behind the WELCOME", async () => {
    const { time, server, room, lines, socket } = await joinFarRoom();
    server.event("session1", "n", 1);
    await time.advance(SOON_MS);
    room.send("move", { ...STILL, dx: 1 });
    socket.drop();
    server.diesBeforeWelcome = true;
    await time.advance(CLIENT_LIMITS.backoffMinMs + SOON_MS);
    room.send("move", { ...STILL, dx: 2 });
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(LATENCY_MS);
    expect(saidBy(server.socket)).toEqual([[ClientMessage.RESYNC, NONCE, 1, HASH]]);
    expect(room.connectionState).toBe("reconnecting");
    server.event("session1", "n", 2);
    await time.advance(SOON_MS);
    expect(lines).toEqual(["n 1", "drop 1006 undefined", "reconnect", "n 2"]);
    expect(appliedBy(server)).toEqual([1, 2]);
    expect(server.sockets).toHaveLength(2);
  });

  it("after a page was loaded again, it tells the count it was given", async () => {
    const { time, server, room } = await joinRoom();
    for (const n of [1, 2, 3]) server.event("session1", "n", n);
    await time.advance(1);
    const { resumeToken, eventsReceived } = room;
    server.diesBeforeWelcome = true;
    const reconnecting = clientOf(server).reconnect(resumeToken, { state: TestState, eventsReceived });
    await time.advance(1);
    server.takeOver({ nonce: NONCE, tag: TAG });
    const again = await settled(time, reconnecting);
    expect(server.socket.messages[0]).toEqual([ClientMessage.RESYNC, NONCE, 3, HASH]);
    expect(again.eventsReceived).toBe(3);
  });

  it("of a new session after the old one was lost, it has no events of it", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    for (const n of [1, 2, 3]) server.event("session1", "n", n);
    room.send("move", STILL);
    await time.advance(1);
    server.replaceRoom();
    server.diesBeforeWelcome = true;
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(CLIENT_LIMITS.backoffMaxMs);
    for (const n of [1, 2, 3, 4]) server.event("session2", "n", n);
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(SOON_MS);
    expect(saidBy(server.socket)[0]).toEqual([ClientMessage.RESYNC, NONCE, 0, HASH]);
    expect(lines.slice(lines.indexOf("rejoin"))).toEqual(["rejoin", "n 1", "n 2", "n 3", "n 4"]);
    expect([room.sessionId, room.eventsReceived, room.connectionState]).toEqual(["session2", 4, "open"]);
    expect(server.applied).toHaveLength(1);
  });
});

describe("the clock", () => {
  it("is measured anew, with as many pings as at the start, but not while all others do so", async () => {
    const { time, server, room, socket } = await joinFarRoom();
    // The room was down meanwhile: its time stood still.
    server.roomTimeAt = (nowMs) => nowMs - 700;
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(2 * LATENCY_MS);
    const from = socket.sent.length;
    const pings = () =>
      socket.sent
        .slice(from)
        .map(decodeClientValue)
        .filter(([type]) => type === ClientMessage.PING).length;
    await time.advance(BURST_MS);
    expect(pings()).toBeLessThan(CLIENT_LIMITS.burstPings / 2);
    await time.advance(CLIENT_LIMITS.burstPings * CLIENT_LIMITS.movedBurstPingMs);
    expect(pings()).toBeGreaterThanOrEqual(CLIENT_LIMITS.burstPings - 1);
    await time.advance(10 * BURST_MS);
    expect(room.clock.rttMs).toBe(2 * LATENCY_MS);
    expect(room.clock.now()).toBeCloseTo(time.now() - 700, 6);
  });

  it("does not keep a ping waiting that the dead owner would have answered", async () => {
    const { time, server, room } = await joinFarRoom();
    const ping = room.ping();
    const refused = expect(ping).rejects.toMatchObject({ code: "TIMEOUT" });
    server.takeOver({ nonce: NONCE, tag: TAG });
    await time.advance(LATENCY_MS);
    await refused;
    // One that is asked for now is answered by the new owner.
    expect(await settled(time, room.ping())).toBe(2 * LATENCY_MS);
  });
});

describe("is no take-over, and the session is resumed on a new connection:", () => {
  const resume = (tag: number) => encodeServerValue([ServerMessage.RESUME, NONCE, tag, 0]);
  const pong = encodeServerValue([ServerMessage.PONG, 1, 1]);
  it.each([
    ["a RESUME that ends in another tag than it tells", assembleMessage([resume(TAG)], TAG + 1)],
    ["a RESUME that ends in the old tag", assembleMessage([resume(TAG)], OLD_TAG)],
    ["a RESUME with something behind it", assembleMessage([resume(TAG), pong], TAG)],
    ["a RESUME behind something", assembleMessage([pong, resume(OLD_TAG)], OLD_TAG)],
    ["a RESUME that is cut short", assembleMessage([resume(TAG).subarray(0, -1)], TAG)],
  ])("%s", async (_what, bytes) => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    const spoilt = server.socket;
    const from = spoilt.sent.length;
    spoilt.deliver(bytes);
    await time.advance(CLIENT_LIMITS.backoffMinMs + 1);
    expect(saidBy(spoilt, from)).toEqual([]);
    expect(spoilt.closedWith).toBe(ERRORS.PROTOCOL_ERROR.close);
    expect(lines).toEqual(["drop 4420 PROTOCOL_ERROR", "reconnect"]);
    expect(room.connectionState).toBe("open");
  });

  it.each([
    ["a message with the old tag, from an owner that is dead", pong],
    ["a WELCOME with it", encodeServerValue([ServerMessage.WELCOME, 1, { tag: OLD_TAG } as never])],
  ])("%s", async (_what, part) => {
    const { time, server, room, lines, socket } = await joinFarRoom();
    room.send("move", { ...STILL, dx: 1 });
    server.takeOver({ nonce: NONCE, tag: TAG });
    socket.deliver(assembleMessage([part], OLD_TAG));
    await time.advance(CLIENT_LIMITS.backoffMinMs + SOON_MS);
    expect(lines).toEqual(["drop 4420 PROTOCOL_ERROR", "reconnect"]);
    expect(appliedBy(server)).toEqual([1]);
  });
});

it("a session whose new owner has messages that were never sent is given up", async () => {
  const { time, server, room } = await joinRoom();
  room.send("move", STILL);
  await time.advance(1);
  server.takeOver({ nonce: NONCE, tag: TAG, ack: 2 });
  await time.advance(CLIENT_LIMITS.backoffMaxMs);
  expect([room.sessionId, room.connectionState]).toEqual(["session2", "open"]);
});
