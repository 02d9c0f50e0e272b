import { describe, expect, test } from "vitest";
import { averageSeen } from "../world/average-seen.ts";
import { Sight } from "../world/sight.ts";
import { CREATURES, isWalking, spawnCreature, viewpoint, WORLD, walk } from "../world/world.ts";

const DT_MS = 1_000 / WORLD.ticksPerSecond;

describe("the world", () => {
  test("3 in 10 creatures walk in every tick, and each of them in its time", () => {
    const walked = new Set<number>();
    for (let tick = 0; tick < 200; tick++) {
      const walking = Array.from({ length: CREATURES }, (_, index) => index).filter((index) =>
        isWalking(index, tick),
      );
      expect(walking.length).toBe(CREATURES * 0.3);
      for (const index of walking) walked.add(index);
    }
    expect(walked.size).toBe(CREATURES);
  });

  test("who walks moves in x, y and angle, and stays in the meadow", () => {
    const isInside = (place: number) => place >= 0 && place <= WORLD.size;
    const isEdge = (place: number) => place === 0 || place === WORLD.size;
    for (let index = 0; index < CREATURES; index++) {
      const creature = spawnCreature(index);
      let wrong = 0;
      for (let tick = 0; tick < 500; tick++) {
        const { x, y, angle } = creature;
        walk(creature, index, tick, DT_MS);
        const moved = creature.x !== x && creature.y !== y && creature.angle !== angle;
        if (!moved && !isEdge(creature.x) && !isEdge(creature.y)) wrong += 1;
        if (!isInside(creature.x) || !isInside(creature.y) || Math.abs(creature.angle) > Math.PI) wrong += 1;
      }
      expect(wrong).toBe(0);
    }
  });

  test("viewers move, and have meadow all around them", () => {
    const reach = WORLD.viewRadius * WORLD.keepFactor;
    for (let viewer = 0; viewer < 400; viewer++) {
      for (let tick = 0; tick < 100; tick++) {
        const { x, y } = viewpoint(viewer, tick);
        expect(Math.min(x, y, WORLD.size - x, WORLD.size - y)).toBeGreaterThanOrEqual(reach - 1e-6);
      }
      expect(viewpoint(viewer, 1)).not.toEqual(viewpoint(viewer, 0));
    }
  });

  test("a viewer sees about 40 creatures, and twice as many of twice as many", () => {
    const seen = averageSeen(CREATURES, WORLD.viewRadius);
    expect(seen).toBeGreaterThan(38);
    expect(seen).toBeLessThan(42);
    expect(averageSeen(2 * CREATURES, WORLD.viewRadius) / seen).toBeCloseTo(2, 1);
  });
});

describe("sight", () => {
  test("begins at the radius and ends a little beyond", () => {
    const sight = new Sight(1, 100);
    const said: string[] = [];
    const changes = { entered: () => said.push("entered"), left: () => said.push("left") };
    const sizes = [150, 105, 100, 105, 110, 111, 105].map((x) => {
      sight.update({ x: 0, y: 0 }, Float64Array.of(x, 0), changes);
      return sight.size;
    });
    expect(sizes).toEqual([0, 0, 1, 1, 1, 0, 0]);
    expect(said).toEqual(["entered", "left"]);
  });
});
