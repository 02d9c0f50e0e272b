/** Kills workers that have players, one after the other: the next one when all that the last has brought about is over. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../shared/sim/random.ts";
import type { ChaosServer } from "./chaos-server.ts";
import type { Crowd } from "./crowd.ts";
import type { LedgerBot } from "./ledger-bot.ts";

export type KillRounds = {
  readonly server: ChaosServer;
  readonly crowd: Crowd;
  readonly times: number;
  readonly random: Random;
  readonly progress: (line: string) => void;
  /** Right before a kill. @returns what is to be done before the players can be expected back */
  readonly prepare?: (hit: readonly LedgerBot[]) => Promise<() => void>;
};

/** The moment of a kill, after everybody was back. */
const REST_MS_MIN = 200;
const REST_MS_MAX = 1_200;
/** A player who takes longer has not come back. */
const BACK_WITHIN_MS = 30_000;
const ROUNDS_PER_LINE = 10;

export async function killRounds(rounds: KillRounds): Promise<void> {
  const { crowd, times, random, progress } = rounds;
  for (let round = 1; round <= times; round++) {
    await delay(REST_MS_MIN + random.next() * (REST_MS_MAX - REST_MS_MIN));
    if (!(await killOne(rounds))) {
      crowd.tally.violations.add(`After kill ${round} not everybody came back: the rest was not done.`);
      return;
    }
    if (round % ROUNDS_PER_LINE === 0) progress(progressLine(crowd, round, times));
  }
}

/** @returns whether everybody came back, and the server is as it was */
async function killOne({ server, crowd, random, prepare }: KillRounds): Promise<boolean> {
  const victim = crowd.bots[Math.floor(random.next() * crowd.bots.length)];
  if (victim === undefined) throw new Error("A crowd has at least one player.");
  const pid = server.pidOf(victim.room.roomId);
  const roomIds = crowd.roomIds.filter((roomId) => server.pidOf(roomId) === pid);
  const hit = crowd.in(roomIds);
  const release = await prepare?.(hit);
  const over = Promise.all([
    server.replaced(),
    server.spread(),
    ...roomIds.map((roomId) => server.takenOver(roomId)),
  ]);
  crowd.expect(hit);
  server.signal(pid, "SIGKILL");
  const readers = hit.filter(({ isStalling }) => !isStalling);
  const areBack = await crowd.back(readers, BACK_WITHIN_MS);
  release?.();
  const isOver = (await over).every(Boolean);
  if (!areBack || !isOver || !(await crowd.back(hit, BACK_WITHIN_MS))) return false;
  // Also those whose room has just been moved.
  return await crowd.calm(BACK_WITHIN_MS);
}

function progressLine({ tally }: Crowd, round: number, times: number): string {
  const { p50, p99 } = tally.pauseMs.percentiles();
  const { socketsKept, socketsResumed, movePauseMs } = tally;
  const moves = movePauseMs.percentiles();
  const moved = moves.p50 === null ? "" : `; rooms moved: p50 ${moves.p50} ms, p99 ${moves.p99} ms`;
  return `${round} of ${times}: ${socketsKept} sockets kept, ${socketsResumed} resumed, pause p50 ${p50} ms, p99 ${p99} ms${moved}`;
}
