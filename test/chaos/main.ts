/** `npm run chaos`: reads the command line, runs one case, prints what came of it. See `--help`. */
import { inspect } from "node:util";
import { descriptorLimit, descriptorShortage } from "../../client-sim/bots/descriptors.ts";
import { OptionsError } from "../../shared/command-line.ts";
import { cases } from "./cases.ts";
import { runCase } from "./chaos-case.ts";
import { JOINS_AT_ONCE } from "./crowd.ts";
import { helpOf, type Options, parseOptions } from "./options.ts";
import type { Result } from "./outcome.ts";
import { formatReport } from "./report.ts";

const EXIT = { DONE: 0, BOUND_MISSED: 1, NOT_RUN: 2 } as const;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, cases);
  if (options === "help") {
    process.stdout.write(helpOf(cases));
    return EXIT.DONE;
  }
  const { clients } = options;
  const shortage = descriptorShortage(clients, JOINS_AT_ONCE, descriptorLimit());
  if (shortage !== undefined) throw new OptionsError(shortage);
  const result = await run(options);
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : formatReport(result));
  return result.violations.length > 0 ? EXIT.BOUND_MISSED : EXIT.DONE;
}

async function run({ name, chaosCase, seed, times, clients, workers }: Options): Promise<Result> {
  const progress = (line: string) => void process.stderr.write(`${name}: ${line}\n`);
  const outcome = await runCase(chaosCase, { times, clients, workers, seed, progress });
  return { case: name, seed, times, clients, ...outcome };
}

// Leaving in order ends the server, too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(EXIT.NOT_RUN));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(error instanceof OptionsError ? `${error.message}\n` : `${inspect(error)}\n`);
  process.exitCode = EXIT.NOT_RUN;
}
// Sockets that a server has not closed in time must not keep the process.
process.exit();
