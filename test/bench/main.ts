/** `npm run bench`: runs the workloads, prints what came of them, and says whether the bounds were met. See `--help`. */
import { writeFileSync } from "node:fs";
import { OptionsError } from "../../shared/command-line.ts";
import { against } from "./against.ts";
import { installDependencies } from "./dependencies.ts";
import { helpText, type Options, parseOptions } from "./options.ts";
import { describeMachine, formatPage } from "./report/page.ts";
import { formatText } from "./report/text.ts";
import type { WorkloadResult } from "./result.ts";
import { WORKLOADS } from "./workloads/registry.ts";
import type { BenchContext, Workload } from "./workloads/workload.ts";

const EXIT = { DONE: 0, BOUND_MISSED: 1, NOT_RUN: 2, INTERRUPTED: 130 } as const;
const FULL = { pairs: 5, timing: { warmUpMs: 5_000, windowMs: 8_000 } } as const;
const QUICK = { pairs: 2, timing: { warmUpMs: 2_000, windowMs: 4_000 } } as const;
const JSON_INDENT = 2;

async function main(args: readonly string[]): Promise<number> {
  const names = WORKLOADS.map(({ name }) => name);
  const options = parseOptions(args, names);
  if (options === "help") {
    process.stdout.write(helpText(WORKLOADS));
    return EXIT.DONE;
  }
  installDependencies();
  const results = await runAll(options);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(results))}\n`);
  const { quick, only, clients, against: other } = options;
  const isWhole = !quick && only === undefined && clients === undefined && other === undefined;
  if (isWhole) writeResults(results);
  const missed = results.flatMap(({ bounds }) => bounds).filter(({ ok }) => !ok);
  for (const { name, value, limit } of missed) {
    process.stderr.write(`Bound missed: ${name} ${limit}; it is ${value.toFixed(3)}.\n`);
  }
  return missed.length > 0 ? EXIT.BOUND_MISSED : EXIT.DONE;
}

async function runAll({ only, quick, clients, json, against: other }: Options): Promise<WorkloadResult[]> {
  const all: readonly Pick<Workload, "name" | "run">[] =
    other === undefined
      ? WORKLOADS.filter(({ name }) => only?.includes(name) !== false)
      : [{ name: "against", run: (context) => against(other, only, context) }];
  const results: WorkloadResult[] = [];
  for (const { name, run } of all) {
    const context: BenchContext = {
      ...(quick ? QUICK : FULL),
      clients,
      progress: (sentence) => process.stderr.write(`${name}: ${sentence}\n`),
    };
    const result = await run(context);
    results.push(result);
    if (!json) process.stdout.write(formatText(result));
  }
  return results;
}

/** One workload by itself is one object. */
function jsonOf(results: readonly WorkloadResult[]): unknown {
  return results.length === 1 ? results[0] : { workloads: results };
}

function writeResults(results: readonly WorkloadResult[]): void {
  const machine = describeMachine(new Date());
  const about = new Map(WORKLOADS.map((workload) => [workload.name, workload.about]));
  const write = (name: string, text: string) => writeFileSync(new URL(name, import.meta.url), text);
  write("results.md", formatPage(machine, results, about));
  write("results.json", `${JSON.stringify({ machine, workloads: results }, undefined, JSON_INDENT)}\n`);
}

// Ends the servers and the load generator as well: they are killed when this process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(EXIT.INTERRUPTED));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const text = error instanceof OptionsError ? error.message : ((error as Error).stack ?? String(error));
  process.stderr.write(`${text}\n`);
  process.exitCode = EXIT.NOT_RUN;
}
