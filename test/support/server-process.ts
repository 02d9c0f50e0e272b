/** Starts the test server as a process of its own, reads its log, and ends it by its pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export type LogLine = {
  readonly level: number;
  readonly msg: string;
  readonly process: string;
  readonly [field: string]: unknown;
};

const MAIN = fileURLToPath(new URL("./server-main.ts", import.meta.url));
const WAIT_MS = 20_000;
const LISTENING_MS = 30_000;

export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Its DATA_DIR, of its own unless the environment says otherwise; deleted when it ends. */
  readonly dataDirectory: string;
  readonly lines: LogLine[] = [];
  /** Everything on stdout and stderr, as it came. */
  output = "";
  readonly #waiting = new Set<{ accepts: (line: LogLine) => boolean; resolve: (line: LogLine) => void }>();
  #port = 0;

  private constructor(child: ChildProcess, dataDirectory: string) {
    this.child = child;
    this.dataDirectory = dataDirectory;
    // Its workers may write for a moment longer than it lives.
    child.once("exit", () => rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 10 }));
    child.stderr?.on("data", (data) => {
      this.output += String(data);
    });
    if (child.stdout === null) throw new Error("the server's stdout is not a pipe");
    createInterface({ input: child.stdout }).on("line", (text) => this.#onLine(text));
  }

  /** Starts a server with two workers on a free port and waits until it is ready. */
  static async start(environment: Record<string, string> = {}, main = MAIN): Promise<ServerProcess> {
    const workers = environment.WORKERS ?? "2";
    const server = ServerProcess.spawn({ WORKERS: workers, ...environment }, main);
    try {
      const listening = await server.line((line) => line.msg === "listening", LISTENING_MS);
      server.#port = Number(listening.port);
      const expected = Math.max(1, Number(workers));
      await server.line(
        () => server.lines.filter(({ msg }) => msg === "worker ready").length >= expected,
        LISTENING_MS,
      );
    } catch (error) {
      await server.stop("SIGKILL");
      throw error;
    }
    return server;
  }

  /** Starts a server without waiting for anything. @param flags of Node itself */
  static spawn(
    environment: Record<string, string>,
    main = MAIN,
    flags: readonly string[] = [],
  ): ServerProcess {
    const dataDirectory = mkdtempSync(join(tmpdir(), "rookery-test-"));
    const env = {
      ...process.env,
      NODE_ENV: "test",
      PORT: "0",
      HOST: "127.0.0.1",
      MAX_CONNECTIONS_PER_ADDRESS: "10000",
      DATA_DIR: dataDirectory,
      ...environment,
    };
    const child = spawn(process.execPath, [...flags, main], { env, stdio: ["ignore", "pipe", "pipe"] });
    return new ServerProcess(child, dataDirectory);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Process ids of the workers that have become ready, the newest last. */
  get workerPids(): number[] {
    return this.lines.filter(({ msg }) => msg === "worker ready").map(({ workerPid }) => Number(workerPid));
  }

  /** @returns the first line, past or future, that `accepts` */
  async line(accepts: (line: LogLine) => boolean, waitMs = WAIT_MS): Promise<LogLine> {
    const past = this.lines.find(accepts);
    return past ?? (await this.nextLine(accepts, waitMs));
  }

  /** @returns the first line from now on that `accepts` */
  async nextLine(accepts: (line: LogLine) => boolean, waitMs = WAIT_MS): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const waiting = { accepts, resolve };
    this.#waiting.add(waiting);
    const timer = setTimeout(
      () => reject(new Error(`no such line within ${waitMs} ms; the server said:\n${this.output}`)),
      waitMs,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  /** Sends a signal, SIGTERM by default, and waits for the end. */
  async stop(
    signal: NodeJS.Signals = "SIGTERM",
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, "exit");
      this.child.kill(signal);
      await exit;
    }
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  #onLine(text: string): void {
    this.output += `${text}\n`;
    if (!text.startsWith("{")) return;
    const line = JSON.parse(text) as LogLine;
    this.lines.push(line);
    for (const { accepts, resolve } of this.#waiting) if (accepts(line)) resolve(line);
  }
}
