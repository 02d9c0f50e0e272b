/** The command line of `npm run replay`: what may be asked for. */
import { parseArgs } from "node:util";
import { sentenceOfParseError } from "../../shared/command-line.ts";
import { ReplayError } from "./open-journal.ts";

export type Options = {
  /** A segment, or the directory of a room. */
  readonly path: string;
  /** Undefined: to the end. */
  readonly untilTick: number | undefined;
  readonly isInspected: boolean;
  readonly isJson: boolean;
};

export const HELP = `Runs the journal of a room again, with the code that is here, and says where it ends.

  npm run replay -- FILE|DIRECTORY [options]

  DIRECTORY      a room's own: DATA_DIR/rooms/ID, or DATA_DIR/quarantine/ID of a room that crashed its worker
  FILE           one of the segments in it (*.journal); all of them are replayed
  --until TICK   stop after this tick
  --inspect      wait for a debugger, and stop in it before each event of the last step
  --json         one JSON object on stdout, and nothing else
  --help         this text

Effects never run, and nothing is written. A room that crashes the process, or never returns, does so again.
Exit codes: 0 done, 1 the room's code failed, 2 there is nothing that can be replayed.
`;

/**
 * @param args without the program's own name
 * @returns "help" when that is what was asked for
 * @throws ReplayError naming the first argument that does not fit
 */
export function parseOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [path, ...others] = positionals;
  if (path === undefined || path === "" || others.length > 0)
    throw new ReplayError(
      "Name one room's directory, such as .rookery/rooms/ID, or a segment in it; see --help.",
    );
  return {
    path,
    untilTick: values.until === undefined ? undefined : tickOf(values.until),
    isInspected: values.inspect,
    isJson: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: {
        until: { type: "string" },
        inspect: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new ReplayError(sentenceOfParseError(error));
  }
}

function tickOf(text: string): number {
  const tick = Number(text);
  if (/^\d+$/.test(text) && tick >= 1 && Number.isSafeInteger(tick)) return tick;
  throw new ReplayError(`--until must be the number of a tick, from 1 (it is ${JSON.stringify(text)}).`);
}
