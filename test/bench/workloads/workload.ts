/** What a workload is: a file of its own beside this one, and a line in registry.ts. */
import type { Timing } from "../measure/sample.ts";
import type { WorkloadResult } from "../result.ts";

export type BenchContext = {
  /** How often the servers run in turn. */
  readonly pairs: number;
  readonly timing: Timing;
  /** Instead of the workload's own numbers of clients; undefined: those. */
  readonly clients: readonly number[] | undefined;
  /** Tells the person who waits how far it is. */
  readonly progress: (sentence: string) => void;
};

export type Workload = {
  readonly name: string;
  /** For --help and the results page. */
  readonly about: string;
  readonly run: (context: BenchContext) => Promise<WorkloadResult>;
};
