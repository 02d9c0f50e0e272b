/**
 * The world: one meadow for everybody, with hundreds of creatures, of which each player is sent those around it.
 * Players walk and sprint; who comes close enough to a creature tags it, for points, and gives it its colour.
 */
import { cleanName } from "../../shared/games/player-name.ts";
import { KINDS, RULES } from "../../shared/games/world/rules.ts";
import { type Player, SteerInput, type Tagged, WorldState } from "../../shared/games/world/schema.ts";
import { NO_STEERING, type Steering, stepPlayer } from "../../shared/games/world/step.ts";
import type { Live } from "../../shared/schema/index.ts";
import type { Client } from "../room/client.ts";
import { message } from "../room/messages.ts";
import { type JoinOptions, Room } from "../room/room.ts";
import { timer } from "../room/timers.ts";
import {
  createHerd,
  createMind,
  type Herd,
  kindOf,
  type LiveCreature,
  type Mind,
  moveOn,
  type Point,
  placeNear,
  think,
  walk,
} from "./world/creature.ts";

type LivePlayer = Live<typeof Player>;
/** Where a player is, read once per tick, since every creature looks at all of them. */
type Walker = Point & { readonly client: Client; readonly player: LivePlayer };

type WorldData = {
  readonly herds: Herd[];
  readonly minds: Map<string, Mind>;
  /** What players do, by session. */
  readonly steering: Map<string, Steering>;
};

export class World extends Room<typeof WorldState, WorldData> {
  static state = WorldState;
  static tickRate = RULES.ticksPerSecond;
  static maxClients = RULES.playersMax;

  data: WorldData = { herds: [], minds: new Map(), steering: new Map() };

  messages = {
    steer: message(SteerInput, (client, steering) => {
      this.data.steering.set(client.sessionId, steering);
    }),
  };

  timers = {
    leaders: timer(() => this.#updateLeaders()),
  };

  readonly #random = () => this.random();

  onCreate(): void {
    KINDS.forEach(({ herds }, kind) => {
      for (let i = 0; i < herds; i++) this.#addHerd(kind);
    });
    this.timers.leaders.every(RULES.leadersIntervalMs);
  }

  onJoin(client: Client, options: JoinOptions): void {
    const name = cleanName(options.name, `Player ${client.slot + 1}`);
    const player = this.state.players.set(client.sessionId, {
      x: RULES.playerRadius + this.random() * (RULES.worldWidth - 2 * RULES.playerRadius),
      y: RULES.playerRadius + this.random() * (RULES.worldHeight - 2 * RULES.playerRadius),
      name,
      colour: client.slot,
      stamina: RULES.staminaMax,
    });
    this.data.steering.set(client.sessionId, NO_STEERING);
    this.state.playerCount = this.state.players.size;
    look(client, player);
  }

  onDrop(client: Client): void {
    this.data.steering.set(client.sessionId, NO_STEERING);
  }

  onLeave(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    for (const creature of this.state.creatures.values()) {
      if (creature.tagger === player) creature.colour = undefined;
    }
    this.state.players.delete(client.sessionId);
    this.state.leaders.delete(client.sessionId);
    this.data.steering.delete(client.sessionId);
    this.state.playerCount = this.state.players.size;
  }

  onTick(dtMs: number): void {
    const walkers = this.#movePlayers(dtMs);
    for (const herd of this.data.herds) moveOn(herd, this.clock.nowMs, this.#random);
    for (const [key, mind] of this.data.minds) {
      const creature = this.state.creatures.get(key);
      if (creature) this.#live(creature, mind, walkers, dtMs);
    }
  }

  #addHerd(kind: number): void {
    const herd = createHerd(kind, this.#random);
    const index = this.data.herds.push(herd) - 1;
    for (let i = 0; i < RULES.herdSize; i++) {
      const key = `${index}.${i}`;
      this.state.creatures.set(key, { ...placeNear(herd, this.#random), kind });
      this.data.minds.set(key, createMind(index, this.#random));
    }
  }

  #movePlayers(dtMs: number): Walker[] {
    const walkers: Walker[] = [];
    for (const client of this.clients) {
      const player = this.state.players.get(client.sessionId);
      const steering = this.data.steering.get(client.sessionId);
      if (player === undefined || steering === undefined) continue;
      const { x, y, stamina } = stepPlayer(player, steering, dtMs);
      player.x = x;
      player.y = y;
      player.stamina = stamina;
      look(client, player);
      walkers.push({ x, y, client, player });
    }
    return walkers;
  }

  #live(creature: LiveCreature, mind: Mind, walkers: readonly Walker[], dtMs: number): void {
    const at = { x: creature.x, y: creature.y };
    const near = nearest(at, walkers, kindOf(creature.kind).shyDistance);
    if (near && distanceSquared(at, near) <= RULES.tagDistance ** 2) this.#tag(near, creature, mind);
    const herd = this.data.herds[mind.herd] as Herd;
    think(mind, at, herd, near, this.clock.nowMs, this.#random);
    walk(creature, mind, at, dtMs);
  }

  #tag({ client, player }: Walker, creature: LiveCreature, mind: Mind): void {
    if (creature.tagger === player || this.clock.nowMs < mind.canBeTaggedAtMs) return;
    mind.canBeTaggedAtMs = this.clock.nowMs + RULES.tagPauseMs;
    const { x, y, kind } = creature;
    const { worth } = kindOf(kind);
    creature.tagger = player;
    creature.colour = player.colour;
    player.score += worth;
    const tagged: Tagged = { x, y, kind, worth };
    client.send("tagged", tagged);
  }

  #updateLeaders(): void {
    const { players, leaders } = this.state;
    const best = [...players]
      .filter(([, { score }]) => score > 0)
      .sort(([, a], [, b]) => b.score - a.score)
      .slice(0, RULES.leadersMax);
    const sessionIds = new Set(best.map(([sessionId]) => sessionId));
    for (const sessionId of leaders.keys()) if (!sessionIds.has(sessionId)) leaders.delete(sessionId);
    for (const [sessionId, { name, colour, score }] of best) {
      const leader = leaders.get(sessionId) ?? leaders.set(sessionId, { name, colour });
      leader.score = score;
    }
  }
}

/** Lets a client see what is around its player. */
function look(client: Client, { x, y }: Point): void {
  client.view = { x, y, radius: RULES.viewRadius };
}

/** @returns the nearest within a distance */
function nearest(at: Point, walkers: readonly Walker[], distance: number): Walker | undefined {
  let found: Walker | undefined;
  let limit = distance * distance;
  for (const walker of walkers) {
    const squared = distanceSquared(at, walker);
    if (squared >= limit) continue;
    limit = squared;
    found = walker;
  }
  return found;
}

function distanceSquared(a: Point, b: Point): number {
  const dx = a.x - b.x;
  const dy = a.y - b.y;
  return dx * dx + dy * dy;
}
