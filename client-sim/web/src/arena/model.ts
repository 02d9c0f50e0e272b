/** What is drawn of a match: plain objects that the layers read, whatever they come from. */
import type { Point } from "../../../../shared/games/arena/map.ts";
import { RULES } from "../../../../shared/games/arena/rules.ts";
import type { FiredShot } from "../../../../shared/games/arena/shot.ts";

export type FighterShown = {
  x: number;
  y: number;
  angle: number;
  /** Units per second. */
  speed: number;
  name: string;
  colour: number;
  /** In step with what is shown; 0: dead, and not drawn. */
  hp: number;
  isSelf: boolean;
  isBot: boolean;
  /** 1 right after a hit, fading to 0. */
  flash: number;
  /** Of the wings, in radians. */
  phase: number;
};

/** A shot as it is shown. */
export type Tracer = {
  readonly shot: FiredShot;
  readonly colour: number;
  /** Where it is now; undefined while it does not fly yet. */
  at: Point | undefined;
};

/** Everything the layers need for a frame. */
export type Scene = {
  readonly fighters: readonly FighterShown[];
  readonly tracers: readonly Tracer[];
};

export const FIELD = { width: RULES.worldWidth, height: RULES.worldHeight };
/** On the screen, in square units. */
export const AREA_SHOWN = 1_000 * 640;
const FLASH_MS = 160;
/** Wing beats a second, standing and at full speed. */
const BEATS_MIN = 0.9;
const BEATS_MAX = 4.2;

export function newFighter(name: string, colour: number): FighterShown {
  return {
    x: 0,
    y: 0,
    angle: 0,
    speed: 0,
    name,
    colour,
    hp: 0,
    isSelf: false,
    isBot: false,
    flash: 0,
    phase: colour,
  };
}

/** Moves a fighter to where it is shown now, and its wings on. */
export function moveFighter(fighter: FighterShown, x: number, y: number, angle: number, dtMs: number): void {
  if (dtMs > 0) {
    const way = Math.hypot(x - fighter.x, y - fighter.y);
    const speed = Math.min(RULES.speedMax, (way / dtMs) * 1_000);
    fighter.speed += (speed - fighter.speed) * Math.min(1, dtMs / 90);
  }
  fighter.x = x;
  fighter.y = y;
  fighter.angle = angle;
  const beats = BEATS_MIN + (BEATS_MAX - BEATS_MIN) * (fighter.speed / RULES.speedMax);
  fighter.phase += (dtMs / 1_000) * beats * 2 * Math.PI;
  fighter.flash = Math.max(0, fighter.flash - dtMs / FLASH_MS);
}
