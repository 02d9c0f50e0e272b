/**
 * How a bot plays: it wanders from waypoint to waypoint until it sees an enemy, then circles it and shoots, and runs
 * when it has been hurt. It sees the present, and decides what a player decides, by the same rules; what makes it
 * beatable is that it looks around only now and then, takes time to react, aims badly and shoots seldom.
 */
import type { Point } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import type { MoveInput } from "../../../shared/games/arena/schema.ts";
import type { Body } from "../../../shared/games/arena/step.ts";
import type { InputOf } from "../../../shared/schema/index.ts";
import { canSee, canWalk, distance, headingTo, steer, WAYPOINTS } from "./steering.ts";

/** What is on a bot's mind: plain data, since it is part of the room's checkpoint. Times are room times. */
export type Mind = {
  lookAtMs: number;
  enemy: string | undefined;
  shootAtMs: number;
  aimError: number;
  /** 1 or -1: around which side of an enemy or a wall it goes. */
  side: number;
  goal: Point | undefined;
  goalUntilMs: number;
  hp: number;
  retreatUntilMs: number;
};

export type Visible = Body & { readonly hp: number };
/** What a bot knows when it decides. */
export type Situation = {
  readonly sessionId: string;
  readonly nowMs: number;
  readonly players: Iterable<readonly [sessionId: string, player: Visible]> & {
    get(sessionId: string): Visible | undefined;
  };
  readonly random: () => number;
};
export type Decision = Pick<InputOf<typeof MoveInput>, "dx" | "dy" | "aim" | "shoot">;
type Range = readonly [min: number, max: number];

const SIGHT = 700;
const LOOK_MS: Range = [150, 300];
/** From seeing an enemy to the first shot. */
const REACTION_MS: Range = [300, 600];
const SHOT_PAUSE_MS: Range = [450, 900];
/** Radians, at most; small errors are more likely. */
const AIM_ERROR_MAX = 0.16;
/** It aims ahead of an enemy that moves, by so much of what would be right. */
const LEAD = 0.6;
const SIDE_CHANGE_CHANCE = 0.15;
/** It keeps an enemy at this distance. */
const DISTANCE: Range = [180, 360];
/** With less health than that a hit makes it run. */
const BRAVE_HP = 60;
const RETREAT_MS = 1500;
const GOAL_REACHED = 40;
const GOAL_DISTANCE_MIN = 150;
/** When it has not arrived by then, it goes elsewhere. */
const GOAL_MS = 6000;
const FULL_SPEED = 127;

const IDLE: Decision = { dx: 0, dy: 0, aim: 0, shoot: false };

/** Of who has just come into the game. */
export function freshMind(): Mind {
  return {
    lookAtMs: 0,
    enemy: undefined,
    shootAtMs: 0,
    aimError: 0,
    side: 1,
    goal: undefined,
    goalUntilMs: 0,
    hp: RULES.hpMax,
    retreatUntilMs: 0,
  };
}

/** @param mind is changed */
export function decide(mind: Mind, self: Visible, situation: Situation): Decision {
  if (self.hp === 0) {
    Object.assign(mind, freshMind());
    return IDLE;
  }
  if (situation.nowMs >= mind.lookAtMs) look(mind, self, situation);
  const enemy = mind.enemy === undefined ? undefined : situation.players.get(mind.enemy);
  if (enemy === undefined || enemy.hp === 0) return wander(mind, self, situation);
  return fight(mind, self, enemy, situation);
}

function look(mind: Mind, self: Visible, situation: Situation): void {
  const { nowMs, random } = situation;
  mind.lookAtMs = nowMs + within(LOOK_MS, random);
  const enemy = nearestInSight(self, situation);
  if (enemy !== undefined && enemy !== mind.enemy) mind.shootAtMs = nowMs + within(REACTION_MS, random);
  mind.enemy = enemy;
  mind.aimError = (random() - random()) * AIM_ERROR_MAX;
  if (random() < SIDE_CHANGE_CHANCE) mind.side = -mind.side;
  if (self.hp < mind.hp && self.hp < BRAVE_HP) mind.retreatUntilMs = nowMs + RETREAT_MS;
  mind.hp = self.hp;
}

function nearestInSight(self: Visible, { sessionId, players }: Situation): string | undefined {
  let nearest: string | undefined;
  let range = SIGHT;
  for (const [id, player] of players) {
    if (id === sessionId || player.hp === 0) continue;
    const away = distance(self, player);
    if (away >= range || !canSee(self, player)) continue;
    nearest = id;
    range = away;
  }
  return nearest;
}

function wander(mind: Mind, self: Visible, { nowMs, random }: Situation): Decision {
  let { goal } = mind;
  if (goal === undefined || nowMs >= mind.goalUntilMs || distance(self, goal) < GOAL_REACHED) {
    goal = chooseGoal(self, random);
    mind.goal = goal;
    mind.goalUntilMs = nowMs + GOAL_MS;
  }
  const heading = steer(self, headingTo(self, goal), mind.side);
  return { ...runTo(heading), aim: wrapped(heading), shoot: false };
}

function chooseGoal(self: Visible, random: () => number): Point {
  const reachable = WAYPOINTS.filter((to) => distance(self, to) > GOAL_DISTANCE_MIN && canWalk(self, to));
  const choices = reachable.length > 0 ? reachable : WAYPOINTS;
  return choices[Math.floor(random() * choices.length)] as Point;
}

function fight(mind: Mind, self: Visible, enemy: Visible, { nowMs, random }: Situation): Decision {
  const away = distance(self, enemy);
  const leadSeconds = (away / RULES.shotSpeed) * LEAD;
  const expected = { x: enemy.x + enemy.vx * leadSeconds, y: enemy.y + enemy.vy * leadSeconds };
  const shoot = nowMs >= mind.shootAtMs;
  if (shoot) mind.shootAtMs = nowMs + within(SHOT_PAUSE_MS, random);
  const wanted = headingTo(self, enemy) + mind.side * turnFrom(away, nowMs < mind.retreatUntilMs);
  return {
    ...runTo(steer(self, wanted, mind.side)),
    aim: wrapped(headingTo(self, expected) + mind.aimError),
    shoot,
  };
}

/** @returns by how much it turns from the enemy: towards it, around it or away from it, in radians */
function turnFrom(away: number, isRetreating: boolean): number {
  const [near, far] = DISTANCE;
  if (isRetreating) return Math.PI * 0.8;
  if (away > far) return Math.PI * 0.2;
  return away < near ? Math.PI * 0.7 : Math.PI * 0.5;
}

function runTo(heading: number): Pick<Decision, "dx" | "dy"> {
  return { dx: Math.round(Math.cos(heading) * FULL_SPEED), dy: Math.round(Math.sin(heading) * FULL_SPEED) };
}

function within([min, max]: Range, random: () => number): number {
  return min + random() * (max - min);
}

/** To what an input can hold: -pi to pi. */
function wrapped(angle: number): number {
  return angle - Math.round(angle / (2 * Math.PI)) * 2 * Math.PI;
}
