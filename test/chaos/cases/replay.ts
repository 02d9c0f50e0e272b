/** A match that is recorded as a real server runs it, and then run again by `npm run replay`: it must end as it did. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { InputPacer } from "../../../client-sim/bots/input-pacer.ts";
import { arenaBot } from "../../../client-sim/bots/strategies/arena-bot.ts";
import type { Player } from "../../../client-sim/bots/strategies/strategy.ts";
import { Client } from "../../../client-sim/sdk/index.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { systemScheduler } from "../../../shared/time.ts";
import type { ChaosCase, RunOptions } from "../chaos-case.ts";
import { ChaosServer } from "../chaos-server.ts";
import { emptyOutcome, type Outcome } from "../outcome.ts";

const REPLAY = fileURLToPath(new URL("../../../server/replay.ts", import.meta.url));
const MS_PER_MINUTE = 60_000;
const TURNS_PER_SECOND = 20;
const TIMES_REAL_TIME_MIN = 20;

export const replay: ChaosCase = {
  about: "records a match of N minutes and runs it again: the same state, at 20 times the speed or more",
  usual: (clients = 32) => ({ times: 5, clients: Math.min(clients, RULES.playersMax), workers: 1 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: ({ times, ...options }) => recordAndReplay({ ...options, matchMs: times * MS_PER_MINUTE }),
};

/** What a player had of the room at a tick. */
export type Moment = { readonly roomId: string; readonly tick: number; readonly hash: number };
export type MatchOptions = Omit<RunOptions, "times"> & { readonly matchMs: number };

export async function recordAndReplay(options: MatchOptions): Promise<Outcome> {
  // Not the server's own, which goes with it.
  const dataDirectory = mkdtempSync(join(tmpdir(), "rookery-chaos-"));
  try {
    const live = await playMatch(dataDirectory, options);
    const violations: string[] = [];
    const again = await runAgain(dataDirectory, live);
    options.progress(`${again.ticks} ticks again, at ${again.timesRealTime} times the speed`);
    if (again.warnings.length > 0) violations.push(...again.warnings);
    if (again.timesRealTime < TIMES_REAL_TIME_MIN)
      violations.push(`The replay was ${again.timesRealTime} times as fast as the match, and not 20 times.`);
    const isSame = again.tick === live.tick && Number.parseInt(again.hash, 16) === live.hash;
    return { ...emptyOutcome(), divergences: isSame ? 0 : 1, violations };
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function playMatch(
  dataDirectory: string,
  { clients, workers, seed, matchMs }: MatchOptions,
): Promise<Moment> {
  await using server = await ChaosServer.start(workers, { DATA_DIR: dataDirectory });
  const players = await Promise.all(
    Array.from({ length: clients }, (_, bot) =>
      arenaBot({
        client: new Client(server.url, { webSocket: WebSocket }),
        name: `bot ${bot + 1}`,
        random: createRandom(seed + bot),
        turnMs: 1000 / TURNS_PER_SECOND,
        predict: false,
      }),
    ),
  );
  const pacer = new InputPacer({
    scheduler: systemScheduler,
    bots: clients,
    inputsPerSecond: TURNS_PER_SECOND,
    act: (bot) => players[bot]?.act(),
    onSkip: () => undefined,
  });
  pacer.start();
  await delay(matchMs);
  pacer.stop();
  return await nextMoment(players);
}

/** The next state of the first player. */
function nextMoment([player]: readonly Player[]): Promise<Moment> {
  if (player === undefined) throw new Error("A match has at least one player.");
  const { room } = player;
  return new Promise((resolve) => {
    const stop = room.onState(({ tick }) => {
      stop();
      resolve({ roomId: room.roomId, tick, hash: room.mirror.hash() });
    });
  });
}

type Again = {
  readonly hash: string;
  readonly tick: number;
  readonly ticks: number;
  readonly timesRealTime: number;
  readonly warnings: readonly string[];
};

async function runAgain(dataDirectory: string, { roomId, tick }: Moment): Promise<Again> {
  const args = [REPLAY, join(dataDirectory, "rooms", roomId), "--until", String(tick), "--json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [said, complained] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (child.exitCode !== 0) throw new Error(`npm run replay has failed: ${complained}`);
  return JSON.parse(said) as Again;
}
