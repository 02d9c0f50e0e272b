/**
 * What players are promised of the arena over a bad network, with its real step, in simulated time: 100 +- 20 ms in each
 * direction, and 5% of the updates held up by another 200 ms.
 */
import { describe, expect, it } from "vitest";
import { overlap } from "../../../shared/games/arena/collide.ts";
import { WALLS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import type { Body } from "../../../shared/games/arena/step.ts";
import { ArenaPlayer, FRAME_MS } from "./arena-player.ts";
import { bodyOf, type StepAmong, stepBlocked, TICK_MS } from "./fake-arena.ts";

const MINUTE_MS = 60_000;
const SEEDS = [1, 2, 3];

/** What was predicted, by the last input it includes: on sending that input, and after each state since. */
async function playAndCompare(player: ArenaPlayer, forMs: number) {
  const predicted: { readonly seq: number; readonly body: Body | undefined }[] = [];
  const note = () => predicted.push({ seq: player.lastSeq, body: player.me.body });
  const unfollow = player.room.onState(() => player.lastSeq > 0 && note());
  let frames = 0;
  let correctedFrames = 0;
  await player.play(forMs, () => {
    note();
    frames += 1;
    const { x, y } = player.me.body as Body;
    const shown = player.me.shown();
    if (shown?.x !== x || shown.y !== y) correctedFrames += 1;
  });
  const { corrections } = player.me;
  unfollow();
  // The last inputs are still on their way.
  await player.time.advance(1_000);
  const wrong = predicted.filter(({ seq, body }) => {
    const truth = player.serverBody(seq);
    return truth === undefined || !sameBits(body, truth);
  });
  return { frames, correctedFrames, corrections, compared: predicted.length, wrong: wrong.length };
}

function sameBits(a: Body | undefined, b: Body): boolean {
  return a !== undefined && (["x", "y", "vx", "vy"] as const).every((field) => Object.is(a[field], b[field]));
}

function isAtWall({ x, y }: Body): boolean {
  return WALLS.some((wall) => overlap(wall, x, y, RULES.playerRadius + RULES.positionStep) !== undefined);
}

describe("at 100 +- 20 ms, 5% of the updates held up by 200 ms", () => {
  it.each(SEEDS)(
    "the own body is exactly the server's, with every input and after every state (seed %i)",
    async (seed) => {
      const player = await ArenaPlayer.join({ seed });
      const start = bodyOf(player.me.body as Body);
      const result = await playAndCompare(player, MINUTE_MS);
      expect(result.compared).toBeGreaterThan(4_000);
      expect(result).toMatchObject({ wrong: 0, corrections: 0, correctedFrames: 0 });
      // It was played indeed, and walls were in the way.
      expect(player.me.body).not.toEqual(start);
      expect([...player.server.bodies.values()].some(isAtWall)).toBe(true);
      expect(player.lastSeq).toBe(result.frames);
    },
  );

  it.each(SEEDS)(
    "collisions with other players that the client cannot foresee show in less than one frame in twenty (seed %i)",
    async (seed) => {
      const player = await ArenaPlayer.join({ seed, step: stepBlocked, others: 15 });
      const result = await playAndCompare(player, MINUTE_MS);
      expect(result.corrections).toBeGreaterThan(0);
      expect(result.correctedFrames).toBeGreaterThan(0);
      expect(result.correctedFrames / result.frames).toBeLessThan(0.05);
      // At rest, all that is left is the truth.
      expect(player.me.shown()).toEqual(bodyOf(player.server.player(player.room.sessionId)));
    },
  );

  it.each(SEEDS)("others move without a step back or a jump in time (seed %i)", async (seed) => {
    const player = await ArenaPlayer.join({ seed, step: runEast, others: 1 });
    const { others, server, time, room } = player;
    server.player("other0").x = 20;
    await player.play(1_000);
    let lastX = 0;
    let lastMs = 0;
    let stillFrames = 0;
    let frames = 0;
    await player.play(30_000, () => {
      const at = others.sample("other0");
      if (at === undefined) return;
      expect(at.x).toBeGreaterThanOrEqual(lastX);
      const ranMs = others.renderTimeMs - lastMs;
      if (lastMs > 0) {
        expect(ranMs).toBeLessThanOrEqual(FRAME_MS * 1.05 + 1e-6);
        frames += 1;
        if (ranMs === 0) stillFrames += 1;
      }
      lastX = at.x;
      lastMs = others.renderTimeMs;
    });
    expect(frames).toBeGreaterThan(1_700);
    expect(lastX).toBeGreaterThan(1_000);
    // Nearly always there is something to show, at a delay that the network asks for.
    expect(stillFrames / frames).toBeLessThan(0.05);
    expect(others.delayMs).toBeGreaterThan(100 + TICK_MS);
    expect(others.delayMs).toBeLessThan(100 + 20 + 200 + 2 * TICK_MS);
    expect(Math.abs(others.renderTimeMs + others.delayMs - server.roomTimeAt(time.now()))).toBeLessThan(20);
    expect(room.connectionState).toBe("open");
  });
});

/** One way, always on: what goes back on the screen is a fault of the screen. */
const runEast: StepAmong = (body, _direction, durationMs) => ({ ...body, x: body.x + durationMs / 16 });
