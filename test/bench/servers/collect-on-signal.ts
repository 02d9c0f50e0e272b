/**
 * For the workload about memory: on a signal that nobody else listens to, this process collects its garbage and writes
 * a line of log that says what is left. It does so in the primary and in each worker alike.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export const MEMORY_LINE = "memory";
/** Colyseus ends on SIGUSR2, and on SIGUSR1 Node opens an inspector. */
export const COLLECT_SIGNAL = "SIGWINCH";
const BYTES_PER_KB = 1024;
/** What the first collection only makes weak, the second takes. */
const COLLECTIONS = 2;

export function collectOnSignal(): void {
  setFlagsFromString("--expose-gc");
  // Compiled code that has not run for a while would be thrown away, which has nothing to do with what is kept.
  setFlagsFromString("--no-flush-bytecode");
  const collect = runInNewContext("gc") as () => void;
  process.on(COLLECT_SIGNAL, () => {
    for (let index = 0; index < COLLECTIONS; index++) collect();
    const heapKb = process.memoryUsage().heapUsed / BYTES_PER_KB;
    const line = { level: 30, msg: MEMORY_LINE, process: "bench", pid: process.pid, heapKb };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  });
}
