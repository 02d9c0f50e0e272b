/**
 * W2's room with what the documentation of Colyseus shows: a StateView per client, to which creatures are added and from
 * which they are removed (`has`, `add`, `remove`) as they come near and go, by their positions in the state. And one in which a user has taken trouble:
 * who is near is found on plain numbers beside the state, which costs next to nothing.
 */
import { type Client, Room } from "@colyseus/core";
import { Encoder, type Schema, StateView, schema, t } from "@colyseus/schema";
import { Sight } from "../world/sight.ts";
import {
  CREATURES,
  type Creature,
  isWalking,
  type Point,
  spawnCreature,
  viewpoint,
  WORLD,
  walk,
} from "../world/world.ts";

const TICK_MS = 1000 / WORLD.ticksPerSecond;
const ENTER_SQUARED = WORLD.viewRadius ** 2;
const LEAVE_SQUARED = (WORLD.viewRadius * WORLD.keepFactor) ** 2;
const creatureCount = Number(process.env.WORLD_CREATURES ?? CREATURES);
// As it asks for when what it encodes in a tick is larger.
Encoder.BUFFER_SIZE = 1024 * 1024;

const NumberCreature = schema(
  { x: t.number(), y: t.number(), angle: t.number(), hp: t.number(), kind: t.number() },
  "NumberCreature",
);
const NumberWorldState = schema({ creatures: t.map(NumberCreature).view() });

const position = () => t.quantized({ min: 0, max: WORLD.size, bits: 16 });
const QuantisedCreature = schema(
  {
    x: position(),
    y: position(),
    angle: t.quantized({ min: -Math.PI, max: Math.PI, mode: "wrap", bits: 8 }),
    hp: t.uint8(),
    kind: t.uint8(),
  },
  "QuantisedCreature",
);
const QuantisedWorldState = schema({ creatures: t.map(QuantisedCreature).view() });

type LiveCreature = Creature & Schema;

abstract class World extends Room {
  patchRate = TICK_MS;
  protected readonly creatures: LiveCreature[] = [];
  protected tick = 0;
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];

  abstract addCreature(key: string, creature: Creature): LiveCreature;

  onCreate() {
    for (let index = 0; index < creatureCount; index++) {
      this.creatures.push(this.addCreature(String(index), spawnCreature(index)));
    }
    this.setTimestep((dtMs) => this.#step(dtMs), TICK_MS);
  }

  onJoin(client: Client) {
    client.view = new StateView();
    this.#slots.set(client.sessionId, this.#freeSlots.shift() ?? this.#slots.size);
    this.#lookOf(client);
  }

  onLeave(client: Client) {
    const slot = this.#slots.get(client.sessionId);
    if (slot !== undefined) this.#freeSlots.push(slot);
    this.#slots.delete(client.sessionId);
    client.view?.dispose();
  }

  /** Brings a client's view up to date with what is near a point. */
  protected look({ view }: Client, { x, y }: Point) {
    if (view === undefined) return;
    for (const creature of this.creatures) {
      const dx = creature.x - x;
      const dy = creature.y - y;
      const squared = dx * dx + dy * dy;
      if (view.has(creature)) {
        if (squared > LEAVE_SQUARED) view.remove(creature);
      } else if (squared <= ENTER_SQUARED) view.add(creature);
    }
  }

  #step(dtMs: number) {
    this.tick += 1;
    for (const [index, creature] of this.creatures.entries()) {
      if (isWalking(index, this.tick)) walk(creature, index, this.tick, dtMs);
    }
    for (const client of this.clients) this.#lookOf(client);
  }

  #lookOf(client: Client) {
    const slot = this.#slots.get(client.sessionId);
    if (slot !== undefined) this.look(client, viewpoint(slot, this.tick));
  }
}

export class NumberWorld extends World {
  state = new NumberWorldState();

  addCreature(key: string, creature: Creature): LiveCreature {
    const added = new NumberCreature(creature);
    this.state.creatures.set(key, added);
    return added;
  }
}

export class QuantisedWorld extends World {
  state = new QuantisedWorldState();

  addCreature(key: string, creature: Creature): LiveCreature {
    const added = new QuantisedCreature(creature);
    this.state.creatures.set(key, added);
    return added;
  }
}

export class TunedWorld extends QuantisedWorld {
  readonly #positions = new Float64Array(2 * creatureCount);
  readonly #sights = new WeakMap<Client, Sight>();
  #notedTick = -1;

  override look(client: Client, point: Point) {
    this.#notePositions();
    const { view } = client;
    const sight = this.#sights.get(client) ?? new Sight(creatureCount);
    this.#sights.set(client, sight);
    sight.update(point, this.#positions, {
      entered: (index) => view?.add(this.creatures[index] as LiveCreature),
      left: (index) => view?.remove(this.creatures[index] as LiveCreature),
    });
  }

  /** Once in a tick. */
  #notePositions() {
    if (this.#notedTick === this.tick) return;
    this.#notedTick = this.tick;
    for (const [index, { x, y }] of this.creatures.entries()) {
      this.#positions[2 * index] = x;
      this.#positions[2 * index + 1] = y;
    }
  }
}
