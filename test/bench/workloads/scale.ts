/**
 * How interest management grows: W2 with more creatures in the same view, with more creatures of which as many are seen
 * as before, and with more clients. What an update costs is fitted as a sum of what it is for itself, what it takes for
 * each creature seen, and its share of what the room does once per tick: for itself, and for each creature it has.
 * If anything grew faster, with clients times creatures say, some points would be far from that sum.
 */
import { inTurn } from "../measure/in-turn.ts";
import type { Row, Table } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { fitLinear } from "../statistics.ts";
import { averageSeen } from "../world/average-seen.ts";
import { CREATURES, WORLD } from "../world/world.ts";
import type { Workload } from "./workload.ts";
import { worldLoad } from "./world-load.ts";

const CLIENTS = [50, 100, 200, 400] as const;
const USUAL_CLIENTS = 200;
const GROWING_VIEW = [250, 500, 1_000, 2_000, 4_000] as const;
const SAME_VIEW = [1_000, 2_000, 4_000] as const;
/** There are many points, so fewer and shorter runs than elsewhere. */
const PAIRS_MAX = 3;
const TIMING = { warmUpMs: 2_000, windowMs: 4_000 } as const;
const PERCENT = 100;

type Meadow = Contender & { readonly creatures: number; readonly seen: number };
type Point = { readonly row: Row; readonly meadow: Meadow };

export const scale: Workload = {
  name: "scale",
  about: "W2 with 50 to 400 clients and 250 to 4,000 creatures",
  run: async ({ clients, pairs, ...context }) => {
    const some = { ...context, clients, pairs: Math.min(pairs, PAIRS_MAX), timing: TIMING };
    const measure = async (meadows: readonly Meadow[], count: number): Promise<Point[]> => {
      const rows = await inTurn(meadows, worldLoad(count), some);
      return rows.map((row, index) => ({ row, meadow: meadows[index] as Meadow }));
    };
    const usual = meadow(CREATURES, WORLD.viewRadius);
    const moreSeen = GROWING_VIEW.map((creatures) => meadow(creatures, WORLD.viewRadius));
    const asManySeen = SAME_VIEW.map((creatures) =>
      meadow(creatures, Math.round(WORLD.viewRadius * Math.sqrt(CREATURES / creatures))),
    );
    const points = await measure([...moreSeen, ...asManySeen], USUAL_CLIENTS);
    for (const count of clients ?? CLIENTS) points.push(...(await measure([usual], count)));
    const fit = fitLinear(points.map((point) => ({ x: termsOf(point), y: point.row.cpuUsPerUpdate })));
    return {
      workload: "scale",
      pairs: some.pairs,
      rows: points.map(({ row }) => row),
      bounds: [],
      tables: [pointTable(points, fit), fitTable(points, fit)],
    };
  },
};

function meadow(creatures: number, radius: number): Meadow {
  const { world } = CONTENDERS;
  const environment = { WORLD_CREATURES: String(creatures), WORLD_VIEW_RADIUS: String(radius) };
  return {
    ...world,
    name: `rookery, ${creatures.toLocaleString("en")} creatures seen from ${radius}`,
    environment: { ...world.environment, ...environment },
    creatures,
    seen: averageSeen(creatures, radius),
  };
}

/** What the cost of an update may be made of, in the order of `TERMS`. */
function termsOf({ row: { clients }, meadow: { creatures, seen } }: Point): number[] {
  return [1, seen, 1 / clients, creatures / clients];
}

const TERMS = [
  "of an update, us",
  "of a creature seen, us",
  "of a tick, us",
  "of a creature, us a tick",
] as const;

function deviation(point: Point, fit: readonly number[]): number {
  const expected = termsOf(point).reduce((sum, term, index) => sum + term * (fit[index] as number), 0);
  return point.row.cpuUsPerUpdate / expected - 1;
}

function pointTable(points: readonly Point[], fit: readonly number[]): Table {
  const rows = points.map((point) => [
    point.row.clients,
    point.meadow.creatures.toLocaleString("en"),
    point.meadow.seen.toFixed(1),
    point.row.cpuUsPerUpdate.toFixed(2),
    (deviation(point, fit) * PERCENT).toFixed(1),
  ]);
  const columns = ["clients", "creatures", "seen by each", "CPU us/update", "% off the fit"];
  return { title: "Growth", columns, rows };
}

function fitTable(points: readonly Point[], fit: readonly number[]): Table {
  const worst = Math.max(...points.map((point) => Math.abs(deviation(point, fit))));
  const rows = TERMS.map((name, index) => [`CPU ${name}`, (fit[index] as number).toFixed(3)]);
  rows.push(["worst point, % off the fit", (worst * PERCENT).toFixed(1)]);
  return { title: "Linear fit", columns: ["", "value"], rows };
}
