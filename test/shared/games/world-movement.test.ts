/** How players of the world move: one function for server and client, on the grids of what is replicated. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RULES } from "../../../shared/games/world/rules.ts";
import { WorldState } from "../../../shared/games/world/schema.ts";
import { type Body, NO_STEERING, type Steering, stepPlayer } from "../../../shared/games/world/step.ts";
import { StateEncoder } from "../../../shared/schema/index.ts";
import { between } from "../../support/between.ts";

const MIDDLE: Body = { x: 2000, y: 2000, stamina: RULES.staminaMax };
const EAST: Steering = { dx: 127, dy: 0, sprint: false };

function stepFor(body: Body, steering: Steering, milliseconds: number): Body {
  let moved = body;
  for (let ms = 0; ms < milliseconds; ms += 50) moved = stepPlayer(moved, steering, 50);
  return moved;
}

describe("a player", () => {
  it("walks at walking speed in every direction", () => {
    expect(stepFor(MIDDLE, EAST, 1000)).toEqual({ ...MIDDLE, x: 2000 + RULES.walkSpeed });
    const { x, y } = stepFor(MIDDLE, { dx: -127, dy: 127, sprint: false }, 1000);
    expect(Math.hypot(x - 2000, y - 2000)).toBeCloseTo(RULES.walkSpeed, -1);
    expect(stepFor(MIDDLE, { dx: 0, dy: -127 / 2, sprint: false }, 1000).y).toBeCloseTo(
      2000 - RULES.walkSpeed / 2,
      -1,
    );
    expect(stepFor(MIDDLE, NO_STEERING, 1000)).toEqual(MIDDLE);
  });

  it("sprints while there is stamina, which comes back at rest", () => {
    const sprinted = stepFor(MIDDLE, { ...EAST, sprint: true }, 1000);
    expect(sprinted).toEqual({
      x: 2000 + RULES.sprintSpeed,
      y: 2000,
      stamina: RULES.staminaMax - RULES.staminaLoss,
    });
    expect(stepFor(sprinted, NO_STEERING, 1000).stamina).toBe(sprinted.stamina + RULES.staminaGain);
    const tired = stepFor({ ...MIDDLE, stamina: 0 }, { ...EAST, sprint: true }, 1000);
    expect(tired.x - 2000).toBeGreaterThanOrEqual(RULES.walkSpeed);
    expect(tired.x - 2000).toBeLessThan((RULES.walkSpeed + RULES.sprintSpeed) / 2);
    // Who stands still does not sprint.
    expect(stepFor(MIDDLE, { ...NO_STEERING, sprint: true }, 1000)).toEqual(MIDDLE);
  });

  it("stays in the world, and on the grids of what is replicated", () => {
    const { root } = new StateEncoder(WorldState);
    const body = fc.record({
      x: fc.integer({ min: 0, max: RULES.worldWidth * 16 }).map((index) => index / 16),
      y: fc.integer({ min: 0, max: RULES.worldHeight * 16 }).map((index) => index / 16),
      stamina: fc.integer({ min: 0, max: RULES.staminaMax * 4 }).map((index) => index / 4),
    });
    const deflection = fc.integer({ min: -128, max: 127 });
    const steering = fc.record({ dx: deflection, dy: deflection, sprint: fc.boolean() });
    fc.assert(
      fc.property(body, steering, between(0, 5_000), (from, how, durationMs) => {
        const moved = stepPlayer(from, how, durationMs);
        const { x, y, stamina } = root.players.set("p", moved);
        expect({ x, y, stamina }).toEqual(moved);
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(RULES.playerRadius);
        expect(x).toBeLessThanOrEqual(RULES.worldWidth - RULES.playerRadius);
        expect(y).toBeLessThanOrEqual(RULES.worldHeight - RULES.playerRadius);
      }),
    );
  });
});
