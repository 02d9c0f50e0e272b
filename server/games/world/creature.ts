/**
 * How a creature lives: it rests, walks a little, mostly towards where its herd meets, and runs from players who come
 * too close. At any time about three in ten are on their feet.
 */
import { KINDS, type Kind, RULES } from "../../../shared/games/world/rules.ts";
import type { Creature } from "../../../shared/games/world/schema.ts";
import type { Live } from "../../../shared/schema/index.ts";

export type Point = { readonly x: number; readonly y: number };
export type LiveCreature = Live<typeof Creature>;

/** Where a herd meets, and until when, in room time. Plain data, since it is part of the room's checkpoint. */
export type Herd = { readonly kind: number; x: number; y: number; stayUntilMs: number };

/** What is on a creature's mind: plain data as well. Times are room times, speeds in units per second. */
export type Mind = {
  readonly herd: number;
  vx: number;
  vy: number;
  /** When it thinks of something else to do. */
  thinkAtMs: number;
  canBeTaggedAtMs: number;
};

type Range = readonly [min: number, max: number];

const REST_MS: Range = [2_000, 7_000];
const WALK_MS: Range = [800, 3_000];
/** For how long a creature runs on when nobody is near any more. */
const RUN_MS = 500;
/** Radians to either side of the way to the herd's meeting point. */
const DETOUR_MAX = 1;
/** How far away a herd's next meeting point can be, on each axis. */
const HERD_WAY_MAX = 500;

/** @param random gives numbers from 0 to below 1 */
export function createHerd(kind: number, random: () => number): Herd {
  const herd = { kind, x: random() * RULES.worldWidth, y: random() * RULES.worldHeight, stayUntilMs: 0 };
  moveOn(herd, 0, random);
  return herd;
}

/** Lets a herd that has stayed long enough meet somewhere else. */
export function moveOn(herd: Herd, nowMs: number, random: () => number): void {
  if (nowMs < herd.stayUntilMs) return;
  herd.stayUntilMs = nowMs + pick([RULES.herdStayMsMin, RULES.herdStayMsMax], random);
  herd.x = inside(herd.x + pick([-HERD_WAY_MAX, HERD_WAY_MAX], random), RULES.herdRadius, RULES.worldWidth);
  herd.y = inside(herd.y + pick([-HERD_WAY_MAX, HERD_WAY_MAX], random), RULES.herdRadius, RULES.worldHeight);
}

/** @returns a creature at rest, somewhere around its herd's meeting point */
export function createMind(herd: number, random: () => number): Mind {
  return { herd, vx: 0, vy: 0, thinkAtMs: pick([0, REST_MS[1]], random), canBeTaggedAtMs: 0 };
}

export function placeNear(herd: Herd, random: () => number): Point {
  const spread: Range = [-RULES.herdRadius, RULES.herdRadius];
  const { radius } = kindOf(herd.kind);
  return {
    x: inside(herd.x + pick(spread, random), radius, RULES.worldWidth),
    y: inside(herd.y + pick(spread, random), radius, RULES.worldHeight),
  };
}

/** @param danger a player who is nearer than this kind likes */
export function think(
  mind: Mind,
  at: Point,
  herd: Herd,
  danger: Point | undefined,
  nowMs: number,
  random: () => number,
): void {
  const kind = kindOf(herd.kind);
  if (danger) {
    go(mind, Math.atan2(at.y - danger.y, at.x - danger.x), kind.runSpeed);
    mind.thinkAtMs = nowMs + RUN_MS;
  } else if (nowMs >= mind.thinkAtMs) {
    const wasMoving = mind.vx !== 0 || mind.vy !== 0;
    mind.thinkAtMs = nowMs + pick(wasMoving ? REST_MS : WALK_MS, random);
    if (wasMoving) go(mind, 0, 0);
    else go(mind, chooseHeading(at, herd, random), kind.speed);
  }
}

function chooseHeading(at: Point, herd: Herd, random: () => number): number {
  const dx = herd.x - at.x;
  const dy = herd.y - at.y;
  const isAtEase = dx * dx + dy * dy < RULES.herdRadius ** 2;
  return isAtEase
    ? pick([-Math.PI, Math.PI], random)
    : Math.atan2(dy, dx) + pick([-DETOUR_MAX, DETOUR_MAX], random);
}

function go(mind: Mind, heading: number, speed: number): void {
  mind.vx = Math.cos(heading) * speed;
  mind.vy = Math.sin(heading) * speed;
}

/** Takes a creature along for a time. */
export function walk(creature: LiveCreature, mind: Mind, at: Point, durationMs: number): void {
  if (mind.vx === 0 && mind.vy === 0) return;
  const { radius } = kindOf(creature.kind);
  creature.x = inside(at.x + (mind.vx * durationMs) / 1000, radius, RULES.worldWidth);
  creature.y = inside(at.y + (mind.vy * durationMs) / 1000, radius, RULES.worldHeight);
  creature.facing = Math.atan2(mind.vy, mind.vx);
}

export function kindOf(kind: number): Kind {
  return KINDS[kind] as Kind;
}

function pick([min, max]: Range, random: () => number): number {
  return min + random() * (max - min);
}

function inside(value: number, margin: number, length: number): number {
  return Math.min(Math.max(value, margin), length - margin);
}
