/** [A6] [R6] Rooms that are saved now and then: what the client keeps for them, and what it does when they step back. */
import { describe, expect, it } from "vitest";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { decodeClientValue } from "../../../shared/protocol/codec.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { TestState } from "./fake-server.ts";
import { BURST_MS, joinRoom, makeClient, record, settled } from "./setup.ts";

const STILL = { dx: 0, dy: 0, shoot: false };
const NONCE = 0x8215_9406;
const TAG = 0xdecaf0ff;
const LATENCY_MS = 50;
const SOON_MS = 4 * LATENCY_MS;

/** In a room that is saved now and then. */
async function joinSavedRoom() {
  const { time, server, client } = makeClient();
  server.savesLater = true;
  const room = await settled(time, client.joinOrCreate("arena", {}, { state: TestState }));
  await time.advance(BURST_MS);
  const lines = record(room);
  room.onStepBack(() => lines.push("step back"));
  server.latencyMs = LATENCY_MS;
  server.socket.latencyMs = LATENCY_MS;
  /** Sends messages, each with its number, and lets them be applied and acknowledged. */
  const send = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) room.send("note", ++sent);
    await time.advance(SOON_MS);
    server.tick += 1;
    server.step();
    await time.advance(SOON_MS);
  };
  let sent = 0;
  /** What the room has applied since, and it is put aside. */
  const applied = () => server.applied.splice(0).map(({ payload }) => payload);
  return { time, server, room, lines, send, applied };
}

type Saved = Awaited<ReturnType<typeof joinSavedRoom>>;

/** The room goes back to where message 2 was the last, and so many events had been sent. */
const ways: [way: string, goBack: (saved: Saved, events: number) => void][] = [
  [
    "over the same connection",
    ({ server }, events) => {
      server.setBack(2, events);
      server.takeOver({ nonce: NONCE, tag: TAG });
    },
  ],
  [
    "over a new connection",
    ({ server }, events) => {
      server.setBack(2, events);
      server.epoch += 1;
      server.socket.drop();
    },
  ],
];

const AFTER_MS = CLIENT_LIMITS.backoffMinMs + 2 * SOON_MS;

describe("what is acknowledged", () => {
  it("[A6] is kept until it is saved", async () => {
    const { time, server, room, send } = await joinSavedRoom();
    for (let i = 0; i < CLIENT_LIMITS.outboxMessagesMax; i++) room.send("note", i);
    await send(0);
    expect(() => room.send("note", 0)).toThrow("Too many messages");
    server.save();
    await time.advance(SOON_MS);
    room.send("note", 0);
  });

  it("[A6] is not sent again to a room that has it, and still there for one that has lost it", async () => {
    const { time, server, send, applied } = await joinSavedRoom();
    await send(5);
    expect(applied()).toEqual([1, 2, 3, 4, 5]);
    server.socket.drop();
    await time.advance(AFTER_MS);
    const again = server.socket.messages.filter(([type]) => type === ClientMessage.MESSAGE);
    expect(again).toEqual([]);
  });
});

describe.each(ways)("a room that steps back, %s:", (way, goBack) => {
  const last = way.includes("same") ? "move" : "reconnect";

  it("what it has lost is sent again, once, and its events count on", async () => {
    const saved = await joinSavedRoom();
    const { time, server, room, lines, send, applied } = saved;
    await send(2);
    server.event("session1", "n", 1);
    server.save();
    await send(3);
    server.event("session1", "n", 2);
    server.event("session1", "n", 3);
    await time.advance(SOON_MS);
    expect(applied()).toEqual([1, 2, 3, 4, 5]);

    goBack(saved, 1);
    await time.advance(AFTER_MS);
    expect(applied()).toEqual([3, 4, 5]);
    // It does again what it had done.
    for (const n of [2, 3, 4]) server.event("session1", "n", n);
    await send(1);
    expect(applied()).toEqual([6]);
    expect(lines.filter((line) => !line.startsWith("drop"))).toEqual([
      ...["n 1", "n 2", "n 3", "step back", last, "n 2", "n 3", "n 4"],
    ]);
    await time.advance(CLIENT_LIMITS.movedBurstPingMs);
    expect([room.eventsReceived, server.unacknowledged("session1")]).toEqual([6, 0]);
    expect(room.connectionState).toBe("open");
  });

  it("what the client has forgotten as well is lost, and it goes on with the rest", async () => {
    const saved = await joinSavedRoom();
    const { time, server, room, send, applied } = saved;
    await send(4);
    server.save();
    await send(2);
    applied();
    const from = server.socket.sent.length;
    goBack(saved, 0);
    // Sent in the middle of it, too: in its place.
    await time.advance(LATENCY_MS + 1);
    room.send("note", "meanwhile");
    await time.advance(AFTER_MS);
    expect(applied()).toEqual([5, 6, "meanwhile"]);
    expect(room.connectionState).toBe("open");
    const socket = server.sockets[0];
    if (last === "move") {
      const said = socket?.sent.slice(from).map(decodeClientValue) ?? [];
      const seqs = said.flatMap((value) => (value[0] === ClientMessage.MESSAGE ? [value[1]] : []));
      expect(seqs).toEqual([5, 6, 7]);
    }
    await send(1);
    expect(applied()).toHaveLength(1);
  });

  it("its clock and its acknowledgements go back, and interpolation begins anew", async () => {
    const saved = await joinSavedRoom();
    const { time, server, room, send } = saved;
    const others = room.interpolate(({ players }) => players, { numbers: ["x"] });
    await send(4);
    others.sample("session1");
    const acks: number[] = [];
    room.onState(({ ack }) => acks.push(ack));
    const { renderTimeMs } = others;
    const backMs = 60_000;
    server.roomTimeAt = (nowMs) => nowMs - backMs;
    goBack(saved, 0);
    await time.advance(AFTER_MS + BURST_MS);
    expect(acks[0]).toBe(2);
    expect(Math.abs(room.clock.now() - (time.now() - backMs))).toBeLessThan(LATENCY_MS);
    server.step();
    await time.advance(SOON_MS);
    others.sample("session1");
    expect(others.renderTimeMs).toBeLessThan(renderTimeMs - backMs / 2);
    expect(others.sample("session1")).toBeDefined();
  });
});

it("[R6] a client that was away over several owners has been set back if any of them was", async () => {
  const saved = await joinSavedRoom();
  const { time, server, lines, send } = saved;
  await send(4);
  server.setBack(2, 0);
  server.epoch += 3;
  server.socket.drop();
  await time.advance(AFTER_MS);
  expect(lines.slice(-2)).toEqual(["step back", "reconnect"]);
  // It knows by now.
  server.socket.drop();
  await time.advance(AFTER_MS);
  expect(lines.filter((line) => line === "step back")).toHaveLength(1);
});

it("a room that is written down step by step, and has lost what was forgotten, is given up", async () => {
  const { time, server, room } = await joinRoom();
  for (let i = 0; i < 4; i++) room.send("move", STILL);
  await time.advance(1);
  server.step();
  await time.advance(1);
  const lines = record(room);
  server.setBack(2, 0);
  server.stepBackEpoch = 0;
  server.takeOver({ nonce: NONCE, tag: TAG });
  room.send("move", STILL);
  await time.advance(AFTER_MS);
  expect(lines[0]).toMatch(/^drop/);
  expect(server.applied).toHaveLength(4);
});
