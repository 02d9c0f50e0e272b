/** A room that throws ends alone; a room that aborts its process is put aside, and its journal does so again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ChaosCase } from "../chaos-case.ts";
import { goWrong, runUnrest, type Scene } from "../unrest.ts";

const REPLAY = fileURLToPath(new URL("../replay-main.ts", import.meta.url));

export const poison: ChaosCase = {
  about: "lets a room throw, then one abort its process, in turn, N times",
  usual: (clients = 18) => ({ times: 4, clients, workers: 2 }),
  bounds: ({ times }) => ({ roomsQuarantined: Math.floor(times / 2) }),
  run: (options) =>
    runUnrest(options, {}, async (scene) => {
      if (scene.round % 2 === 0) await throwInRoom(scene);
      else await abortInRoom(scene);
    }),
};

async function throwInRoom(scene: Scene): Promise<void> {
  const { server, crowd } = scene;
  const pids = () => crowd.roomIds.map((roomId) => server.pidOf(roomId)).join();
  const before = pids();
  await goWrong(scene, "fail", "ROOM_ERROR");
  if (pids() !== before) crowd.tally.violations.add("A room that threw has moved others.");
}

async function abortInRoom(scene: Scene): Promise<void> {
  const { server, crowd } = scene;
  const roomId = await goWrong(scene, "crash", "ROOM_QUARANTINED");
  const replay = spawn(process.execPath, [REPLAY, server.quarantineDirectory(roomId)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said] = await Promise.all([textOf(replay), once(replay, "close")]);
  if (replay.signalCode !== "SIGABRT" || !said.includes("Applying step"))
    crowd.tally.violations.add("A replay of the room that crashed has not crashed in its last step.");
}

async function textOf({ stderr }: ChildProcess): Promise<string> {
  let text = "";
  for await (const data of stderr ?? []) text += String(data);
  return text;
}
