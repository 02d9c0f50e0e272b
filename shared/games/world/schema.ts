/**
 * What the world replicates, and what its players send. Creatures and players are seen within `RULES.viewRadius`
 * only, everything else by all.
 */
import {
  bool,
  entity,
  i8,
  input,
  map,
  optional,
  owner,
  quantised,
  ref,
  string,
  u8,
  u16,
  u32,
} from "../../schema/index.ts";
import { RULES } from "./rules.ts";

const x = quantised(0, RULES.worldWidth, RULES.positionStep);
const y = quantised(0, RULES.worldHeight, RULES.positionStep);
/** Fine enough to draw: one byte. */
const facing = quantised(-Math.PI, Math.PI, (2 * Math.PI) / 255);

export const Player = entity(
  {
    x,
    y,
    name: string,
    /** Index into as many colours as there are seats. */
    colour: u8,
    score: u32,
    /** What is left for sprinting. */
    stamina: owner(quantised(0, RULES.staminaMax, RULES.staminaStep)),
  },
  "Player",
);

export const Creature = entity(
  {
    x,
    y,
    facing,
    /** Index into `KINDS`. */
    kind: u8,
    /** Of the player who tagged it last; undefined while it is wild. */
    colour: optional(u8),
    /** That player, if in view. */
    tagger: ref(() => Player),
  },
  "Creature",
);

export const Leader = entity({ name: string, colour: u8, score: u32 }, "Leader");

export const WorldState = entity(
  {
    /** By session. */
    players: map(Player, { spatial: ["x", "y"] }),
    creatures: map(Creature, { spatial: ["x", "y"] }),
    /** The best players, by session, in no order. */
    leaders: map(Leader),
    playerCount: u16,
  },
  "WorldState",
);

/** Message "steer": what the player does from now on, until the next one. */
export const SteerInput = input({
  /** Direction, -127 to 127 on each axis; a length of 127 or more is full speed. */
  dx: i8,
  dy: i8,
  sprint: bool,
});

/** Payload of the message "tagged", to the player who did it. */
export type Tagged = {
  readonly x: number;
  readonly y: number;
  readonly kind: number;
  /** Points it brought. */
  readonly worth: number;
};
