/**
 * A slot for one worker process, and the states that it goes through; supervisor.ts draws them.
 */
import type { TimerHandle } from "../../shared/time.ts";
import type { PrimaryToWorker, WorkerStats } from "../ipc/messages.ts";

/** What the supervisor needs of a process; each has an id of its own. */
export interface WorkerProcess {
  readonly id: number;
  readonly pid: number | undefined;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  send(message: PrimaryToWorker): void;
}

export type Starting = {
  readonly kind: "starting";
  readonly process: WorkerProcess;
  /** By then it must be ready. */
  deadlineMs: number;
};
export type Serving = {
  readonly kind: "ready" | "draining";
  readonly process: WorkerProcess;
  readonly readySinceMs: number;
  /** By then there must be another heartbeat. */
  deadlineMs: number;
  stats: WorkerStats | undefined;
};
export type Ending = {
  readonly kind: "ending";
  readonly process: WorkerProcess;
  /** Undefined if it never was. */
  readonly readySinceMs: number | undefined;
  /** Undefined while it has not exited. */
  exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  wasSilent: boolean;
  /** It was killed here, because it did not end by itself. */
  isEndedHere: boolean;
  hasDisconnected: boolean;
  guard: TimerHandle | undefined;
};
export type SlotState =
  | Starting
  | Serving
  | Ending
  | { readonly kind: "crashed"; readonly restart: TimerHandle }
  | { readonly kind: "stopped" };

export type Slot = {
  readonly index: number;
  /** It has one process, for one room that may crash it, and goes with it. */
  readonly isIsolated: boolean;
  state: SlotState;
  /** Processes started after the first. */
  restarts: number;
  /** Deaths since a process of this slot last lived long enough: the exponent of the backoff. */
  deathsInRow: number;
  /** Starts that failed since any worker was ready. */
  startFailures: number;
};

/** How a process ended. */
export type Death = {
  readonly code: number | null;
  readonly signal: string | null;
  /** It was killed here because it was silent. */
  readonly wasSilent: boolean;
};

export function newSlot(index: number, isIsolated: boolean): Slot {
  return { index, isIsolated, state: { kind: "stopped" }, restarts: 0, deathsInRow: 0, startFailures: 0 };
}
