/** How many creatures a viewer of W2 sees on average, found by running its game without a server. */
import { Sight } from "./sight.ts";
import { isWalking, spawnCreature, viewpoint, WORLD, walk } from "./world.ts";

const TICKS = 200;
const VIEWERS = 50;

export function averageSeen(creatures: number, radius: number): number {
  const all = Array.from({ length: creatures }, (_, index) => spawnCreature(index));
  const positions = new Float64Array(2 * creatures);
  const sights = Array.from({ length: VIEWERS }, () => new Sight(creatures, radius));
  const nothing = { entered: () => undefined, left: () => undefined };
  let seen = 0;
  for (let tick = 1; tick <= TICKS; tick++) {
    for (const [index, creature] of all.entries()) {
      if (isWalking(index, tick)) walk(creature, index, tick, 1_000 / WORLD.ticksPerSecond);
      positions[2 * index] = creature.x;
      positions[2 * index + 1] = creature.y;
    }
    for (const [viewer, sight] of sights.entries()) {
      sight.update(viewpoint(viewer, tick), positions, nothing);
      seen += sight.size;
    }
  }
  return seen / TICKS / VIEWERS;
}
