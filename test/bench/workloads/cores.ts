/** What a second worker brings: W1 with one and with two. Reported only, for the load generator shares the cores. */
import { inTurn } from "../measure/in-turn.ts";
import { CONTENDERS } from "../servers/contenders.ts";
import { arenaLoad } from "./arena-load.ts";
import type { Workload } from "./workload.ts";

const CLIENTS = [960, 1_920] as const;

export const cores: Workload = {
  name: "cores",
  about: "W1 with one and with two workers",
  run: async (context) => {
    const rows = [];
    for (const clients of context.clients ?? CLIENTS) {
      rows.push(...(await inTurn([CONTENDERS.rookery, CONTENDERS.twoWorkers], arenaLoad(clients), context)));
    }
    return { workload: "cores", pairs: context.pairs, rows, bounds: [] };
  },
};
