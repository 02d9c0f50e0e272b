/** As `kill`, with clients whose frames come in pieces: a dead worker has often read a part of one. */
import { createRandom } from "../../../shared/sim/random.ts";
import type { ChaosCase } from "../chaos-case.ts";
import { cuttingWebSocket } from "../cutting-socket.ts";
import { runKills } from "./kill.ts";

export const cut: ChaosCase = {
  about: "the same, with frames that the clients cut at random",
  usual: (clients = 100) => ({ times: 200, clients, workers: 2 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: (options) =>
    runKills(options, { webSocketOf: (bot) => cuttingWebSocket(createRandom(options.seed + bot)) }),
};
