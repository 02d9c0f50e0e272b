/** `--against`: what a change of Rookery costs or saves, beside the Rookery of another checkout. */
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { OptionsError } from "../../shared/command-line.ts";
import { sideBySide } from "./measure/side-by-side.ts";
import type { Table, WorkloadResult } from "./result.ts";
import type { Contender } from "./servers/contenders.ts";
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
): Promise<WorkloadResult> {
  const subjects = SUBJECTS.filter(({ workload }) => only?.includes(workload) !== false);
  if (subjects.length === 0) throw new OptionsError("--against compares w1, w2 and w3.");
  const rows: Table["rows"][number][] = [];
  for (const { name, contender, load } of subjects) {
    for (const count of clients ?? [load.clients]) {
      const here: number[] = [];
      const there: number[] = [];
      const counted = { ...load, clients: count };
      for (let pair = 1; pair <= pairs; pair++) {
        const both = [contender, from(folder, contender)];
        // Who starts first has the more settled memory.
        const isTurned = pair % 2 === 0;
        const taken = await sideBySide(isTurned ? both.toReversed() : both, counted, timing);
        const [ours = 0, theirs = 0] = isTurned ? taken.toReversed() : taken;
        here.push(ours);
        there.push(theirs);
        progress(
          `${name}, ${count} clients, round ${pair} of ${pairs}: ${ours.toFixed(2)} and ${theirs.toFixed(2)} us`,
        );
      }
      const ratios = here.map((us, index) => us / (there[index] ?? Number.NaN));
      const shown = [median(here), median(there), median(ratios), Math.min(...ratios), Math.max(...ratios)];
      const digits = (value: number, index: number) => value.toFixed(index < 2 ? 2 : 3);
      rows.push([`${name}, ${count} clients`, ...shown.map(digits)]);
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

function from(folder: string, contender: Contender): Contender {
  return {
    ...contender,
    name: `${contender.name} of ${folder}`,
    file: join(folder, relative(ROOT, contender.file)),
  };
}
