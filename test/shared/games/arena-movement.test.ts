import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { overlap } from "../../../shared/games/arena/collide.ts";
import { type Rect, SPAWNS, WALLS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { Player } from "../../../shared/games/arena/schema.ts";
import { type Body, type Direction, NO_DIRECTION, stepBody } from "../../../shared/games/arena/step.ts";
import { payIn, takeOut } from "../../../shared/games/arena/time-account.ts";
import { entity, map, StateEncoder } from "../../../shared/schema/index.ts";
import { between } from "../../support/between.ts";

type Input = { readonly direction: Direction; readonly durationMs: number };

const direction = fc.record({
  dx: fc.integer({ min: -128, max: 127 }),
  dy: fc.integer({ min: -128, max: 127 }),
});
const durationMs = fc.integer({ min: RULES.inputMsMin, max: RULES.inputMsMax });
const inputs: fc.Arbitrary<Input[]> = fc.array(fc.record({ direction, durationMs }), { maxLength: 60 });
/** Long stretches in one direction, which lead into walls. */
const runs: fc.Arbitrary<Input[]> = fc
  .array(fc.tuple(direction, fc.array(durationMs, { minLength: 5, maxLength: 25 })), { maxLength: 8 })
  .map((stretches) =>
    stretches.flatMap(([held, durations]) => durations.map((ms) => ({ direction: held, durationMs: ms }))),
  );
const spawn = fc.constantFrom(...SPAWNS);

const resting = ({ x, y }: { x: number; y: number }): Body => ({ x, y, vx: 0, vy: 0 });
const RIGHT: Direction = { dx: 127, dy: 0 };

/** The states a body goes through, the first included. */
function walk(start: Body, taken: readonly Input[]): Body[] {
  const bodies = [start];
  for (const { direction: held, durationMs: ms } of taken) {
    bodies.push(stepBody(bodies.at(-1) ?? start, held, ms));
  }
  return bodies;
}

function speedOf({ vx, vy }: Body): number {
  return Math.sqrt(vx * vx + vy * vy);
}

describe("movement in the arena", () => {
  it("gets to full speed and keeps it, in every direction of the stick", () => {
    for (let turn = 0; turn < 16; turn++) {
      const angle = (turn / 16) * 2 * Math.PI;
      const held = { dx: Math.round(127 * Math.cos(angle)), dy: Math.round(127 * Math.sin(angle)) };
      const taken = Array.from({ length: 10 }, () => ({ direction: held, durationMs: 20 }));
      const last = walk(resting({ x: 980, y: 600 }), taken).at(-1);
      expect(Math.abs(speedOf(last ?? resting({ x: 0, y: 0 })) - RULES.speedMax)).toBeLessThan(3);
    }
  });

  it("is not faster along a diagonal, and slower for a stick that is held half way", () => {
    const at = { x: 980, y: 600, vx: 0, vy: 0 };
    const diagonal = walk(at, new Array<Input>(10).fill({ direction: { dx: 127, dy: 127 }, durationMs: 20 }));
    expect(Math.abs(speedOf(diagonal.at(-1) ?? at) - RULES.speedMax)).toBeLessThan(3);
    const half = walk(at, new Array<Input>(10).fill({ direction: { dx: 64, dy: 0 }, durationMs: 20 }));
    expect(half.at(-1)?.vx).toBe(126);
  });

  it("takes time to speed up and to stop", () => {
    const first = stepBody(resting({ x: 980, y: 600 }), RIGHT, 50);
    expect(first).toEqual({ x: 984, y: 600, vx: 80, vy: 0 });
    const moving = { x: 980, y: 600, vx: RULES.speedMax, vy: 0 };
    expect(stepBody(moving, NO_DIRECTION, 50).vx).toBe(150);
    expect(
      walk(moving, new Array<Input>(3).fill({ direction: NO_DIRECTION, durationMs: 50 })).at(-1),
    ).toMatchObject({ vx: 0, vy: 0 });
  });

  it("lets who stands still stand still, to the bit, wherever that is", () => {
    fc.assert(
      fc.property(spawn, runs, (from, taken) => {
        const { x, y } = walk(resting(from), taken).at(-1) ?? from;
        expect(stepBody({ x, y, vx: 0, vy: 0 }, NO_DIRECTION, 50)).toEqual({ x, y, vx: 0, vy: 0 });
      }),
    );
  });

  it("stops at a wall and slides along it", () => {
    const [wall] = WALLS as [Rect];
    const left = { x: wall.x - 60, y: wall.y + 20, vx: 0, vy: 0 };
    const against = walk(left, new Array<Input>(20).fill({ direction: RIGHT, durationMs: 50 })).at(-1);
    expect(against).toEqual({ x: wall.x - RULES.playerRadius, y: wall.y + 20, vx: 0, vy: 0 });
    const along = walk(left, new Array<Input>(10).fill({ direction: { dx: 90, dy: 90 }, durationMs: 50 })).at(
      -1,
    );
    expect(along?.x).toBe(wall.x - RULES.playerRadius);
    expect(along?.vx).toBe(0);
    expect(along?.vy).toBeGreaterThan(170);
  });

  it("stops at the border", () => {
    const taken = new Array<Input>(20).fill({ direction: { dx: -127, dy: -127 }, durationMs: 50 });
    expect(walk(resting({ x: 60, y: 60 }), taken).at(-1)).toEqual(resting({ x: 16, y: 16 }));
    const { worldWidth, worldHeight } = RULES;
    const other = new Array<Input>(20).fill({ direction: { dx: 127, dy: 127 }, durationMs: 50 });
    expect(walk(resting({ x: worldWidth - 60, y: worldHeight - 60 }), other).at(-1)).toEqual(
      resting({ x: worldWidth - 16, y: worldHeight - 16 }),
    );
  });

  it("never leaves the map, enters a wall or jumps, whatever the inputs", () => {
    fc.assert(
      fc.property(spawn, fc.oneof(inputs, runs), (from, taken) => {
        const bodies = walk(resting(from), taken);
        bodies.forEach((body, i) => {
          const { x, y } = body;
          expect(x >= 16 && x <= RULES.worldWidth - 16 && y >= 16 && y <= RULES.worldHeight - 16).toBe(true);
          // Snapping to the grid can bring a body that touches a wall half a step into it.
          for (const wall of WALLS) {
            expect(overlap(wall, x, y, RULES.playerRadius)?.depth ?? 0).toBeLessThanOrEqual(
              RULES.positionStep,
            );
          }
          expect(speedOf(body)).toBeLessThan(RULES.speedMax + RULES.speedStep);
          const before = bodies[i - 1];
          if (before === undefined) return;
          const way = Math.sqrt((x - before.x) ** 2 + (y - before.y) ** 2);
          const ms = taken[i - 1]?.durationMs ?? 0;
          // Going round a corner, a body is pushed aside as well.
          expect(way).toBeLessThan(((RULES.speedMax + RULES.speedStep) * ms * 1.12) / 1000 + 0.1);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("gives a client that goes on from replicated values the server's bits", () => {
    fc.assert(
      fc.property(spawn, fc.oneof(inputs, runs), fc.nat(), (from, taken, cut) => {
        const encoder = new StateEncoder(entity({ players: map(Player) }));
        const player = encoder.root.players.set("a", from);
        const bodies = walk(resting(from), taken);
        bodies.forEach((body, i) => {
          const input = taken[i - 1];
          if (input !== undefined) {
            // The server steps from what its state reads back, and stores what comes of it.
            Object.assign(player, stepBody(player, input.direction, input.durationMs));
          }
          const { x, y, vx, vy } = player;
          expect(Object.is(body.x, x) && Object.is(body.y, y)).toBe(true);
          expect(Object.is(body.vx, vx) && Object.is(body.vy, vy)).toBe(true);
        });
        // A client that joins half way sees the rest alike.
        const at = taken.length === 0 ? 0 : cut % taken.length;
        expect(walk(bodies[at] ?? resting(from), taken.slice(at)).at(-1)).toEqual(bodies.at(-1));
      }),
      { numRuns: 200 },
    );
  });
});

describe("the arena's map", () => {
  const clearance = 2 * RULES.playerRadius + 8;

  it("has spawns clear of walls, of the border and of each other", () => {
    expect(SPAWNS).toHaveLength(16);
    for (const { x, y } of SPAWNS) {
      expect(x >= clearance && x <= RULES.worldWidth - clearance).toBe(true);
      expect(y >= clearance && y <= RULES.worldHeight - clearance).toBe(true);
      for (const wall of WALLS) expect(overlap(wall, x, y, RULES.playerRadius + 8)).toBeUndefined();
    }
    expect(new Set(SPAWNS.map(({ x, y }) => `${x} ${y}`)).size).toBe(SPAWNS.length);
  });

  it("has walls too thick to pass through in one step", () => {
    const stepMax = ((RULES.speedMax + RULES.speedStep) * RULES.inputMsMax) / 1000;
    for (const { width, height } of WALLS) {
      expect(Math.min(width, height) / 2 + RULES.playerRadius).toBeGreaterThan(stepMax);
    }
  });

  it("has room to pass between any two walls that do not touch, and along the border", () => {
    for (const [i, a] of WALLS.entries()) {
      expect(Math.min(a.x, a.y)).toBeGreaterThanOrEqual(clearance);
      expect(RULES.worldWidth - a.x - a.width).toBeGreaterThanOrEqual(clearance);
      expect(RULES.worldHeight - a.y - a.height).toBeGreaterThanOrEqual(clearance);
      for (const b of WALLS.slice(i + 1)) {
        const gapX = Math.max(a.x - b.x - b.width, b.x - a.x - a.width, 0);
        const gapY = Math.max(a.y - b.y - b.height, b.y - a.y - a.height, 0);
        const gap = Math.sqrt(gapX * gapX + gapY * gapY);
        expect(gap === 0 || gap >= clearance).toBe(true);
      }
    }
  });
});

describe("the time account", () => {
  const events = fc.array(
    fc.oneof(
      fc.record({ pay: between(0, 250) }),
      fc.record({ take: fc.integer({ min: RULES.inputMsMin, max: RULES.inputMsMax }) }),
    ),
    { maxLength: 100 },
  );

  it("grants no more than has passed, and loses nothing: granted, idle and kept make up the time", () => {
    fc.assert(
      fc.property(events, (history) => {
        const account = { balanceMs: 0 };
        let passed = 0;
        let granted = 0;
        let idle = 0;
        for (const event of history) {
          if ("pay" in event) {
            passed += event.pay;
            idle += payIn(account, event.pay);
          } else {
            const taken = takeOut(account, event.take);
            expect(taken >= 0 && taken <= event.take).toBe(true);
            granted += taken;
          }
          expect(granted).toBeLessThanOrEqual(passed + 1e-6);
          expect(account.balanceMs >= 0 && account.balanceMs <= RULES.inputBacklogMsMax).toBe(true);
        }
        expect(granted + idle + account.balanceMs).toBeCloseTo(passed, 6);
      }),
    );
  });

  it("grants inputs in full that keep pace, at 20 and at 60 a second", () => {
    for (const perTick of [[50], [17, 17, 16]]) {
      const account = { balanceMs: 0 };
      payIn(account, 50);
      for (let tick = 0; tick < 100; tick++) {
        for (const ms of perTick) expect(takeOut(account, ms)).toBe(ms);
        expect(payIn(account, 50)).toBe(0);
      }
    }
  });
});
