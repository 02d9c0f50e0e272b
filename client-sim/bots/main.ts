/** `npm run sim`: reads the command line, lets the bots play, prints what they saw. See `--help`. */
import { WebSocket } from "ws";
import { OptionsError } from "../../shared/command-line.ts";
import { createRandom } from "../../shared/sim/random.ts";
import { systemScheduler } from "../../shared/time.ts";
import { Client } from "../sdk/index.ts";
import { descriptorLimit, descriptorShortage } from "./descriptors.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { showProgress } from "./progress.ts";
import { formatReport } from "./report.ts";
import { SIMULATION_LIMITS, Simulation } from "./simulation.ts";
import { SpawnError, spawnServer } from "./spawn-server.ts";
import { strategyFor } from "./strategies/select.ts";
import { missedBounds, type Summary, summarise } from "./summary.ts";

const EXIT = { DONE: 0, BOUND_MISSED: 1, NOT_RUN: 2 } as const;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === "help") {
    process.stdout.write(HELP);
    return EXIT.DONE;
  }
  const { clients } = options;
  const shortage = descriptorShortage(clients, SIMULATION_LIMITS.joinsPendingMax, descriptorLimit());
  if (shortage !== undefined) throw new OptionsError(shortage);

  const interrupt = new AbortController();
  // Not only once: npm passes on the signal its process group got as well, and the report must survive both.
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupt.abort());
  const summary = await play(options, interrupt.signal);

  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : formatReport(summary));
  const missed = missedBounds(summary, options.bounds);
  for (const sentence of missed) process.stderr.write(`Bound missed: ${sentence}\n`);
  return missed.length > 0 ? EXIT.BOUND_MISSED : EXIT.DONE;
}

async function play(options: Options, signal: AbortSignal): Promise<Summary> {
  const { url, clients, workers } = options;
  if (url !== undefined) return simulate(options, url, signal);
  const server = await spawnServer({ clients, workers, errors: process.stderr, signal });
  try {
    return await simulate(options, server.url, signal);
  } finally {
    await server.stop();
  }
}

/** Enough to play the whole client library in every run, and too few to make this process the bottleneck. */
const BOTS_PER_PREDICTING_BOT = 8;

async function simulate(options: Options, url: string, signal: AbortSignal): Promise<Summary> {
  const { room, clients, inputsPerSecond, latencyMs, jitterMs, direct, predict, seed } = options;
  const strategy = strategyFor(room);
  const conditions = latencyMs + jitterMs > 0 ? { latencyMs, jitterMs } : undefined;
  const simulation = new Simulation({
    clients,
    rampMs: options.rampSeconds * 1000,
    durationMs: options.durationSeconds * 1000,
    inputsPerSecond,
    addedRoundTripMs: 2 * (latencyMs + jitterMs),
    scheduler: systemScheduler,
    signal,
    join: (bot) => {
      // `ws` costs less CPU per message than the WebSocket that is part of Node.
      const client = new Client(url, { webSocket: WebSocket, conditions, direct });
      const turnMs = inputsPerSecond === 0 ? 0 : 1000 / inputsPerSecond;
      const predicts = predict || bot % BOTS_PER_PREDICTING_BOT === 0;
      const random = createRandom(seed + bot);
      return strategy({ client, name: `bot ${bot + 1}`, random, turnMs, predict: predicts });
    },
  });
  const hideProgress = showProgress(simulation, systemScheduler, process.stderr);
  await simulation.run();
  hideProgress();
  return summarise(simulation, room, clients);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof OptionsError || error instanceof SpawnError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT.NOT_RUN;
}
// Sockets that a server has not closed in time must not keep the process.
process.exit();
