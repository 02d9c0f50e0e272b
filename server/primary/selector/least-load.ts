/**
 * The worker with the least tick load. Heartbeats are a moment old, so each room placed since counts as an average
 * room: a burst is spread instead of falling on the one worker that looked idle.
 */
import type { Selector, WorkerLoad } from "./selector.ts";

/** Share of a core a room is taken for as long as no room has been measured. */
const UNMEASURED_ROOM_LOAD = 0.005;
/** Loads this close to the least are equal, and the number of rooms decides. */
const LOAD_RESOLUTION = 0.01;

export class LeastLoadSelector implements Selector {
  choose(workers: readonly WorkerLoad[]): number | undefined {
    const roomLoad = averageRoomLoad(workers);
    const estimate = (worker: WorkerLoad): number =>
      worker.tickLoad + Math.max(0, worker.rooms - worker.roomsMeasured) * roomLoad;

    const least = Math.min(...workers.map(estimate));
    let chosen: WorkerLoad | undefined;
    for (const worker of workers) {
      if (estimate(worker) > least + LOAD_RESOLUTION) continue;
      if (chosen === undefined || worker.rooms < chosen.rooms) chosen = worker;
    }
    return chosen?.workerId;
  }
}

function averageRoomLoad(workers: readonly WorkerLoad[]): number {
  let rooms = 0;
  let load = 0;
  for (const worker of workers) {
    rooms += worker.roomsMeasured;
    load += worker.tickLoad;
  }
  return rooms === 0 ? UNMEASURED_ROOM_LOAD : load / rooms;
}
