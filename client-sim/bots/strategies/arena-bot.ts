/**
 * Plays the arena: runs about, turns back at the edge, aims at the nearest living enemy and shoots when it is in
 * range.
 */
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState, MoveInput } from "../../../shared/games/arena/schema.ts";
import type { Random } from "../../../shared/sim/random.ts";
import { type ArenaRoom, keenSenses, plainSenses, type Senses } from "./arena-senses.ts";
import { distance, fullSpeed, headingTo, Roamer } from "./steering.ts";
import type { Player, Strategy } from "./strategy.ts";

const MESSAGES = { move: MoveInput };
const FIELD = { width: RULES.worldWidth, height: RULES.worldHeight, edge: 5 * RULES.playerRadius };
const SHOT_RANGE = (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000;
/** It misses by up to so much, in radians. */
const AIM_ERROR = 0.05;

export const arenaBot: Strategy = async ({ client, name, random, turnMs, predict }) => {
  const room = await client.joinOrCreate("arena", { name }, { state: ArenaState, messages: MESSAGES });
  return new ArenaPlayer(room, predict ? keenSenses(room) : plainSenses(room), random, turnMs);
};

class ArenaPlayer implements Player {
  readonly room: ArenaRoom;
  readonly comparesState = true;
  readonly #senses: Senses;
  readonly #random: Random;
  readonly #roamer: Roamer;
  readonly #durationMs: number;

  constructor(room: ArenaRoom, senses: Senses, random: Random, turnMs: number) {
    this.room = room;
    this.#senses = senses;
    this.#random = random;
    this.#roamer = new Roamer(random, FIELD);
    this.#durationMs = Math.min(RULES.inputMsMax, Math.max(RULES.inputMsMin, turnMs));
  }

  act(): void {
    const self = this.#senses.self();
    // A dead one keeps its keys pressed, as people do.
    if (self === undefined) return;
    const heading = this.#roamer.next(self);
    const enemy = this.#senses.enemy(self);
    const error = (this.#random.next() * 2 - 1) * AIM_ERROR;
    this.#senses.send({
      ...fullSpeed(heading),
      durationMs: this.#durationMs,
      aim: enemy === undefined ? heading : headingTo(self, enemy) + error,
      shoot: enemy !== undefined && distance(self, enemy) < SHOT_RANGE,
      seenAtMs: this.#senses.seenAtMs,
    });
  }
}
