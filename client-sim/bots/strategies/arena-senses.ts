/**
 * What a bot of the arena goes by, and how it acts: either by the last state as it came, which is cheap, or as the page
 * does, which predicts its own player and shows the others a little in the past.
 */
import type { ArenaState, MoveInput, Player as PlayerSchema } from "../../../shared/games/arena/schema.ts";
import { type Body, stepBody } from "../../../shared/games/arena/step.ts";
import type { InputOf, View } from "../../../shared/schema/index.ts";
import type { Room } from "../../sdk/index.ts";
import { nearest, type Point } from "./steering.ts";

type Fighter = View<typeof PlayerSchema>;
/** By session. */
type Fighters = Iterable<readonly [string, Fighter]> & { get(sessionId: string): Fighter | undefined };
type Move = InputOf<typeof MoveInput>;
export type ArenaRoom = Room<typeof ArenaState, { readonly move: typeof MoveInput }>;

export interface Senses {
  /** @returns undefined while it is not in the game; who is dead is where it died */
  self(): Point | undefined;
  /** @returns the nearest one alive; undefined when there is none */
  enemy(from: Point): Point | undefined;
  /** Room time at which it sees the others, in whole milliseconds. */
  readonly seenAtMs: number;
  send(input: Move): void;
}

/** Nobody runs so far between two states: who does was put there. */
const TELEPORT_DISTANCE = 100;

/** By the last state as it came. */
export function plainSenses(room: ArenaRoom): Senses {
  const { sessionId } = room;
  return {
    self: () => room.state.players.get(sessionId),
    enemy: () => nearestEnemy(room.state.players, sessionId)[0]?.[1],
    get seenAtMs() {
      return Math.floor(room.roomTimeMs);
    },
    send: (input) => void room.send("move", input),
  };
}

/** As the page does. */
export function keenSenses(room: ArenaRoom): Senses {
  const predictor = room.predict({
    message: "move",
    read: ({ players }) => bodyOf(players.get(room.sessionId)),
    step: (body, input) => stepBody(body, input, input.durationMs),
  });
  // Whoever is the nearest at a time is there to be seen at that time. To follow all of them would cost this process
  // more than everything else it does, and a bot looks at no other.
  const enemies = room.interpolate(({ players }) => nearestEnemy(players, room.sessionId), {
    numbers: ["x", "y"],
    snapDistance: TELEPORT_DISTANCE,
  });
  return {
    self: () => {
      const self = room.state.players.get(room.sessionId);
      return self && (predictor.body ?? self);
    },
    enemy: (from) => nearest(from, enemies.entries(), ([, place]) => place)?.[1],
    get seenAtMs() {
      return Math.floor(enemies.renderTimeMs);
    },
    send: (input) => void predictor.send(input),
  };
}

/** @returns none for who is dead */
function bodyOf(fighter: Fighter | undefined): Body | undefined {
  if (fighter === undefined || fighter.hp === 0) return undefined;
  const { x, y, vx, vy } = fighter;
  return { x, y, vx, vy };
}

/** @returns one at most: nobody else may be alive */
export function nearestEnemy(
  players: Fighters,
  sessionId: string,
): (readonly [sessionId: string, enemy: Fighter])[] {
  const self = players.get(sessionId);
  if (self === undefined) return [];
  const enemy = nearest(self, players, ([id, fighter]) =>
    id === sessionId || fighter.hp === 0 ? undefined : fighter,
  );
  return enemy === undefined ? [] : [enemy];
}
