/**
 * The game of W2: creatures all over a meadow, of which 3 in 10 walk at any time, and viewers who stroll about and see
 * what is around them. It works on plain objects and on any library's live ones alike.
 */

export const WORLD = {
  ticksPerSecond: 20,
  /** The meadow is a square. */
  size: 4_000,
  /** With the usual 500 creatures, about 40 of them are that near. */
  viewRadius: 610,
  /** What has come into view stays in it up to so many times the radius. */
  keepFactor: 1.1,
  /** Grids of the replicated numbers: two bytes for a position, one for an angle. */
  positionStep: 1 / 16,
  angleStep: (2 * Math.PI) / 255,
  hpMax: 100,
  kinds: 8,
} as const;

export const CREATURES = 500;

export type Creature = { x: number; y: number; angle: number; hp: number; kind: number };
export type Point = { readonly x: number; readonly y: number };

/** A creature walks in the first ticks of each period, in a direction of its own, and then rests. */
const PERIOD_TICKS = 100;
const WALKING_TICKS = 30;
/** Spreads the walks of all creatures over the period. */
const PERIOD_STRIDE = 37;
/** In units per second. */
const WALKING_SPEED = 60;
/** No two directions in a row are alike. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Points at multiples of these, modulo 1, are spread evenly. Source: M. Roberts, "The unreasonable effectiveness of quasirandom sequences". */
const SPREAD = { x: 0.7548776662466927, y: 0.5698402909980532 } as const;

const STROLL_RADIUS = 150;
/** In units per second. */
const STROLL_SPEED = 200;

export function spawnCreature(index: number): Creature {
  const { x, y } = spread(index, 0, WORLD.size);
  return { x, y, angle: 0, hp: WORLD.hpMax, kind: index % WORLD.kinds };
}

/** @returns whether the creature walks in this tick */
export function isWalking(index: number, tick: number): boolean {
  return (tick + index * PERIOD_STRIDE) % PERIOD_TICKS < WALKING_TICKS;
}

/** One step of a creature that walks; its angle turns with every step. */
export function walk(creature: Creature, index: number, tick: number, dtMs: number): void {
  const period = Math.floor((tick + index * PERIOD_STRIDE) / PERIOD_TICKS);
  const turn = ((tick + index * PERIOD_STRIDE) % PERIOD_TICKS) / WALKING_TICKS;
  const angle = wrapped(period * GOLDEN_ANGLE + index + 1 + turn);
  const distance = (WALKING_SPEED * dtMs) / 1000;
  creature.angle = angle;
  creature.x = clamped(creature.x + Math.cos(angle) * distance);
  creature.y = clamped(creature.y + Math.sin(angle) * distance);
}

/** @returns where a viewer is, far enough from the edges to have meadow all around it */
export function viewpoint(index: number, tick: number): Point {
  const margin = WORLD.viewRadius * WORLD.keepFactor + STROLL_RADIUS;
  const middle = spread(index, margin, WORLD.size - margin);
  const angle = index + (tick * STROLL_SPEED) / STROLL_RADIUS / WORLD.ticksPerSecond;
  return { x: middle.x + Math.cos(angle) * STROLL_RADIUS, y: middle.y + Math.sin(angle) * STROLL_RADIUS };
}

function spread(index: number, min: number, max: number): Point {
  const place = (share: number) => min + ((index * share + 1 / 2) % 1) * (max - min);
  return { x: place(SPREAD.x), y: place(SPREAD.y) };
}

/** @returns the same angle, from -PI to PI */
function wrapped(angle: number): number {
  const turns = Math.round(angle / (2 * Math.PI));
  return angle - turns * 2 * Math.PI;
}

function clamped(value: number): number {
  return Math.min(Math.max(value, 0), WORLD.size);
}
