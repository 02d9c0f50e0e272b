/**
 * What the arena replicates, and what its players send. A moving player has 7 bytes of values a tick; a shot is sent once,
 * since it flies straight and everybody can work out where it is.
 */
import {
  bool,
  entity,
  f64,
  i8,
  input,
  map,
  quantised,
  ref,
  string,
  u8,
  u16,
  u32,
} from "../../schema/index.ts";
import { RULES } from "./rules.ts";

/** Fine enough to aim with. */
const aim = quantised(-3.15, 3.15, 0.0001);
/** Fine enough to draw: one byte. */
const facing = quantised(-Math.PI, Math.PI, (2 * Math.PI) / 255);
const x = quantised(0, RULES.worldWidth, RULES.positionStep);
const y = quantised(0, RULES.worldHeight, RULES.positionStep);
const speed = quantised(-256, 254, RULES.speedStep);

export const Player = entity(
  {
    x,
    y,
    vx: speed,
    vy: speed,
    angle: facing,
    /** 0: dead, waiting to respawn. */
    hp: u8,
    score: u32,
    kills: u32,
    deaths: u32,
    name: string,
    /** Index into as many colours as there are seats; no two have the same. */
    colour: u8,
    /** Played by the server. */
    isBot: bool,
  },
  "Player",
);

/** Where it is at a time: `shotPositionAt`. */
export const Shot = entity(
  {
    x,
    y,
    angle: aim,
    /** Room time of what the shooter saw when it fired, at most `RULES.rewindMsMax` before the shot came into the room. */
    firedAtMs: f64,
    /** How long it flies: until it hits somebody or something, or to the end of its range. It stays a little longer. */
    lifeMs: u16,
    /** Undefined when the shooter has left. */
    by: ref(() => Player),
  },
  "Shot",
);

export const ArenaState = entity({ players: map(Player), shots: map(Shot) }, "ArenaState");

/** What a player does for a short time. */
export const MoveInput = input({
  /** How long it lasts; see `TimeAccount`. */
  durationMs: quantised(RULES.inputMsMin, RULES.inputMsMax, 1),
  /** Direction, -127 to 127 on each axis; a length of 127 or more is full speed. */
  dx: i8,
  dy: i8,
  aim,
  shoot: bool,
  /** Room time at which the player sees the others, in whole milliseconds: shots are judged by it. */
  seenAtMs: u32,
});

/** Payload of the message "kill". */
export type Kill = {
  /** Session of the shooter; null when the shooter has left. */
  readonly by: string | null;
  readonly byName: string | null;
  readonly victim: string;
  readonly victimName: string;
};
