/** How bots find their way: what they can see and reach in a straight line, and where there is to go. */
import { flightToWall, MISSED } from "../../../shared/games/arena/collide.ts";
import { type Point, SPAWNS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";

/** On either side of a way that a bot sets out on. */
const CLEARANCE = RULES.playerRadius + 4;
/** So far ahead a bot looks for walls. */
const PROBE = 70;
/** How it turns when a wall is ahead, in radians, the smallest turn first. */
const TURNS = [0, 0.6, -0.6, 1.2, -1.2, 1.9, -1.9];
/** Crossings in the middle of the map, where the ways between the spawns meet. */
const CROSSINGS: readonly Point[] = [
  { x: 700, y: 430 },
  { x: 1000, y: 640 },
  { x: 430, y: 600 },
  { x: 1220, y: 650 },
  { x: 80, y: 780 },
];

/** Places to go to: each is on a free way from others, and by way of them from all. */
export const WAYPOINTS: readonly Point[] = [
  ...SPAWNS,
  ...CROSSINGS,
  ...CROSSINGS.map(({ x, y }) => ({ x: RULES.worldWidth - x, y: RULES.worldHeight - y })),
];

export function canSee(from: Point, to: Point): boolean {
  return flightToWall(from, to) === MISSED;
}

/** @returns whether a player can go there straight */
export function canWalk(from: Point, to: Point): boolean {
  const wayX = to.x - from.x;
  const wayY = to.y - from.y;
  const scale = CLEARANCE / Math.max(1, Math.sqrt(wayX * wayX + wayY * wayY));
  const left = { x: wayY * scale, y: -wayX * scale };
  return canSee(plus(from, left), plus(to, left)) && canSee(minus(from, left), minus(to, left));
}

/**
 * @param heading radians; where it wants to go
 * @param side 1 or -1: to which side it rather turns
 * @returns the nearest heading without a wall ahead
 */
export function steer(from: Point, heading: number, side: number): number {
  for (const turn of TURNS) {
    const turned = heading + side * turn;
    const ahead = { x: from.x + Math.cos(turned) * PROBE, y: from.y + Math.sin(turned) * PROBE };
    if (canSee(from, ahead)) return turned;
  }
  return heading + Math.PI;
}

export function headingTo(from: Point, to: Point): number {
  return Math.atan2(to.y - from.y, to.x - from.x);
}

export function distance(a: Point, b: Point): number {
  return Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
}

function plus(a: Point, b: Point): Point {
  return { x: a.x + b.x, y: a.y + b.y };
}

function minus(a: Point, b: Point): Point {
  return { x: a.x - b.x, y: a.y - b.y };
}
