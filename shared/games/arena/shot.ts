/**
 * Flight of a shot: straight, at one speed, so that where and when it was fired says where it is, and the walls say
 * how long it flies. Whom it hits depends on where the others were meanwhile.
 */
import { flightToCircle, flightToWall, MISSED } from "./collide.ts";
import type { Point } from "./map.ts";
import { RULES } from "./rules.ts";

export type FiredShot = Point & {
  readonly angle: number;
  readonly firedAtMs: number;
  readonly lifeMs: number;
};

/** Where a target goes between two ticks: straight from one place to the other, as it is drawn. */
export type Way = { readonly from: Point; readonly to: Point };
/** The time between two ticks, and who was there at both. */
export type Span<T extends Way> = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly targets: readonly T[];
};

const REACH = RULES.playerRadius + RULES.shotRadius;
const RANGE = (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000;
const ORIGIN: Point = { x: 0, y: 0 };

/** @param atMs room time; before the shot was fired it is where it will be fired, after its end where it ended */
export function shotPositionAt(shot: FiredShot, atMs: number): Point {
  const ageMs = Math.min(Math.max(atMs - shot.firedAtMs, 0), shot.lifeMs);
  return after(shot, shot.angle, (ageMs / 1000) * RULES.shotSpeed);
}

/** @returns how long a shot flies that hits nobody, in whole milliseconds */
export function flightMs(from: Point, angle: number): number {
  const part = Math.min(1, flightToWall(from, after(from, angle, RANGE)));
  return Math.floor(part * RULES.shotLifetimeMs);
}

/**
 * Whom a shot hits first in a span, and when.
 *
 * @param sinceMs room time up to which its flight was judged before
 * @param canHit asked only for those who are near
 */
export function firstHit<T extends Way>(
  shot: FiredShot,
  sinceMs: number,
  span: Span<T>,
  canHit: (target: T) => boolean,
): { readonly target: T; readonly atMs: number } | undefined {
  const fromMs = Math.max(span.fromMs, sinceMs);
  const toMs = Math.min(span.toMs, shot.firedAtMs + shot.lifeMs);
  if (fromMs >= toMs) return undefined;
  const start = shotPositionAt(shot, fromMs);
  const end = shotPositionAt(shot, toMs);
  const spanMs = span.toMs - span.fromMs;
  const startPart = (fromMs - span.fromMs) / spanMs;
  const endPart = (toMs - span.fromMs) / spanMs;
  let nearest = MISSED;
  let hit: T | undefined;
  for (const target of span.targets) {
    const { from, to } = target;
    const wayX = to.x - from.x;
    const wayY = to.y - from.y;
    // As seen from the target, which then rests in the origin.
    const startX = start.x - from.x - wayX * startPart;
    const endX = end.x - from.x - wayX * endPart;
    // Most are far away: the cheapest test first.
    if (Math.min(startX, endX) > REACH || Math.max(startX, endX) < -REACH) continue;
    const startY = start.y - from.y - wayY * startPart;
    const endY = end.y - from.y - wayY * endPart;
    const part = flightToCircle({ x: startX, y: startY }, { x: endX, y: endY }, ORIGIN, REACH);
    if (part >= nearest || !canHit(target)) continue;
    nearest = part;
    hit = target;
  }
  return hit && { target: hit, atMs: fromMs + (toMs - fromMs) * nearest };
}

function after(from: Point, angle: number, way: number): Point {
  return { x: from.x + Math.cos(angle) * way, y: from.y + Math.sin(angle) * way };
}
