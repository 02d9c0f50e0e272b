/**
 * W2's room as a user of Colyseus writes it: a StateView per client, to which creatures are added and from which they
 * are removed as they come near and go. Who is near is found on plain numbers, not in the state, which costs a
 * hundredth of what the room does.
 */
import { type Client, Room } from "@colyseus/core";
import { Encoder, type Schema, StateView, schema, t } from "@colyseus/schema";
import { Sight } from "../world/sight.ts";
import {
  CREATURES,
  type Creature,
  isWalking,
  spawnCreature,
  viewpoint,
  WORLD,
  walk,
} from "../world/world.ts";

const TICK_MS = 1000 / WORLD.ticksPerSecond;
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
  readonly #positions = new Float64Array(2 * creatureCount);
  readonly #viewers = new Map<string, { readonly slot: number; readonly sight: Sight }>();
  readonly #freeSlots: number[] = [];
  #tick = 0;

  abstract addCreature(key: string, creature: Creature): LiveCreature;

  onCreate() {
    for (let index = 0; index < creatureCount; index++) {
      this.creatures.push(this.addCreature(String(index), spawnCreature(index)));
      this.#note(index);
    }
    this.setTimestep((dtMs) => this.#step(dtMs), TICK_MS);
  }

  onJoin(client: Client) {
    client.view = new StateView();
    const slot = this.#freeSlots.shift() ?? this.#viewers.size;
    this.#viewers.set(client.sessionId, { slot, sight: new Sight(creatureCount) });
    this.#look(client);
  }

  onLeave(client: Client) {
    const viewer = this.#viewers.get(client.sessionId);
    if (viewer !== undefined) this.#freeSlots.push(viewer.slot);
    this.#viewers.delete(client.sessionId);
    client.view?.dispose();
  }

  #step(dtMs: number) {
    this.#tick += 1;
    for (const [index, creature] of this.creatures.entries()) {
      if (!isWalking(index, this.#tick)) continue;
      walk(creature, index, this.#tick, dtMs);
      this.#note(index);
    }
    for (const client of this.clients) this.#look(client);
  }

  #look(client: Client) {
    const viewer = this.#viewers.get(client.sessionId);
    const { view } = client;
    if (viewer === undefined || view === undefined) return;
    viewer.sight.update(viewpoint(viewer.slot, this.#tick), this.#positions, {
      entered: (index) => view.add(this.creatures[index] as LiveCreature),
      left: (index) => view.remove(this.creatures[index] as LiveCreature),
    });
  }

  #note(index: number) {
    const { x, y } = this.creatures[index] as LiveCreature;
    this.#positions[2 * index] = x;
    this.#positions[2 * index + 1] = y;
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
