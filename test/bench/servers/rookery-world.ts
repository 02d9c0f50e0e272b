/** W2's room, as a user of Rookery writes it. The environment says how many creatures there are, and how far one sees. */
import { type Client, entity, map, quantised, Room, u8 } from "../../../server/index.ts";
import { CREATURES, isWalking, spawnCreature, viewpoint, WORLD, walk } from "../world/world.ts";

const VIEW_RADIUS = Number(process.env.WORLD_VIEW_RADIUS ?? WORLD.viewRadius);

const Creature = entity(
  {
    x: quantised(0, WORLD.size, WORLD.positionStep),
    y: quantised(0, WORLD.size, WORLD.positionStep),
    angle: quantised(-Math.PI, Math.PI, WORLD.angleStep),
    hp: u8,
    kind: u8,
  },
  "Creature",
);
const WorldState = entity({ creatures: map(Creature, { spatial: ["x", "y"] }) }, "WorldState");

export class World extends Room<typeof WorldState> {
  static state = WorldState;
  static tickRate = WORLD.ticksPerSecond;
  static maxClients = 1_000;

  onCreate() {
    const creatures = Number(process.env.WORLD_CREATURES ?? CREATURES);
    for (let index = 0; index < creatures; index++) {
      this.state.creatures.set(String(index), spawnCreature(index));
    }
  }

  onJoin(client: Client) {
    this.#look(client);
  }

  onTick(dtMs: number) {
    const { tick } = this.clock;
    let index = 0;
    for (const creature of this.state.creatures.values()) {
      if (isWalking(index, tick)) walk(creature, index, tick, dtMs);
      index += 1;
    }
    for (const client of this.clients) this.#look(client);
  }

  #look(client: Client) {
    client.view = { ...viewpoint(client.slot, this.clock.tick), radius: VIEW_RADIUS };
  }
}
