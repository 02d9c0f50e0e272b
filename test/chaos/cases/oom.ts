/** A room that takes more memory than its worker has: it is put aside, and everybody else goes on. */
import type { ChaosCase } from "../chaos-case.ts";
import { goWrong, runUnrest } from "../unrest.ts";
import { UNREST_PAUSE_MS_MAX } from "./hang.ts";

const ENVIRONMENT = { WORKER_HEAP_MB: "128" };

export const oom: ChaosCase = {
  about: "lets a room run out of memory, N times",
  usual: (clients = 18) => ({ times: 2, clients, workers: 2 }),
  bounds: ({ times }) => ({ pauseMsMax: UNREST_PAUSE_MS_MAX, roomsQuarantined: times }),
  run: (options) =>
    runUnrest(options, ENVIRONMENT, async (scene) => {
      await goWrong(scene, "hoard", "ROOM_QUARANTINED");
    }),
};
