/** Flight of a shot: straight, at one speed, so that where and when it was fired says where it is. */
import { flightToCircle, flightToWall, MISSED } from "./collide.ts";
import type { Point } from "./map.ts";
import { RULES } from "./rules.ts";

export type FiredShot = Point & { readonly angle: number; readonly firedAtMs: number };

/** @param atMs room time; before the shot was fired it is where it will be fired, after its end where it ended */
export function shotPositionAt(shot: FiredShot, atMs: number): Point {
  const ageMs = Math.min(Math.max(atMs - shot.firedAtMs, 0), RULES.shotLifetimeMs);
  const way = (ageMs / 1000) * RULES.shotSpeed;
  return { x: shot.x + Math.cos(shot.angle) * way, y: shot.y + Math.sin(shot.angle) * way };
}

/**
 * What a shot meets first on a straight way.
 *
 * @param targets centres of the players who can be hit
 * @param shooter the target that flies free of its own shot
 * @returns the target it hits, "wall", or undefined for nothing
 */
export function firstHit<T extends Point>(
  from: Point,
  to: Point,
  targets: Iterable<T>,
  shooter?: T,
): T | "wall" | undefined {
  const reach = RULES.playerRadius + RULES.shotRadius;
  const left = Math.min(from.x, to.x) - reach;
  const right = Math.max(from.x, to.x) + reach;
  let nearest = flightToWall(from, to);
  let hit: T | "wall" | undefined = nearest === MISSED ? undefined : "wall";
  for (const target of targets) {
    // Most are far away: the cheapest test first.
    if (target.x < left || target.x > right || target === shooter) continue;
    const part = flightToCircle(from, to, target, reach);
    if (part >= nearest) continue;
    nearest = part;
    hit = target;
  }
  return hit;
}
