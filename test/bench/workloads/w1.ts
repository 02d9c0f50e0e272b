/** W1: a match of 32 players as Rookery, Colyseus and bare sockets run it, at growing numbers of clients. */
import { inTurn, type Turn } from "../measure/in-turn.ts";
import type { Row } from "../result.ts";
import { CONTENDERS, floor } from "../servers/contenders.ts";
import { arenaLoad } from "./arena-load.ts";
import { w1Bounds } from "./w1-bounds.ts";
import type { Workload } from "./workload.ts";

const CLIENTS = [320, 960, 1_920] as const;

const { rookery, colyseus, colyseusQuantised } = CONTENDERS;

export const w1: Workload = {
  name: "w1",
  about: "rooms of 32 players at 20 Hz, everybody gets everything",
  run: async (context) => {
    const rows: Row[] = [];
    for (const clients of context.clients ?? CLIENTS) {
      const turns: Turn[] = [
        rookery,
        colyseus,
        colyseusQuantised,
        (round) => floor(round.get(rookery.name)?.bytesPerUpdate ?? 0),
      ];
      rows.push(...(await inTurn(turns, arenaLoad(clients), context)));
    }
    return { workload: "w1", pairs: context.pairs, rows, bounds: w1Bounds(rows) };
  },
};
