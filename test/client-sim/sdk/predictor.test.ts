/** Prediction, reconciliation and the blending of corrections, in a room on simulated time. */
import { describe, expect, it } from "vitest";
import type { Room } from "../../../client-sim/sdk/index.ts";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { SchemaError } from "../../../shared/schema/index.ts";
import { ArenaPlayer, FRAME_MS } from "./arena-player.ts";
import { bodyOf, moveInput, TICK_MS } from "./fake-arena.ts";
import { joinRoom, record, type TestRoom } from "./setup.ts";

const EAST = { dx: 127, dy: 0 };

/** Moves by `dx` per input; the server of these rooms puts players wherever the test says. */
function predictX(room: TestRoom, options: { readonly snapDistance?: number } = {}) {
  return room.predict({
    message: "move",
    read: ({ players }) => {
      const player = players.get(room.sessionId);
      return player === undefined || player.hp === 0 ? undefined : { x: player.x, heading: player.hp / 10 };
    },
    step: (body, { dx }) => ({ ...body, x: body.x + dx }),
    numbers: ["x"],
    angles: ["heading"],
    ...options,
  });
}

async function joinX(options: { readonly snapDistance?: number } = {}) {
  const joined = await joinRoom();
  const player = joined.server.encoder.root.players.get("session1");
  if (player === undefined) throw new Error("the session has no player");
  const input = (dx: number) => ({ dx, dy: 0, shoot: false });
  /** A tick with the player here. */
  const put = async (x: number, hp = 10): Promise<void> => {
    player.x = x;
    player.hp = hp;
    joined.server.step();
    await joined.time.advance(0);
  };
  await put(100);
  return { ...joined, me: predictX(joined.room, options), put, input };
}

describe("a predictor", () => {
  it("applies an input at once, as the server decodes it", async () => {
    const { server, time, room, me } = await ArenaPlayer.join();
    const seen: number[] = [];
    const exact = room.predict({
      message: "move",
      read: () => ({ x: 0 }),
      step: (body, { aim, durationMs }) => {
        seen.push(aim, durationMs);
        return { x: body.x + aim };
      },
    });
    exact.send({ ...moveInput(EAST, 16.4), aim: 1 / 3 });
    expect(seen[0]).not.toBe(1 / 3);
    expect(seen[0]).toBeCloseTo(1 / 3, 4);
    expect(seen[1]).toBe(16);
    expect(exact.body).toEqual({ x: seen[0] });
    await time.advance(TICK_MS);
    expect(server.player(room.sessionId).angle).toBeCloseTo(1 / 3, 1);

    const before = me.body;
    me.send(moveInput(EAST, 16));
    expect(me.body?.x).toBeGreaterThan(before?.x ?? 0);
    expect(me.shown()).toEqual(me.body);
  });

  it("gets payloads without a binary schema as they are", async () => {
    const { server, room, time } = await joinX();
    const untyped = room as unknown as Room;
    const me = untyped.predict<string, { x: number }>({
      message: "go",
      read: () => ({ x: 1 }),
      step: ({ x }, input) => ({ x: x + Number(input) }),
    });
    expect(me.send(0.1)).toBe(1);
    expect(me.body).toEqual({ x: 1.1 });
    await time.advance(0);
    expect(server.applied).toEqual([{ sessionId: "session1", type: "go", payload: 0.1 }]);
  });

  it("goes back to the server's body and applies the inputs it has not acknowledged", async () => {
    const { server, time, me, put, input } = await joinX();
    server.socket.latencyMs = 30;
    for (const dx of [1, 2, 3]) me.send(input(dx));
    expect(me.body?.x).toBe(106);
    await time.advance(30);
    me.send(input(4));
    me.send(input(5));
    expect([me.body?.x, me.pending]).toEqual([115, 5]);
    // The server has the first three, and did something else with them.
    server.socket.latencyMs = 0;
    await put(200);
    expect([me.body?.x, me.pending, me.corrections]).toEqual([209, 2, 1]);
    await time.advance(30);
    await put(209);
    expect([me.body?.x, me.pending, me.corrections]).toEqual([209, 0, 1]);
  });

  it("leaves alone what the server agrees with", async () => {
    const { time, me, put, input } = await joinX();
    for (let x = 101; x < 110; x++) {
      me.send(input(1));
      await time.advance(1);
      await put(x);
      expect(me.body?.x).toBe(x);
    }
    expect(me.corrections).toBe(0);
  });

  it("follows a body that the server moves without any input", async () => {
    const { me, put } = await joinX();
    await put(150);
    expect([me.body?.x, me.corrections]).toEqual([150, 1]);
  });

  it("has no body while there is none, and applies what was sent meanwhile once there is one", async () => {
    const { server, time, me, put, input } = await joinX();
    await put(100, 0);
    expect([me.body, me.shown()]).toEqual([undefined, undefined]);
    server.socket.latencyMs = 30;
    me.send(input(7));
    expect(me.body).toBeUndefined();
    server.socket.latencyMs = 0;
    await put(500, 10);
    expect([me.body?.x, me.shown()?.x]).toEqual([507, 507]);
    await time.advance(30);
    await put(507);
    expect([me.body?.x, me.corrections]).toEqual([507, 0]);
  });

  it("takes no more inputs than it keeps, and goes on when the server has answered", async () => {
    const { server, time, me, put, input } = await joinX();
    server.socket.latencyMs = 1_000;
    const max = CLIENT_LIMITS.predictedInputsMax;
    for (let i = 1; i <= max; i++) expect(me.send(input(1))).toBe(i);
    expect(me.send(input(1))).toBeUndefined();
    expect([me.pending, me.body?.x]).toEqual([max, 100 + max]);
    await time.advance(1_000);
    server.socket.latencyMs = 0;
    await put(100 + max);
    expect(me.send(input(1))).toBe(max + 1);
    await time.advance(0);
    expect(server.applied).toHaveLength(max + 1);
  });

  it("shows what has been going on since the last input, and does not keep it", async () => {
    const { me, input } = await joinX();
    expect(me.shown(undefined, input(5))?.x).toBe(105);
    expect([me.body?.x, me.shown()?.x]).toEqual([100, 100]);
  });

  it("throws what sending throws, and predicts nothing then", async () => {
    const { room, time, me, input } = await joinX();
    const leaving = room.leave();
    expect(() => me.send(input(1))).toThrow(expect.objectContaining({ code: "ROOM_CLOSED" }));
    expect([me.body?.x, me.pending]).toEqual([100, 0]);
    await time.advance(CLIENT_LIMITS.leaveMs);
    await leaving;
  });

  it("reports what reading the state throws, and the room goes on", async () => {
    const { room, server, put } = await joinX();
    const errors: unknown[] = [];
    room.onError((error) => errors.push(error));
    let isBroken = false;
    room.predict({
      message: "move",
      read: () => {
        if (isBroken) throw new SchemaError("mine");
        return { x: 0 };
      },
      step: (body) => body,
    });
    isBroken = true;
    await put(130);
    expect(errors).toEqual([new SchemaError("mine")]);
    expect(room.tick).toBe(server.tick);
  });

  it("is ahead of the room's own callbacks, and stops when told to", async () => {
    const { room, put } = await joinX();
    const seen: (number | undefined)[] = [];
    let me: ReturnType<typeof predictX> | undefined;
    room.onState(() => void seen.push(me?.body?.x));
    me = predictX(room);
    await put(120);
    me.stop();
    await put(130);
    expect(seen).toEqual([120, 120]);
  });
});

describe("a correction", () => {
  const times = [0, 10, 25, 50, 75, 99, 100, 1_000];

  it("is blended out in a tenth of a second, beginning where it was", async () => {
    const { time, me, put } = await joinX();
    await put(140);
    const nowMs = time.now();
    const shown = times.map((ms) => me.shown(nowMs + ms)?.x ?? 0);
    expect(shown[0]).toBeCloseTo(100, 9);
    expect(shown[3]).toBeCloseTo(120, 9);
    expect(shown.slice(-2)).toEqual([140, 140]);
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
    expect(me.body?.x).toBe(140);
    // Of a frame that began before the state came.
    expect(me.shown(nowMs - 5)?.x).toBeCloseTo(100, 9);
  });

  it("moves along with the body", async () => {
    const { time, me, put, input } = await joinX();
    await put(140);
    await time.advance(50);
    me.send(input(8));
    expect(me.shown()?.x).toBeCloseTo(128, 9);
    expect(me.body?.x).toBe(148);
  });

  it("begins another from what is drawn when it comes in the middle of one", async () => {
    const { time, me, put } = await joinX();
    await put(140);
    await time.advance(50);
    const before = me.shown()?.x;
    await put(100);
    expect(me.shown()?.x).toBeCloseTo(before ?? 0, 9);
    await time.advance(100);
    expect(me.shown()?.x).toBe(100);
  });

  it("is jumped when it is large", async () => {
    const { me, put } = await joinX({ snapDistance: 50 });
    await put(151);
    expect(me.shown()?.x).toBe(151);
    await put(200);
    expect(me.shown()?.x).toBeCloseTo(151, 9);
  });

  it("is jumped when the body was gone", async () => {
    const { me, put } = await joinX();
    await put(140);
    await put(140, 0);
    await put(900);
    expect(me.shown()?.x).toBe(900);
  });

  it("turns angles the shorter way", async () => {
    const { time, me, put } = await joinX();
    await put(100, 60);
    const half = time.now() + 50;
    // From 1 rad down through 0 to 6 rad, 1.28 rad away.
    expect(me.shown(half)?.heading).toBeCloseTo(6 + (1 + 2 * Math.PI - 6) / 2, 9);
    expect(me.shown(half + 50)?.heading).toBe(6);
  });
});

describe("over lost connections", () => {
  it("nothing is corrected when the session goes on soon: the inputs are sent again", async () => {
    const player = await ArenaPlayer.join();
    const { me, room, server } = player;
    const lines = record(room);
    await player.play(1_000);
    const bodies = new Map<number, unknown>();
    server.socket.drop();
    await player.play(1_000, () => void bodies.set(player.lastSeq, me.body));
    expect(lines).toEqual(["drop 1006 undefined", "reconnect"]);
    expect(me.corrections).toBe(0);
    await player.time.advance(0);
    for (const [seq, body] of bodies) expect(body).toEqual(player.serverBody(seq));
  });

  it("it begins anew with a new session, whose sequence numbers begin anew", async () => {
    const player = await ArenaPlayer.join({ others: 1 });
    const { me, room, server } = player;
    const lines = record(room);
    await player.play(2_000, () => player.others.sample("other0"));
    const renderTimeMs = player.others.renderTimeMs;
    expect(renderTimeMs).toBeGreaterThan(1_000);
    server.replaceRoom();
    server.socket.drop();
    while (!lines.includes("rejoin")) await player.play(FRAME_MS);
    expect(me.pending).toBeLessThan(5);
    expect([...player.others.entries()].map(([id]) => id)).toEqual(["session2"]);
    expect(player.others.renderTimeMs).toBeLessThan(renderTimeMs);

    // The first inputs come before the server has granted the new player any time.
    await player.play(2 * TICK_MS);
    const { corrections } = me;
    await player.play(2_000);
    expect(player.lastSeq).toBeLessThan(200);
    expect(me.corrections).toBe(corrections);
    await player.time.advance(0);
    expect(me.body).toEqual(player.serverBody(player.lastSeq));
    expect(bodyOf(server.player("session2"))).toEqual(me.body);
  });
});
