/** What the journal costs: W1 with every step written down before it is applied, and without. */
import { inTurn } from "../measure/in-turn.ts";
import { atMost, rowOf } from "../result.ts";
import { CONTENDERS } from "../servers/contenders.ts";
import { arenaLoad } from "./arena-load.ts";
import type { Workload } from "./workload.ts";

const CLIENTS = [960] as const;
const { rookery, unjournaled } = CONTENDERS;

export const journal: Workload = {
  name: "journal",
  about: "W1 with and without a journal",
  run: async (context) => {
    const rows = [];
    const bounds = [];
    for (const clients of context.clients ?? CLIENTS) {
      const taken = await inTurn([rookery, unjournaled], arenaLoad(clients), context);
      const ratio = rowOf(taken, rookery.name).cpuUsPerUpdate / rowOf(taken, unjournaled.name).cpuUsPerUpdate;
      bounds.push(atMost(`CPU per update, journal on / off at ${clients} clients`, ratio, 1.05));
      rows.push(...taken);
    }
    return { workload: "journal", pairs: context.pairs, rows, bounds };
  },
};
