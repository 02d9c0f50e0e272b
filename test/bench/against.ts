/** `--against`: what a change of Rookery costs or saves, beside the Rookery of another checkout. */
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { OptionsError } from "../../shared/command-line.ts";
import { sideBySide } from "./measure/side-by-side.ts";
import type { Table, WorkloadResult } from "./result.ts";
import { median } from "./statistics.ts";
import { SUBJECTS } from "./workloads/subjects.ts";
import type { BenchContext } from "./workloads/workload.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COLUMNS = ["", "us/update", "us/update there", "ratio", "lowest", "highest"] as const;

/**
 * @param folder the other checkout, with its dependencies installed
 * @param only names of workloads; undefined: all that have a load
 * @throws OptionsError when none of them has
 */
export async function against(
  folder: string,
  only: readonly string[] | undefined,
  { pairs, timing, clients, progress }: BenchContext,
  measure = sideBySide,
): Promise<WorkloadResult> {
  const subjects = SUBJECTS.filter(({ workload }) => only?.includes(workload) !== false);
  if (subjects.length === 0) throw new OptionsError("--against compares w1, w2 and w3.");
  const rows: Table["rows"][number][] = [];
  for (const { name, contender, load } of subjects) {
    for (const count of clients ?? [load.clients]) {
      const title = `${name}, ${count} clients`;
      const rounds: Round[] = [];
      for (let pair = 1; pair <= pairs; pair++) {
        const file = join(folder, relative(ROOT, contender.file));
        const other = { ...contender, name: `${contender.name} of ${folder}`, file };
        // Neither is always the one that starts first.
        const isTurned = pair % 2 === 0;
        const both = isTurned ? [other, contender] : [contender, other];
        const [first = Number.NaN, second = Number.NaN] = await measure(
          both,
          { ...load, clients: count },
          timing,
        );
        const round: Round = isTurned ? [second, first] : [first, second];
        const [here, there] = round.map((us) => us.toFixed(2));
        progress(`${title}, round ${pair} of ${pairs}: ${here} and ${there} us`);
        rounds.push(round);
      }
      rows.push([title, ...figuresOf(rounds)]);
    }
  }
  return {
    workload: "against",
    pairs,
    rows: [],
    bounds: [],
    tables: [{ title: "", columns: COLUMNS, rows }],
  };
}

/** Microseconds of CPU time for an update. */
type Round = readonly [here: number, there: number];

/** @returns what stands in the columns behind the first */
function figuresOf(rounds: readonly Round[]): string[] {
  const ratios = rounds.map(([here, there]) => here / there);
  const times = [median(rounds.map(([here]) => here)), median(rounds.map(([, there]) => there))];
  return [
    ...times.map((us) => us.toFixed(2)),
    ...[median(ratios), Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(3)),
  ];
}
