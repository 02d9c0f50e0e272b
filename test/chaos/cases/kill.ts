/** A worker is killed with SIGKILL, again and again, while its rooms are played in. */
import { createRandom } from "../../../shared/sim/random.ts";
import type { ChaosCase, RunOptions, Size } from "../chaos-case.ts";
import { ChaosServer } from "../chaos-server.ts";
import { Crowd, type CrowdSetup } from "../crowd.ts";
import { killRounds } from "../kill-rounds.ts";
import type { Outcome } from "../outcome.ts";

/** More clients than that are many. */
const FEW_CLIENTS_MAX = 100;

export const kill: ChaosCase = {
  about: "kills a worker with players, N times",
  usual: (clients = FEW_CLIENTS_MAX) => ({
    times: clients > FEW_CLIENTS_MAX ? 20 : 200,
    clients,
    workers: 2,
  }),
  bounds: (size) => ({ keptShareMin: 0.99, pauseP99MsMax: pauseBoundMs(size), roomsQuarantined: 0 }),
  run: (options) => runKills(options),
};

export const healthy: ChaosCase = {
  about: "kills a worker N times in a row; no room is ever put aside for it",
  usual: (clients = 20) => ({ times: 100, clients, workers: 2 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: (options) => runKills(options, { perRoom: 4 }),
};

function pauseBoundMs({ clients, workers }: Size): number {
  if (clients > FEW_CLIENTS_MAX) return 1_000;
  return workers === 1 ? 800 : 250;
}

export async function runKills(
  { times, clients, workers, seed, progress }: RunOptions,
  crowdSetup: Partial<CrowdSetup> = {},
): Promise<Outcome> {
  await using server = await ChaosServer.start(workers);
  const crowd = await Crowd.join({ server, clients, seed, ...crowdSetup });
  await killRounds({ server, crowd, times, random: createRandom(seed), progress });
  await crowd.finish();
  for (const error of server.errors) crowd.tally.violations.add(error);
  return crowd.tally.outcome(server.roomsPutAside.length);
}
