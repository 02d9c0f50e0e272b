/** The command line of the benchmark. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionsError, sentenceOfParseError } from "../../shared/command-line.ts";

export type Options = {
  readonly quick: boolean;
  readonly json: boolean;
  /** Names of workloads; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly clients: readonly number[] | undefined;
  /** Another checkout of Rookery, to be compared with instead of others. */
  readonly against: string | undefined;
};

const CLIENTS_MAX = 20_000;
const SERVER_FILE = "test/bench/servers/rookery.ts";

/** @param workloads each with what it is about */
export function helpText(workloads: readonly { readonly name: string; readonly about: string }[]): string {
  const width = Math.max(...workloads.map(({ name }) => name.length));
  const list = workloads.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`);
  return `Compares Rookery with Colyseus and with bare sockets, side by side on this machine.

  npm run bench -- [options]

  --only NAME,...   these workloads and no others
  --quick           2 rounds instead of 5, and shorter ones
  --clients N,...   numbers of clients instead of the workloads' own
  --against FOLDER  another checkout of Rookery instead: both at the same time, for differences of a few percent
  --json            JSON on stdout, and nothing else there
  --help            this text

Workloads
${list.join("\n")}

Without --only, --quick, --clients and --against it writes test/bench/results.md and results.json. Its first run installs what
Rookery is compared with, in test/bench. Exit codes: 0 done, 1 a bound was missed, 2 it could not be run.
`;
}

/**
 * @param args without the program's own name
 * @param known names of the workloads
 * @returns "help" when that is what was asked for
 * @throws OptionsError naming what does not fit
 */
export function parseOptions(args: readonly string[], known: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const only = values.only?.split(",");
  const stranger = only?.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new OptionsError(`There is no workload "${stranger}"; there are ${known.join(", ")}.`);
  }
  const clients = values.clients?.split(",").map(clientCount);
  const against = values.against && resolve(values.against);
  if (against !== undefined && !existsSync(join(against, SERVER_FILE))) {
    throw new OptionsError(
      `--against takes a checkout of Rookery; there is no ${SERVER_FILE} in ${against}.`,
    );
  }
  return { quick: values.quick, json: values.json, only, clients, against };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: "string" },
        clients: { type: "string" },
        against: { type: "string" },
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(sentenceOfParseError(error));
  }
}

function clientCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= CLIENTS_MAX) return count;
  throw new OptionsError(
    `--clients takes whole numbers from 1 to ${CLIENTS_MAX}, not ${JSON.stringify(text)}.`,
  );
}
