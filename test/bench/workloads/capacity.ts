/** Capacity: how many of W1's clients one worker holds at the rate it was asked for, or almost. */
import { medianRow } from "../measure/rows.ts";
import type { Sample } from "../measure/sample.ts";
import { searchCapacity } from "../measure/search-capacity.ts";
import { undisturbed } from "../measure/undisturbed.ts";
import { atLeast, rowOf } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { arenaLoad } from "./arena-load.ts";
import type { BenchContext, Workload } from "./workload.ts";

/** Of 20 Hz, on average over all clients. */
const HELD_HZ_MIN = 19.5;
/** Shorter than elsewhere, for the search takes many runs. */
const TIMING = { warmUpMs: 6_000, windowMs: 4_000 } as const;
/** More clients than that the load generator cannot join in time. */
const CLIENTS_MAX = 5_760;
const SEARCH = { first: 960, most: CLIENTS_MAX, bisections: 3, multipleOf: 32 } as const;

const { rookery, colyseus } = CONTENDERS;

export const capacity: Workload = {
  name: "capacity",
  about: `clients of W1 that one worker holds at ${HELD_HZ_MIN} Hz or more`,
  run: async (context) => {
    const held = new Map<Contender, Sample[]>([
      [rookery, []],
      [colyseus, []],
    ]);
    for (let pair = 0; pair < context.pairs; pair++) {
      for (const [contender, samples] of held) samples.push(await capacityOf(contender, context));
    }
    const rows = Array.from(held, ([{ name }, samples]) => medianRow(name, samples));
    const ratio = rowOf(rows, rookery.name).clients / rowOf(rows, colyseus.name).clients;
    return {
      workload: "capacity",
      pairs: context.pairs,
      rows,
      bounds: [atLeast("clients of one worker / Colyseus", ratio, 1.5)],
    };
  },
};

/** @returns what was measured at the highest number of clients that it held */
async function capacityOf(contender: Contender, { progress }: BenchContext): Promise<Sample> {
  const probe = async (clients: number): Promise<Sample | undefined> => {
    try {
      const load = arenaLoad(clients);
      const taken = await undisturbed({ contender, load, timing: TIMING }, progress);
      return taken.updatesPerClientPerSecond >= HELD_HZ_MIN ? taken : undefined;
    } catch {
      // Under too much load clients are dropped, or cannot join in time.
      return undefined;
    }
  };
  const best = await searchCapacity(probe, SEARCH);
  if (best === undefined) throw new Error(`${contender.name} holds no number of clients that was tried`);
  return best;
}
