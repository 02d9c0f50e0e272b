/**
 * A server for the length of one test: this checkout's, in a process of its own, on a free port. It is ended by its
 * process id. Its log is read for the line that tells the port; of the rest only errors are passed on, to stderr.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVER_FILE = fileURLToPath(new URL("../../server/main.ts", import.meta.url));
const START_MS = 20_000;
/** After that the test begins with the workers there are: joins wait for the first one anyway. */
const WORKERS_READY_MS = 5_000;
/** From SIGTERM to SIGKILL; longer than the server gives its rooms to end. */
const STOP_MS = 15_000;
/** All clients come from one address, at once, and each may hold a request and a socket. */
const CONNECTIONS_PER_CLIENT = 2;
const SPARE_CONNECTIONS = 64;
/** pino's number for the level "error". */
const LOG_LEVEL_ERROR = 50;

export type SpawnedServer = {
  readonly url: string;
  /** Ends it and waits for that. */
  stop(): Promise<void>;
};

export type SpawnOptions = {
  readonly clients: number;
  readonly workers: number | undefined;
  /** Where its errors go. */
  readonly errors: NodeJS.WritableStream;
  /** Gives up waiting for it to listen. */
  readonly signal: AbortSignal;
  /** Run instead of this checkout's server. */
  readonly file?: string;
};

/** The server did not come up; its message is the one sentence to print. */
export class SpawnError extends Error {}

/** @throws SpawnError when it ends before it listens, or takes longer than 20 s */
export async function spawnServer(options: SpawnOptions): Promise<SpawnedServer> {
  // Beside a server that runs already, and gone with the test.
  const dataDirectory = mkdtempSync(join(tmpdir(), "rookery-sim-"));
  const child = spawn(process.execPath, [options.file ?? SERVER_FILE], {
    env: { ...environmentFor(options), DATA_DIR: dataDirectory },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // If this process fails on the way, its server must not stay behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const end = async () => {
    await stop(child);
    rmSync(dataDirectory, { recursive: true, force: true });
    process.off("exit", kill);
  };
  try {
    const port = await listeningPort(child, options);
    return { url: `http://127.0.0.1:${port}`, stop: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What the caller's environment says of limits holds; without it the load test's own needs do. */
function environmentFor({ clients, workers }: SpawnOptions): NodeJS.ProcessEnv {
  const connections = String(clients * CONNECTIONS_PER_CLIENT + SPARE_CONNECTIONS);
  return {
    MAX_CLIENTS: connections,
    MAX_CONNECTIONS_PER_ADDRESS: connections,
    JOINS_PER_SECOND: connections,
    ...process.env,
    ...(workers === undefined ? {} : { WORKERS: String(workers) }),
    HOST: "127.0.0.1",
    PORT: "0",
    LOG_LEVEL: "info",
    NODE_ENV: "production",
  };
}

/** Settles when the server listens and its workers, of which it tells the number, are ready to share the load. */
async function listeningPort(child: ChildProcess, { errors, signal }: SpawnOptions): Promise<number> {
  const listening = Promise.withResolvers<number>();
  const ready = Promise.withResolvers<void>();
  const fail = (reason: string) => {
    listening.reject(new SpawnError(`The server did not start: ${reason}.`));
    ready.resolve();
  };
  const interrupted = () => fail("the test was interrupted");
  signal.addEventListener("abort", interrupted);
  if (signal.aborted) interrupted();
  child.once("error", (error) => fail(error.message));
  // Not "exit", which comes before the last lines of its output.
  child.once("close", (code, killedBy) => fail(`it ended with ${killedBy ?? `code ${code}`}`));
  assert(child.stdout, "its output is a pipe");
  let startingWorkers = Number.POSITIVE_INFINITY;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, port, workers, level } = logEntry(line);
    if (msg === "listening" && typeof port === "number") {
      startingWorkers = Number(workers);
      listening.resolve(port);
    }
    if (msg === "worker ready") startingWorkers -= 1;
    if (startingWorkers <= 0) ready.resolve();
    if (Number(level) >= LOG_LEVEL_ERROR) errors.write(`${line}\n`);
  });
  const timers = [setTimeout(() => fail(`it was not listening after ${START_MS / 1000} s`), START_MS)];
  try {
    const port = await listening.promise;
    timers.push(setTimeout(ready.resolve, WORKERS_READY_MS));
    await ready.promise;
    return port;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", interrupted);
  }
}

/** @returns an empty entry for a line that is not JSON */
function logEntry(line: string): { msg?: unknown; port?: unknown; workers?: unknown; level?: unknown } {
  try {
    return Object(JSON.parse(line)) as ReturnType<typeof logEntry>;
  } catch {
    return {};
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
