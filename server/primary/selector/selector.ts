/**
 * Which worker gets a new room: the question, as the strategies beside this file answer it.
 */
export type WorkerLoad = {
  readonly workerId: number;
  /** Share of one core that room steps took, 0..1, as the last heartbeat said. */
  readonly tickLoad: number;
  /** Rooms the worker had at that heartbeat. */
  readonly roomsMeasured: number;
  /** Rooms the directory has placed on it by now, those included that are not created yet. */
  readonly rooms: number;
};

export interface Selector {
  /** @returns the worker for one more room, or undefined if there are no workers */
  choose(workers: readonly WorkerLoad[]): number | undefined;
}
