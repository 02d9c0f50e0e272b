/**
 * Plays the arena: runs about, turns back at the edge, aims at the nearest living enemy and shoots when it is in
 * range.
 */
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState, MoveInput, type Player as PlayerSchema } from "../../../shared/games/arena/schema.ts";
import type { View } from "../../../shared/schema/index.ts";
import type { Random } from "../../../shared/sim/random.ts";
import type { Room } from "../../sdk/index.ts";
import type { Player, Strategy } from "./strategy.ts";

type Fighter = View<typeof PlayerSchema>;

const MESSAGES = { move: MoveInput };
/** For so many turns it keeps its direction. */
const STRAIGHT_TURNS_MIN = 10;
const STRAIGHT_TURNS_MAX = 40;
/** So near to the edge of the world it heads back. */
const EDGE = 5 * RULES.playerRadius;
const SHOT_RANGE = (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000;
/** It misses by up to so much, in radians. */
const AIM_ERROR = 0.05;
const FULL_SPEED = 127;

export const arenaBot: Strategy = async ({ client, name, random, turnMs }) => {
  const room = await client.joinOrCreate("arena", { name }, { state: ArenaState, messages: MESSAGES });
  return new ArenaPlayer(room, random, turnMs);
};

class ArenaPlayer implements Player {
  readonly room: Room<typeof ArenaState, typeof MESSAGES>;
  readonly #random: Random;
  readonly #durationMs: number;
  /** Where it runs, in radians. */
  #heading = 0;
  #turnsLeft = 0;

  constructor(room: Room<typeof ArenaState, typeof MESSAGES>, random: Random, turnMs: number) {
    this.room = room;
    this.#random = random;
    this.#durationMs = Math.min(RULES.inputMsMax, Math.max(RULES.inputMsMin, turnMs));
  }

  act(): void {
    const self = this.room.state.players.get(this.room.sessionId);
    if (self === undefined) return;
    this.#steer(self);
    const enemy = nearestEnemy(self, this.room.state.players.values());
    const error = (this.#random.next() * 2 - 1) * AIM_ERROR;
    const aim = enemy === undefined ? this.#heading : Math.atan2(enemy.y - self.y, enemy.x - self.x) + error;
    this.room.send("move", {
      durationMs: this.#durationMs,
      dx: Math.round(Math.cos(this.#heading) * FULL_SPEED),
      dy: Math.round(Math.sin(this.#heading) * FULL_SPEED),
      aim,
      shoot: enemy !== undefined && distance(self, enemy) < SHOT_RANGE,
      // It sees the last state as it came.
      seenAtMs: Math.floor(this.room.roomTimeMs),
    });
  }

  #steer({ x, y }: Fighter): void {
    const { worldWidth, worldHeight } = RULES;
    if (x < EDGE || y < EDGE || x > worldWidth - EDGE || y > worldHeight - EDGE) {
      this.#heading = Math.atan2(worldHeight / 2 - y, worldWidth / 2 - x);
    } else if (this.#turnsLeft === 0) {
      this.#heading = (this.#random.next() * 2 - 1) * Math.PI;
      const span = STRAIGHT_TURNS_MAX - STRAIGHT_TURNS_MIN;
      this.#turnsLeft = STRAIGHT_TURNS_MIN + Math.floor(this.#random.next() * span);
    } else {
      this.#turnsLeft -= 1;
    }
  }
}

/** @returns undefined when nobody else is alive */
export function nearestEnemy(self: Fighter, players: Iterable<Fighter>): Fighter | undefined {
  let nearest: Fighter | undefined;
  for (const other of players) {
    if (other === self || other.hp === 0) continue;
    if (nearest === undefined || distance(self, other) < distance(self, nearest)) nearest = other;
  }
  return nearest;
}

function distance(a: Fighter, b: Fighter): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
