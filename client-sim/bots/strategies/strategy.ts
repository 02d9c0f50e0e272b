/**
 * What a game's bot is to the simulator: something that joins a room and, when told to, plays one input. What the
 * simulator needs of the room itself is the same for every game.
 */
import type { Random } from "../../../shared/sim/random.ts";
import type { Client, Room } from "../../sdk/index.ts";

/** The part of a room that is measured; every `Room` has it, whatever its schema. */
export type BotRoom = Pick<
  Room,
  | "roomId"
  | "tickRate"
  | "tick"
  | "roomTimeMs"
  | "connectionState"
  | "onState"
  | "onDrop"
  | "onReconnect"
  | "onMove"
  | "onRejoin"
  | "onLeave"
  | "onError"
  | "onMessage"
  | "leave"
> & {
  readonly clock: { now(): number };
  readonly mirror: { hash(): number };
};

/** A bot in its room. */
export type Player = {
  readonly room: BotRoom;
  /** Everybody in the room is sent the same state. Where each client sees a part of it, there is nothing to compare. */
  readonly comparesState: boolean;
  /** Its turn to send an input; it may have none. */
  act(): void;
};

export type Entrant = {
  readonly client: Client;
  /** Display name, different for each bot. */
  readonly name: string;
  /** The bot's own; decides what it does. */
  readonly random: Random;
  /** Time between two of its turns; 0 when it never has one. */
  readonly turnMs: number;
  /** Whether it predicts and interpolates, if its game's page does. */
  readonly predict: boolean;
};

/** @throws RookeryError when the join is refused */
export type Strategy = (entrant: Entrant) => Promise<Player>;
