/**
 * Geometry of the arena: circles against walls, and how far a straight flight gets. Only operations that IEEE 754
 * defines exactly, so that every machine computes the same.
 */
import { type Point, type Rect, WALLS } from "./map.ts";
import { RULES } from "./rules.ts";

/** What a flight that meets nothing returns, as a fraction of its way. */
export const MISSED = Number.POSITIVE_INFINITY;

/** The shortest way out of a wall: a unit vector and a length. */
export type Overlap = { readonly nx: number; readonly ny: number; readonly depth: number };

/** @returns undefined when the circle is clear of the wall */
export function overlap(wall: Rect, x: number, y: number, radius: number): Overlap | undefined {
  const right = wall.x + wall.width;
  const bottom = wall.y + wall.height;
  const offX = x - Math.min(Math.max(x, wall.x), right);
  const offY = y - Math.min(Math.max(y, wall.y), bottom);
  const distanceSquared = offX * offX + offY * offY;
  if (distanceSquared >= radius * radius) return undefined;
  if (distanceSquared > 0) {
    const distance = Math.sqrt(distanceSquared);
    return { nx: offX / distance, ny: offY / distance, depth: radius - distance };
  }
  // The centre is inside: out by the nearest face.
  const faces: readonly Overlap[] = [
    { nx: -1, ny: 0, depth: x - wall.x + radius },
    { nx: 1, ny: 0, depth: right - x + radius },
    { nx: 0, ny: -1, depth: y - wall.y + radius },
    { nx: 0, ny: 1, depth: bottom - y + radius },
  ];
  return faces.reduce((nearest, face) => (face.depth < nearest.depth ? face : nearest));
}

/** @returns the part of the way after which a point that flies from `from` to `to` enters the circle, or MISSED */
export function flightToCircle(from: Point, to: Point, centre: Point, radius: number): number {
  const wayX = to.x - from.x;
  const wayY = to.y - from.y;
  const offX = from.x - centre.x;
  const offY = from.y - centre.y;
  const outside = offX * offX + offY * offY - radius * radius;
  if (outside <= 0) return 0;
  // |off + t * way| = radius, solved for the smaller t.
  const a = wayX * wayX + wayY * wayY;
  const b = offX * wayX + offY * wayY;
  const discriminant = b * b - a * outside;
  if (b >= 0 || discriminant < 0) return MISSED;
  const t = (-b - Math.sqrt(discriminant)) / a;
  return t <= 1 ? t : MISSED;
}

/** @returns the part of the way after which the flight meets a wall or the border, or MISSED */
export function flightToWall(from: Point, to: Point): number {
  let nearest = Math.min(
    flightToBorder(from.x, to.x, RULES.worldWidth),
    flightToBorder(from.y, to.y, RULES.worldHeight),
  );
  for (const wall of WALLS) nearest = Math.min(nearest, flightToRect(from, to, wall));
  return nearest;
}

function flightToBorder(from: number, to: number, size: number): number {
  if (to < 0) return from / (from - to);
  return to > size ? (size - from) / (to - from) : MISSED;
}

/** Slab method: the flight is inside where it is between both pairs of opposite sides. */
function flightToRect(from: Point, to: Point, { x, y, width, height }: Rect): number {
  if (Math.max(from.x, to.x) < x || Math.min(from.x, to.x) > x + width) return MISSED;
  if (Math.max(from.y, to.y) < y || Math.min(from.y, to.y) > y + height) return MISSED;
  const [enterX, leaveX] = between(from.x, to.x, x, x + width);
  const [enterY, leaveY] = between(from.y, to.y, y, y + height);
  const enter = Math.max(enterX, enterY, 0);
  return enter <= Math.min(leaveX, leaveY, 1) ? enter : MISSED;
}

/** The parts of the way after which a coordinate enters and leaves an interval that it overlaps. */
function between(
  from: number,
  to: number,
  low: number,
  high: number,
): readonly [enter: number, leave: number] {
  if (from === to) return [0, 1];
  const toLow = (low - from) / (to - from);
  const toHigh = (high - from) / (to - from);
  return toLow < toHigh ? [toLow, toHigh] : [toHigh, toLow];
}
