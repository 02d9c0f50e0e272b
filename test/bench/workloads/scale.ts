/**
 * How interest management grows: W2 with more clients, with more creatures in the same view, and with more creatures
 * of which as many are seen as before. A line through the second row says what a creature seen costs; how far the
 * others are from it shows whether anything else counts.
 */
import { inTurn } from "../measure/in-turn.ts";
import type { Row, Table } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { fitLine, type Line } from "../statistics.ts";
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
    const line: Point[] = await measure(moreSeen, USUAL_CLIENTS);
    const others: Point[] = await measure(asManySeen, USUAL_CLIENTS);
    for (const count of clients ?? CLIENTS) others.push(...(await measure([usual], count)));
    const fit = fitLine(line.map(({ row, meadow: { seen } }) => ({ x: seen, y: row.cpuUsPerUpdate })));
    return {
      workload: "scale",
      pairs: some.pairs,
      rows: [...line, ...others].map(({ row }) => row),
      bounds: [],
      tables: [pointTable([...line, ...others], fit), fitTable(line, others, fit)],
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

function deviation({ row, meadow: { seen } }: Point, { intercept, slope }: Line): number {
  return row.cpuUsPerUpdate / (intercept + slope * seen) - 1;
}

function pointTable(points: readonly Point[], fit: Line): Table {
  const rows = points.map((point) => [
    point.row.clients,
    point.meadow.creatures.toLocaleString("en"),
    point.meadow.seen.toFixed(1),
    point.row.cpuUsPerUpdate.toFixed(2),
    (deviation(point, fit) * PERCENT).toFixed(1),
  ]);
  const columns = ["clients", "creatures", "seen by each", "CPU us/update", "% off the line"];
  return { title: "Growth", columns, rows };
}

function fitTable(line: readonly Point[], others: readonly Point[], fit: Line): Table {
  const worst = (points: readonly Point[]): string =>
    (Math.max(...points.map((point) => Math.abs(deviation(point, fit)))) * PERCENT).toFixed(1);
  const rows = [
    ["CPU us of an update without creatures", fit.intercept.toFixed(2)],
    ["CPU us of a creature seen", fit.slope.toFixed(3)],
    ["worst % off the line, of its own points", worst(line)],
    ["worst % off the line, of the others", worst(others)],
  ];
  return {
    title: "Line through the points with more creatures in the same view",
    columns: ["", "value"],
    rows,
  };
}
