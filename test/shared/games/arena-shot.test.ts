import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flightToCircle, flightToWall, MISSED, overlap } from "../../../shared/games/arena/collide.ts";
import { type Point, WALLS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import {
  type FiredShot,
  firstHit,
  flightMs,
  shotPositionAt,
  type Way,
} from "../../../shared/games/arena/shot.ts";

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
    const shot = { x: 100, y: 200, angle: Math.PI / 2, firedAtMs: 1000, lifeMs: 700 };
    expect(shotPositionAt(shot, 900)).toEqual({ x: 100, y: 200 });
    expect(shotPositionAt(shot, 1000)).toEqual({ x: 100, y: 200 });
    expect(shotPositionAt(shot, 1500).y).toBeCloseTo(200 + RULES.shotSpeed / 2);
    expect(shotPositionAt(shot, 1500).x).toBeCloseTo(100);
    const end = shotPositionAt(shot, 1700);
    expect(end.y).toBeCloseTo(200 + (RULES.shotSpeed * 700) / 1000);
    expect(shotPositionAt(shot, 9000)).toEqual(end);
  });

  it("last until a wall or the border is met, or to the end of their range", () => {
    const msFor = (way: number) => Math.floor((way / RULES.shotSpeed) * 1000);
    expect(flightMs({ x: 60, y: 60 }, 0)).toBe(RULES.shotLifetimeMs);
    expect(flightMs({ x: 60, y: 60 }, -Math.PI / 2)).toBe(msFor(60));
    expect(flightMs({ x: 200, y: 300 }, 0)).toBe(msFor(50));
    expect(flightMs({ x: 320, y: 300 }, 0)).toBeGreaterThan(msFor(50));
  });
});

describe("a shot and its targets", () => {
  const flying: FiredShot = { x: 60, y: 60, angle: 0, firedAtMs: 1000, lifeMs: 400 };
  const resting = (x: number, y = 60): Way => ({ from: { x, y }, to: { x, y } });
  const everybody = () => true;
  /** Hits between two ticks that are 400 ms apart, in which the shot gets from x 60 to 420. */
  function hit(targets: readonly Way[], canHit: (way: Way) => boolean = everybody, shot = flying) {
    return firstHit(shot, 1000, { fromMs: 1000, toMs: 1400, targets }, canHit);
  }

  it("hits the nearest of those in the way", () => {
    const near = resting(150, 70);
    const far = resting(250);
    expect(hit([far, near])?.target).toBe(near);
    expect(hit([resting(150, 85), far])?.target).toBe(far);
    expect(hit([])).toBeUndefined();
    expect(hit([resting(450)])).toBeUndefined();
    expect(hit([far])?.atMs).toBeCloseTo(1000 + (171 / RULES.shotSpeed) * 1000);
  });

  it("passes those who cannot be hit, and hits at once who stands where it begins", () => {
    const self = resting(60);
    const close = resting(70);
    expect(hit([self], (way) => way !== self)).toBeUndefined();
    expect(hit([self, close], (way) => way !== self)).toEqual({ target: close, atMs: 1000 });
  });

  it("is over when it has met something", () => {
    const shot = { ...flying, lifeMs: 100 };
    expect(hit([resting(150)], everybody, shot)?.atMs).toBeCloseTo(1000 + (71 / RULES.shotSpeed) * 1000);
    expect(hit([resting(200)], everybody, shot)).toBeUndefined();
    expect(firstHit(shot, 1100, { fromMs: 1100, toMs: 1150, targets: [resting(150)] }, everybody)).toBe(
      undefined,
    );
  });

  it("meets who crosses its way at the same time, not who was there before or comes there after", () => {
    // The shot is at x 240 half way through.
    const crossing = { from: { x: 240, y: 10 }, to: { x: 240, y: 110 } };
    expect(hit([crossing])?.target).toBe(crossing);
    const early = { from: { x: 240, y: 60 }, to: { x: 240, y: 160 } };
    const late = { from: { x: 240, y: -40 }, to: { x: 240, y: 60 } };
    expect(hit([early, late])).toBeUndefined();
  });

  it("meets whom sampling the time meets, in spans of which it has only a part", () => {
    const place = fc.record({ x: between(60, 460), y: between(20, 100) });
    const sinceMs = fc.integer({ min: 1000, max: 1300 });
    const lifeMs = fc.integer({ min: 50, max: 500 });
    let hits = 0;
    fc.assert(
      fc.property(place, place, sinceMs, lifeMs, (from, to, since, life) => {
        const shot = { ...flying, lifeMs: life };
        const found = firstHit(shot, since, { fromMs: 950, toMs: 1350, targets: [{ from, to }] }, everybody);
        const isClose = (atMs: number, reach: number) => {
          const part = (atMs - 950) / 400;
          const at = shotPositionAt(shot, atMs);
          const x = from.x + (to.x - from.x) * part;
          const y = from.y + (to.y - from.y) * part;
          return Math.hypot(at.x - x, at.y - y) <= reach;
        };
        const times: number[] = [];
        for (let atMs = since; atMs <= Math.min(1350, 1000 + life); atMs += 0.5) times.push(atMs);
        const seenMs = times.find((atMs) => isClose(atMs, RULES.playerRadius + RULES.shotRadius));
        // What sampling does not see is a touch shorter than what lies between two samples.
        if (seenMs !== undefined && times.length > 1) expect(found?.atMs).toBeLessThanOrEqual(seenMs + 1e-6);
        if (found !== undefined) {
          hits += 1;
          expect(found.atMs >= since && found.atMs <= Math.min(1350, 1000 + life)).toBe(true);
          expect(isClose(found.atMs, RULES.playerRadius + RULES.shotRadius + 1e-6)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    expect(hits).toBeGreaterThan(50);
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
