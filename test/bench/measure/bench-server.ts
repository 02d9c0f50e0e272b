/** A server under test as processes of its own, ended with the runner whatever happens to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerProcess } from "../../support/server-process.ts";
import { COLLECT_SIGNAL, MEMORY_LINE } from "../servers/collect-on-signal.ts";
import type { Contender } from "../servers/contenders.ts";
import { cpuUs, residentKb } from "./process-usage.ts";

export type ProcessMemory = { readonly heapKb: number; readonly residentKb: number };
export type Memory = {
  /** Of the primary, or of a server that is one process. */
  readonly first: ProcessMemory;
  readonly workers: ProcessMemory;
};

const NOTHING: ProcessMemory = { heapKb: 0, residentKb: 0 };

function sum(a: ProcessMemory, b: ProcessMemory): ProcessMemory {
  return { heapKb: a.heapKb + b.heapKb, residentKb: a.residentKb + b.residentKb };
}

/** For an orderly end, which writes profiles; then it is killed. */
const STOP_MS = 5_000;

/**
 * What servers have written stays here until the runner ends, and for the same reason servers are killed instead of
 * stopped, which would have them delete their rooms. For each file that is made, ext4 without a journal looks at all that
 * were deleted in the last minutes, so the next server would pay for the last one: up to 3 ms for each room.
 */
const dataDirectory = mkdtempSync(join(tmpdir(), "rookery-bench-"));
process.once("exit", () => rmSync(dataDirectory, { recursive: true, force: true }));

export class BenchServer implements AsyncDisposable {
  readonly #process: ServerProcess;
  /** Of the server's first process and of its workers, which may be the same one. */
  readonly pids: readonly number[];
  readonly #kill = () => this.#killAll();
  /** Is stopped at the end, not killed. */
  isStopped = false;

  private constructor(server: ServerProcess) {
    this.#process = server;
    this.pids = [...new Set([server.pid, ...server.workerPids])];
    process.once("exit", this.#kill);
  }

  /** Starts it, and waits until it and its workers are ready. */
  static async start(contender: Contender, environment: Record<string, string> = {}): Promise<BenchServer> {
    const DATA_DIR = mkdtempSync(join(dataDirectory, "server-"));
    const all = { NODE_ENV: "production", DATA_DIR, ...contender.environment, ...environment };
    return new BenchServer(await ServerProcess.start(all, contender.file));
  }

  get port(): number {
    return this.#process.port;
  }

  get workerPids(): readonly number[] {
    return this.#process.workerPids;
  }

  cpuUs(): number {
    return cpuUs(this.pids);
  }

  residentKb(): number {
    return residentKb(this.pids);
  }

  /** Of each of its processes after a full collection; for servers that collect-on-signal.ts is part of. */
  async memory(): Promise<Memory> {
    const all = await Promise.all(this.pids.map((pid) => this.#memoryOf(pid)));
    const [first = NOTHING, ...workers] = all;
    return { first, workers: workers.reduce(sum, NOTHING) };
  }

  async #memoryOf(pid: number): Promise<ProcessMemory> {
    const line = this.#process.nextLine((each) => each.msg === MEMORY_LINE && each.pid === pid);
    process.kill(pid, COLLECT_SIGNAL);
    return { heapKb: Number((await line).heapKb), residentKb: residentKb([pid]) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#kill);
    if (!this.isStopped) this.#killAll();
    const timer = setTimeout(this.#kill, STOP_MS);
    await this.#process.stop();
    clearTimeout(timer);
  }

  #killAll(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}
