/**
 * Time as a parameter: whatever waits or measures takes a `Scheduler`, so that tests run it on simulated time.
 */
export type TimerHandle = object | number;

export interface Scheduler {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The real clock of this process. */
export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};
