/** A worker that is stopped, and a room that never returns: the supervisor notices, and everybody else goes on. */
import type { ChaosCase } from "../chaos-case.ts";
import { goWrong, runUnrest, type Scene } from "../unrest.ts";

const HANG_TIMEOUT_MS = 3_000;
/** From the last state before to the first one after. */
export const UNREST_PAUSE_MS_MAX = HANG_TIMEOUT_MS + 500;
const ENVIRONMENT = { HANG_TIMEOUT_MS: String(HANG_TIMEOUT_MS) };

export const hang: ChaosCase = {
  about: "stops a worker, then lets a room run for ever, in turn, N times",
  usual: (clients = 18) => ({ times: 4, clients, workers: 2 }),
  bounds: ({ times }) => ({ pauseMsMax: UNREST_PAUSE_MS_MAX, roomsQuarantined: Math.floor(times / 2) }),
  run: (options) =>
    runUnrest(options, ENVIRONMENT, async (scene) => {
      if (scene.round % 2 === 0) await stopWorker(scene);
      else await goWrong(scene, "hang", "ROOM_QUARANTINED");
    }),
};

async function stopWorker({ server, crowd, random }: Scene): Promise<void> {
  const victim = crowd.bots[Math.floor(random.next() * crowd.bots.length)];
  if (victim === undefined) throw new Error("A crowd has at least one player.");
  const { roomId } = victim.room;
  const over = Promise.all([server.takenOver(roomId), server.replaced()]);
  server.signal(server.pidOf(roomId), "SIGSTOP");
  if (!(await over).every(Boolean)) crowd.tally.violations.add("A worker that was stopped was not replaced.");
}
