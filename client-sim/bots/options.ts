/** The command line of the simulator: what may be asked for, its bounds and defaults. */
import { parseArgs } from "node:util";
import {
  type NumberRange,
  numberOption,
  OptionsError,
  sentenceOfParseError,
} from "../../shared/command-line.ts";

export type Bounds = {
  readonly minJoined: number;
  readonly maxP99Ms: number | undefined;
  readonly maxDivergences: number | undefined;
  readonly maxMissingTicks: number | undefined;
};

export type Options = {
  /** Undefined: start a server. */
  readonly url: string | undefined;
  /** Of the server to start; undefined leaves it to the server. */
  readonly workers: number | undefined;
  readonly room: string;
  readonly clients: number;
  readonly durationSeconds: number;
  readonly rampSeconds: number;
  readonly inputsPerSecond: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly direct: boolean;
  readonly predict: boolean;
  readonly seed: number;
  readonly json: boolean;
  readonly bounds: Bounds;
};

const DEFAULT_URL = "http://127.0.0.1:2567";

export const HELP = `Simulated players: joins a room type with many clients that play, and reports what they saw.

  npm run sim -- [options]

Where
  --url URL               server to test (default ${DEFAULT_URL})
  --spawn                 start a server for the test and end it afterwards, instead of --url
  --workers N             worker processes of the server that --spawn starts
  --room TYPE             room type (default arena); arena, connect-four and world are played, others only
                          watched

Load
  --clients N             players (default 100)
  --ramp SECONDS          time over which they join (default 5)
  --duration SECONDS      length of the steady window after the ramp (default 30)
  --rate N                inputs per second and player (default 20)
  --latency MS            delay added in each direction (default 0)
  --jitter MS             up to this much more, drawn for each message (default 0)
  --direct                join in the WebSocket handshake, without HTTP
  --predict               all of arena's players predict themselves and interpolate the others, as on its
                          page, and not only one in eight: about a fifth more CPU for this process
  --seed N                seed of what the players do (default 1)

Report
  --json                  one JSON object on stdout, and nothing else
  --min-joined N          bounds: the exit code is 1 when one is missed (default 1)
  --max-p99-ms N          99th percentile of the latency, in ms
  --max-divergences N     states that differ from those of other clients (in world none is compared: each
                          player sees a part)
  --max-missing-ticks N   gaps in the tick numbers
  --help                  this text

Rates, latencies, intervals and missing ticks are of the steady window; joins, lost connections, errors and
divergences count from the start. Exit codes: 0 done, 1 a bound was missed, 2 the test could not be run.
`;

const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true };

/**
 * @param args without the program's own name
 * @returns "help" when that is what was asked for
 * @throws OptionsError naming the first option that does not fit
 */
export function parseOptions(args: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  if (values.spawn && values.url !== undefined)
    throw new OptionsError("Use either --url or --spawn, not both.");
  if (values.workers !== undefined && !values.spawn) throw new OptionsError("--workers needs --spawn.");
  const clients = numberOption("clients", values.clients, { min: 1, max: 100_000, whole: true });
  const minJoined = numberOption("min-joined", values["min-joined"], { min: 0, max: clients, whole: true });
  return {
    url: values.spawn ? undefined : httpUrl(values.url ?? DEFAULT_URL),
    workers: optional("workers", values.workers, { min: 0, max: 256, whole: true }),
    room: roomType(values.room),
    clients,
    durationSeconds: numberOption("duration", values.duration, { min: 0.1, max: 86_400 }),
    rampSeconds: numberOption("ramp", values.ramp, { min: 0, max: 3_600 }),
    inputsPerSecond: numberOption("rate", values.rate, { min: 0, max: 1_000 }),
    latencyMs: numberOption("latency", values.latency, { min: 0, max: 10_000 }),
    jitterMs: numberOption("jitter", values.jitter, { min: 0, max: 10_000 }),
    direct: values.direct,
    predict: values.predict,
    seed: numberOption("seed", values.seed, { min: 0, max: 2 ** 32 - 1, whole: true }),
    json: values.json,
    bounds: {
      minJoined,
      maxP99Ms: optional("max-p99-ms", values["max-p99-ms"], { min: 0, max: 60_000 }),
      maxDivergences: optional("max-divergences", values["max-divergences"], COUNT),
      maxMissingTicks: optional("max-missing-ticks", values["max-missing-ticks"], COUNT),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        url: { type: "string" },
        spawn: { type: "boolean", default: false },
        workers: { type: "string" },
        room: { type: "string", default: "arena" },
        clients: { type: "string", default: "100" },
        ramp: { type: "string", default: "5" },
        duration: { type: "string", default: "30" },
        rate: { type: "string", default: "20" },
        latency: { type: "string", default: "0" },
        jitter: { type: "string", default: "0" },
        direct: { type: "boolean", default: false },
        predict: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        "min-joined": { type: "string", default: "1" },
        "max-p99-ms": { type: "string" },
        "max-divergences": { type: "string" },
        "max-missing-ticks": { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(sentenceOfParseError(error));
  }
}

function optional(name: string, text: string | undefined, range: NumberRange): number | undefined {
  return text === undefined ? undefined : numberOption(name, text, range);
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw new OptionsError(`--url must look like ${DEFAULT_URL} (it is ${JSON.stringify(text)}).`);
}

function roomType(text: string): string {
  if (text !== "") return text;
  throw new OptionsError("--room must name a room type.");
}
