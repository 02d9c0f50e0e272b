/** A server under test as processes of its own, ended with the runner whatever happens to it. */
import { ServerProcess } from "../../support/server-process.ts";
import type { Contender } from "../servers/contenders.ts";
import { cpuUs, residentKb } from "./process-usage.ts";

/** For an orderly end, which writes profiles; then it is killed. */
const STOP_MS = 5_000;

export class BenchServer implements AsyncDisposable {
  readonly #process: ServerProcess;
  /** Of the server's first process and of its workers, which may be the same one. */
  readonly #pids: readonly number[];
  readonly #kill = () => this.#killAll();

  private constructor(server: ServerProcess) {
    this.#process = server;
    this.#pids = [...new Set([server.pid, ...server.workerPids])];
    process.once("exit", this.#kill);
  }

  /** Starts it, and waits until it and its workers are ready. */
  static async start(contender: Contender, environment: Record<string, string> = {}): Promise<BenchServer> {
    const all = { NODE_ENV: "production", ...contender.environment, ...environment };
    return new BenchServer(await ServerProcess.start(all, contender.file));
  }

  get port(): number {
    return this.#process.port;
  }

  get workerPids(): readonly number[] {
    return this.#process.workerPids;
  }

  cpuUs(): number {
    return cpuUs(this.#pids);
  }

  residentKb(): number {
    return residentKb(this.#pids);
  }

  async stop(): Promise<void> {
    const timer = setTimeout(this.#kill, STOP_MS);
    await this.#process.stop();
    clearTimeout(timer);
    process.off("exit", this.#kill);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #killAll(): void {
    for (const pid of this.#pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}
