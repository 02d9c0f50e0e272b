/**
 * The game that every server of the W1 workload runs, in the very same code: of each player x, y, vx, vy and angle move
 * in every tick, hp and score in one of a hundred. It works on plain objects and on any library's live ones alike.
 */

export const ARENA = {
  ticksPerSecond: 20,
  playersPerRoom: 32,
  width: 2000,
  height: 1500,
  hpMax: 100,
  /** Grids of the replicated numbers, for servers whose types have them: two bytes for a position, one for the others. */
  positionStep: 1 / 32,
  speedMin: -256,
  speedMax: 254,
  speedStep: 2,
  angleStep: (2 * Math.PI) / 255,
} as const;

export type Body = {
  x: number;
  y: number;
  vx: number;
  vy: number;
  angle: number;
  hp: number;
  score: number;
};

/** What a player holds down; it stays so until the next input says otherwise. */
export type Pilot = { readonly slot: number; thrust: number; turn: number };

/** Of `thrust`, 0 to 255, in units per second. */
const SPEED_PER_THRUST = 1 / 2;
/** Of `turn`, -127 to 127, in radians per second. */
const RADIANS_PER_TURN = 1 / 32;
const TICKS_PER_HIT = 100;
/** Spreads the hits of a room's players over the ticks. */
const HIT_STRIDE = 37;
const HIT_DAMAGE = 25;
const SCORE_PER_HIT = 10;
const SPAWNS_PER_ROW = 8;
const SPAWN_DISTANCE = 200;

export function spawn(slot: number): Body {
  const column = slot % SPAWNS_PER_ROW;
  const row = Math.floor(slot / SPAWNS_PER_ROW);
  return {
    x: (column + 1) * SPAWN_DISTANCE,
    y: (row + 1) * SPAWN_DISTANCE,
    vx: 0,
    vy: 0,
    angle: 0,
    hp: ARENA.hpMax,
    score: 0,
  };
}

/** @returns a pilot who has not sent anything yet, and flies in a circle */
export function newPilot(slot: number): Pilot {
  return { slot, thrust: 255, turn: 64 };
}

export function step(body: Body, pilot: Pilot, tick: number, dtMs: number): void {
  const seconds = dtMs / 1000;
  const angle = wrapped(body.angle + pilot.turn * RADIANS_PER_TURN * seconds);
  const speed = pilot.thrust * SPEED_PER_THRUST;
  const vx = Math.cos(angle) * speed;
  const vy = Math.sin(angle) * speed;
  body.angle = angle;
  body.vx = vx;
  body.vy = vy;
  body.x = clamped(body.x + vx * seconds, ARENA.width);
  body.y = clamped(body.y + vy * seconds, ARENA.height);
  if ((tick + pilot.slot * HIT_STRIDE) % TICKS_PER_HIT === 0) {
    body.hp = body.hp > HIT_DAMAGE ? body.hp - HIT_DAMAGE : ARENA.hpMax;
    body.score += SCORE_PER_HIT;
  }
}

/** @returns the same angle from -PI to PI, of one that is at most a turn off */
function wrapped(angle: number): number {
  if (angle > Math.PI) return angle - 2 * Math.PI;
  return angle < -Math.PI ? angle + 2 * Math.PI : angle;
}

function clamped(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
