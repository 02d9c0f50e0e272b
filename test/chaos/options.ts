/** The command line of `npm run chaos`: what may be asked for. */
import { parseArgs } from "node:util";
import { numberOption, OptionsError, sentenceOfParseError } from "../../shared/command-line.ts";
import type { ChaosCase, Size } from "./chaos-case.ts";

export type Options = Size & {
  readonly name: string;
  readonly chaosCase: ChaosCase;
  readonly seed: number;
  readonly json: boolean;
};

type Cases = Readonly<Record<string, ChaosCase>>;

const NAME_COLUMNS = 14;

export function helpOf(cases: Cases): string {
  const rows = Object.entries(cases).map(([name, { about }]) => `  ${name.padEnd(NAME_COLUMNS)}${about}`);
  return `Breaks a server of real processes in one way, and checks that nothing is lost and nothing is doubled.

  npm run chaos -- CASE [options]

${rows.join("\n")}

  --times N      how often
  --clients N    simulated players
  --workers N    worker processes of the server (default 2)
  --seed S       decides what the players do and when it breaks (default 1)
  --json         one JSON object on stdout, and nothing else
  --help         this text

Exit codes: 0 every bound was kept, 1 one was missed, 2 the case could not be run.
`;
}

/**
 * @param args without the program's own name
 * @returns "help" when that is what was asked for
 * @throws OptionsError naming the first argument that does not fit
 */
export function parseOptions(args: readonly string[], cases: Cases): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [name, ...others] = positionals;
  const chaosCase = name !== undefined && Object.hasOwn(cases, name) ? cases[name] : undefined;
  if (name === undefined || chaosCase === undefined || others.length > 0) {
    const found = name === undefined ? "none" : positionals.map((word) => JSON.stringify(word)).join(" ");
    throw new OptionsError(`Name one case of ${Object.keys(cases).join(", ")} (it is ${found}).`);
  }
  const usual = chaosCase.usual(whole("clients", values.clients, 1, 10_000));
  return {
    name,
    chaosCase,
    times: whole("times", values.times, 1, 1_000_000) ?? usual.times,
    clients: usual.clients,
    workers: whole("workers", values.workers, 1, 64) ?? usual.workers,
    seed: whole("seed", values.seed, 0, 2 ** 32 - 1) ?? 1,
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: {
        times: { type: "string" },
        clients: { type: "string" },
        workers: { type: "string" },
        seed: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new OptionsError(sentenceOfParseError(error));
  }
}

function whole(name: string, text: string | undefined, min: number, max: number): number | undefined {
  return text === undefined ? undefined : numberOption(name, text, { min, max, whole: true });
}
