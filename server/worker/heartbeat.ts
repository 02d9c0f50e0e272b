/**
 * Heartbeats go from the worker to the primary: a worker that is full of work cannot be asked. One that hangs sends
 * none, and is killed for it.
 */
import type { Scheduler } from "../../shared/time.ts";
import type { PrimaryLink } from "../ipc/channel.ts";
import type { WorkerStats } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";

type RoomStats = Pick<WorkerStats, "rooms" | "clients" | "tickLoad" | "roomsUnrecorded">;

export function startHeartbeat(
  scheduler: Scheduler,
  primary: Pick<PrimaryLink, "send">,
  roomStats: () => RoomStats,
): void {
  const beat = (eventLoopDelayMs: number) => {
    const { heapUsed, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    primary.send({
      type: "heartbeat",
      stats: {
        ...roomStats(),
        eventLoopDelayMs,
        heapBytes: heapUsed,
        rssBytes: rss,
        cpuMs: (user + system) / 1000,
      },
    });
  };
  const scheduleNext = () => {
    const dueMs = scheduler.now() + LIMITS.heartbeatMs;
    scheduler.setTimeout(() => {
      // How late this very timer is: what any other timer of this worker suffers, too.
      beat(Math.max(0, scheduler.now() - dueMs));
      scheduleNext();
    }, LIMITS.heartbeatMs);
  };
  scheduleNext();
}
