/** Waiting in simulated or real time, for no longer than the simulation lasts. */
import type { Scheduler } from "../../shared/time.ts";

/** Settles after `ms`, or as soon as the signal aborts. */
export function wait(scheduler: Scheduler, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      scheduler.clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = scheduler.setTimeout(finish, ms);
    signal?.addEventListener("abort", finish);
  });
}
