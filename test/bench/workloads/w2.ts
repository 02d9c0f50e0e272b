/**
 * W2: one world for everybody, of which each client is sent what is around it. Colyseus leaves it to its user to find
 * that out; the row "tuned" is of one who has taken trouble with it, the others of one who does it with what the
 * documentation shows. The floor writes as many bytes, but runs W1's game and knows nothing of views: it tells what the
 * kernel takes.
 */
import { inTurn, type Turn } from "../measure/in-turn.ts";
import { atMost, type Bound, type Row, rowOf } from "../result.ts";
import { CONTENDERS, floor } from "../servers/contenders.ts";
import type { Workload } from "./workload.ts";
import { worldLoad } from "./world-load.ts";

const CLIENTS = [200] as const;

const { world, colyseusWorld, colyseusWorldQuantised, colyseusWorldTuned } = CONTENDERS;

export const w2: Workload = {
  name: "w2",
  about: "one room at 20 Hz with 500 creatures, of which 150 move and each client sees about 40",
  run: async (context) => {
    const rows: Row[] = [];
    const bounds: Bound[] = [];
    for (const clients of context.clients ?? CLIENTS) {
      const turns: Turn[] = [
        world,
        colyseusWorld,
        colyseusWorldQuantised,
        colyseusWorldTuned,
        (round) => floor(round.get(world.name)?.bytesPerUpdate ?? 0),
      ];
      rows.push(...(await inTurn(turns, worldLoad(clients), context)));
      bounds.push(...boundsAt(rows, clients));
    }
    return { workload: "w2", pairs: context.pairs, rows, bounds };
  },
};

function boundsAt(rows: readonly Row[], clients: number): Bound[] {
  const all = [world, colyseusWorld, colyseusWorldQuantised, colyseusWorldTuned];
  const [ours, theirs, quantised, tuned] = all.map(({ name }) => rowOf(rows, name, clients)) as [
    Row,
    Row,
    Row,
    Row,
  ];
  const at = `at ${clients} clients`;
  const bytes = ours.bytesPerClientPerSecond;
  return [
    atMost(`CPU per update / Colyseus ${at}`, ours.cpuUsPerUpdate / theirs.cpuUsPerUpdate, 0.45),
    atMost(`CPU per update / Colyseus quantised ${at}`, ours.cpuUsPerUpdate / quantised.cpuUsPerUpdate, 0.45),
    atMost(`CPU per update / Colyseus tuned ${at}`, ours.cpuUsPerUpdate / tuned.cpuUsPerUpdate, 0.45),
    atMost(`bytes / Colyseus quantised ${at}`, bytes / quantised.bytesPerClientPerSecond, 1),
  ];
}
