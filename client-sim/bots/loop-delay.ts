/**
 * Watches this process itself: when its event loop is late, latencies measured in it are too long, and the report
 * must say so. The delay is how much later than asked for a timer runs.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";

const PERIOD_MS = 20;

/**
 * @param onDelay called every 20 ms, or later, with the delay in ms
 * @returns stops watching
 */
export function watchLoopDelay(scheduler: Scheduler, onDelay: (ms: number) => void): () => void {
  let timer: TimerHandle;
  const arm = () => {
    const dueMs = scheduler.now() + PERIOD_MS;
    timer = scheduler.setTimeout(() => {
      onDelay(scheduler.now() - dueMs);
      arm();
    }, PERIOD_MS);
  };
  arm();
  return () => scheduler.clearTimeout(timer);
}
