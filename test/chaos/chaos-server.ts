/**
 * The server under chaos, as a process of its own: knows from its log which process runs which room, kills workers,
 * and tells when what a death has brought about is over.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LogLine, ServerProcess } from "../support/server-process.ts";

const MAIN = fileURLToPath(new URL("./server-main.ts", import.meta.url));
/** Longest backoff before a restart, and a start on a busy machine. */
const REPLACED_WITHIN_MS = 60_000;
/** pino's number for the level "error". */
const LOG_LEVEL_ERROR = 50;

const CREATED = "room created";
const READY = "worker ready";
const SPREAD = new Set(["rooms are spread over the workers", "rooms could not be spread evenly"]);
const RELEASED = "room released";
const PUT_ASIDE = "room is put aside: it crashes its worker";

export class ChaosServer implements AsyncDisposable {
  readonly #process: ServerProcess;
  readonly #kill = () => void this.#process.child.kill("SIGKILL");

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  /** Started with what the environment says besides; ready with all its workers. */
  static async start(workers: number, environment: Record<string, string> = {}): Promise<ChaosServer> {
    const server = new ChaosServer(
      await ServerProcess.start(
        { WORKERS: String(workers), JOINS_PER_SECOND: "100000", ...environment },
        MAIN,
      ),
    );
    // If this process fails on the way, its server must not stay behind.
    process.once("exit", server.#kill);
    return server;
  }

  get url(): string {
    return this.#process.url;
  }

  get dataDirectory(): string {
    return this.#process.dataDirectory;
  }

  /** The process that runs a room: the last that has created it or taken it over. */
  pidOf(roomId: string): number {
    const line = this.#process.lines.findLast(({ msg, roomId: id }) => msg === CREATED && id === roomId);
    if (line === undefined) throw new Error(`The server has no room ${roomId}.`);
    return Number(line.pid);
  }

  /** Sends one of its workers a signal. */
  signal(pid: number, signal: NodeJS.Signals): void {
    if (!this.#process.workerPids.includes(pid)) throw new Error(`${pid} is no worker of this server.`);
    process.kill(pid, signal);
  }

  /** To be called before a worker dies. @returns whether another one is ready in its place, in time */
  replaced(): Promise<boolean> {
    return this.#says(({ msg }) => msg === READY);
  }

  /** To be called before a room's worker dies. @returns whether another one runs it, in time */
  takenOver(roomId: string): Promise<boolean> {
    return this.#says((line) => line.msg === CREATED && line.roomId === roomId);
  }

  /** @returns whether rooms that move have moved, in time; to be called before the worker dies because of which they do */
  spread(): Promise<boolean> {
    return this.#says(({ msg }) => SPREAD.has(msg));
  }

  /** @returns whether no room is being moved, in time: since a worker was last ready, they have been spread */
  async still(): Promise<boolean> {
    const { lines } = this.#process;
    const first = lines.findIndex(({ msg }) => msg === CREATED);
    const isStill = () => {
      const ready = lines.findLastIndex(({ msg }) => msg === READY);
      return ready < first || lines.findLastIndex(({ msg }) => SPREAD.has(msg)) > ready;
    };
    while (!isStill()) if (!(await this.spread())) return false;
    return true;
  }

  /** How often a room has been moved from a worker that lives. */
  movesOf(roomId: string): number {
    return this.#process.lines.filter(({ msg, roomId: id }) => msg === RELEASED && id === roomId).length;
  }

  get roomsPutAside(): string[] {
    return this.#process.lines.filter(({ msg }) => msg === PUT_ASIDE).map(({ roomId }) => String(roomId));
  }

  quarantineDirectory(roomId: string): string {
    return join(this.dataDirectory, "quarantine", roomId);
  }

  /** What it has logged as errors, in sentences. */
  get errors(): string[] {
    const lines = this.#process.lines.filter(({ level }) => level >= LOG_LEVEL_ERROR);
    return lines.map(({ msg, err }) => `The server logged: ${msg} ${messageOf(err)}`.trimEnd());
  }

  #says(accepts: (line: LogLine) => boolean): Promise<boolean> {
    const line = this.#process.nextLine(accepts, REPLACED_WITHIN_MS);
    return line.then(
      () => true,
      () => false,
    );
  }

  /** At once, as if the machine had lost it; its workers end by themselves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop("SIGKILL");
    process.off("exit", this.#kill);
  }
}

function messageOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  return typeof message === "string" ? `(${message})` : "";
}
