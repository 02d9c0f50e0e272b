import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flightToCircle, flightToWall, MISSED, overlap } from "../../../shared/games/arena/collide.ts";
import { type Point, WALLS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { firstHit, shotPositionAt } from "../../../shared/games/arena/shot.ts";

/** Evenly spread, unlike the doubles of fast-check, most of which are close to 0. */
const between = (min: number, max: number) =>
  fc.integer({ min: min * 1024, max: max * 1024 }).map((value) => value / 1024);
const point = fc.record({ x: between(0, RULES.worldWidth), y: between(0, RULES.worldHeight) });
/** A short way, as a shot makes it in a tick; it may leave the map. */
const flight = fc
  .tuple(point, between(-80, 80), between(-80, 80))
  .map(([from, dx, dy]) => ({ from, to: { x: from.x + dx, y: from.y + dy } }));

const SAMPLES = 400;
/** How far off sampling may be: one sample's part of the way, and what rounding does to a touch. */
const TOLERANCE = 1 / SAMPLES + 1e-6;

/** The part of the way to the first sampled point for which `isHit` holds. */
function sampled({ from, to }: { from: Point; to: Point }, isHit: (at: Point) => boolean): number {
  for (let i = 0; i <= SAMPLES; i++) {
    const part = i / SAMPLES;
    if (isHit({ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part })) return part;
  }
  return MISSED;
}

describe("flights in the arena", () => {
  it("meet walls and the border where sampling the way meets them", () => {
    const isHit = ({ x, y }: Point) =>
      x < 0 ||
      y < 0 ||
      x > RULES.worldWidth ||
      y > RULES.worldHeight ||
      WALLS.some((wall) => overlap(wall, x, y, 1e-9) !== undefined);
    fc.assert(
      fc.property(flight, (way) => {
        const exact = flightToWall(way.from, way.to);
        const seen = sampled(way, isHit);
        // What sampling sees is there; what it does not see is a corner that was barely cut.
        if (seen !== MISSED) expect(exact).toBeLessThanOrEqual(seen + 1e-6);
        if (exact !== MISSED && seen !== MISSED) expect(seen - exact).toBeLessThanOrEqual(0.5);
        if (exact !== MISSED) {
          const at = {
            x: way.from.x + (way.to.x - way.from.x) * exact,
            y: way.from.y + (way.to.y - way.from.y) * exact,
          };
          const isAtBorder = Math.min(at.x, at.y, RULES.worldWidth - at.x, RULES.worldHeight - at.y) < 1e-6;
          expect(isAtBorder || WALLS.some((wall) => overlap(wall, at.x, at.y, 1e-6) !== undefined)).toBe(
            true,
          );
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("meet circles where sampling the way meets them", () => {
    const offset = between(-60, 60);
    fc.assert(
      fc.property(flight, offset, offset, ({ from, to }, dx, dy) => {
        const centre = { x: from.x + dx, y: from.y + dy };
        const exact = flightToCircle(from, to, centre, 19);
        const seen = sampled(
          { from, to },
          ({ x, y }) => (x - centre.x) ** 2 + (y - centre.y) ** 2 <= 19 * 19,
        );
        if (seen === MISSED) {
          // A miss, or a touch shorter than what lies between two samples.
          if (exact !== MISSED) expect(deepest(from, to, centre)).toBeGreaterThan(18.9);
        } else {
          expect(exact).toBeLessThanOrEqual(seen);
          expect(seen - exact).toBeLessThanOrEqual(TOLERANCE);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("go straight for as long as they last, and then no further", () => {
    const shot = { x: 100, y: 200, angle: Math.PI / 2, firedAtMs: 1000 };
    expect(shotPositionAt(shot, 900)).toEqual({ x: 100, y: 200 });
    expect(shotPositionAt(shot, 1000)).toEqual({ x: 100, y: 200 });
    expect(shotPositionAt(shot, 1500).y).toBeCloseTo(200 + RULES.shotSpeed / 2);
    expect(shotPositionAt(shot, 1500).x).toBeCloseTo(100);
    const end = shotPositionAt(shot, 1000 + RULES.shotLifetimeMs);
    expect(end.y).toBeCloseTo(200 + (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000);
    expect(shotPositionAt(shot, 9000)).toEqual(end);
  });

  it("hit the nearest of those in the way, unless a wall is nearer", () => {
    const from = { x: 60, y: 60 };
    const to = { x: 400, y: 60 };
    const near = { x: 150, y: 70 };
    const far = { x: 250, y: 60 };
    expect(firstHit(from, to, [far, near])).toBe(near);
    expect(firstHit(from, to, [{ x: 150, y: 85 }, far])).toBe(far);
    expect(firstHit(from, to, [])).toBeUndefined();
    expect(firstHit(from, to, [{ x: 450, y: 60 }])).toBeUndefined();
    const beyond = { x: 350, y: 300 };
    expect(firstHit({ x: 200, y: 300 }, { x: 340, y: 300 }, [beyond])).toBe("wall");
    expect(firstHit({ x: 320, y: 300 }, { x: 340, y: 300 }, [beyond])).toBe(beyond);
    expect(firstHit(from, { x: 60, y: -1 }, [])).toBe("wall");
  });

  it("do not hit the shooter, and hit at once who stands where they begin", () => {
    const shooter = { x: 60, y: 60 };
    const close = { x: 70, y: 60 };
    expect(firstHit(shooter, { x: 105, y: 60 }, [shooter], shooter)).toBeUndefined();
    expect(firstHit(shooter, { x: 15, y: 60 }, [shooter, close], shooter)).toBe(close);
  });
});

/** The least distance between the centre and the way. */
function deepest(from: Point, to: Point, centre: Point): number {
  const way = { x: to.x - from.x, y: to.y - from.y };
  const length = way.x * way.x + way.y * way.y;
  const along = ((centre.x - from.x) * way.x + (centre.y - from.y) * way.y) / length;
  const part = Math.min(1, Math.max(0, along));
  return Math.sqrt((from.x + way.x * part - centre.x) ** 2 + (from.y + way.y * part - centre.y) ** 2);
}
