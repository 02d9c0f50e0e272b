/**
 * Plays the world: walks about, chases the nearest creature it sees that does not have its colour yet, and sprints
 * when it comes near.
 */
import { KINDS, RULES } from "../../../shared/games/world/rules.ts";
import {
  type Creature as CreatureSchema,
  SteerInput,
  WorldState,
} from "../../../shared/games/world/schema.ts";
import type { View } from "../../../shared/schema/index.ts";
import type { Random } from "../../../shared/sim/random.ts";
import type { Room } from "../../sdk/index.ts";
import { distance, fullSpeed, headingTo, nearest, type Point, Roamer } from "./steering.ts";
import type { Player, Strategy } from "./strategy.ts";

type Creature = View<typeof CreatureSchema>;

const MESSAGES = { steer: SteerInput };
const FIELD = { width: RULES.worldWidth, height: RULES.worldHeight, edge: 5 * RULES.playerRadius };
/** So near that any creature runs. */
const SPRINT_DISTANCE = Math.max(...KINDS.map(({ shyDistance }) => shyDistance));

export const worldBot: Strategy = async ({ client, name, random }) => {
  const room = await client.joinOrCreate("world", { name }, { state: WorldState, messages: MESSAGES });
  return new WorldPlayer(room, random);
};

class WorldPlayer implements Player {
  readonly room: Room<typeof WorldState, typeof MESSAGES>;
  readonly comparesState = false;
  readonly #roamer: Roamer;

  constructor(room: Room<typeof WorldState, typeof MESSAGES>, random: Random) {
    this.room = room;
    this.#roamer = new Roamer(random, FIELD);
  }

  act(): void {
    const { players, creatures } = this.room.state;
    const self = players.get(this.room.sessionId);
    if (self === undefined) return;
    const prey = nearestPrey(self, self.colour, creatures.values());
    const heading = prey === undefined ? this.#roamer.next(self) : headingTo(self, prey);
    const sprint = prey !== undefined && distance(self, prey) < SPRINT_DISTANCE;
    this.room.send("steer", { ...fullSpeed(heading), sprint });
  }
}

/** @returns undefined when none is in view that has not its colour yet */
export function nearestPrey(
  self: Point,
  colour: number,
  creatures: Iterable<Creature>,
): Creature | undefined {
  return nearest(self, creatures, (creature) => (creature.colour === colour ? undefined : creature));
}
