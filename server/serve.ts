/**
 * `serve({ rooms })`: what a game's main file calls. The same file runs in the primary and, forked by it, in every
 * worker; this decides which of the two this process is.
 */
import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { flushCompileCache } from "node:module";
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { primaryLinkOfProcess } from "./ipc/channel.ts";
import { codeDirectory } from "./journal/data-directory.ts";
import { DataDirectoryInUse } from "./journal/lease.ts";
import { assertLimits, LIMITS } from "./limits.ts";
import { createLogger, type Logger } from "./logger.ts";
import { startPrimary } from "./primary/primary.ts";
import { forkWorker, localWorker } from "./primary/worker-process.ts";
import type { RoomSource } from "./room/room-class.ts";
import { startWorker } from "./worker/worker.ts";

export type ServeOptions = {
  /**
   * Room types by name. A function that imports the module keeps the author's code out of the primary:
   * `{ duel: () => import("./duel.ts") }`.
   */
  readonly rooms: Readonly<Record<string, RoomSource>>;
};

const TOKEN_KEY_BYTES = 32;
/** Of a container's memory, for the heaps of all workers; the rest is for buffers, code and the primary. */
const HEAP_SHARE = 0.6;
/** What a worker makes lives for a tick: left to itself, V8 spreads it over four times the memory for nothing. */
const YOUNG_HEAP_ARGUMENT = `--max-semi-space-size=${LIMITS.workerSemiSpaceMb}`;
/** And what the primary makes, for a join: it stays at V8's first size, 1 MiB. That it may grow no more can be said late. */
const YOUNG_HEAP_OF_PRIMARY = "--semi-space-growth-factor=1";
/** Exit codes, for whoever supervises this process. */
const EXIT = { FAILED: 1, BAD_CONFIG: 2 } as const;

/**
 * Starts the server, configured by environment variables (see README). Ends the process when that is impossible:
 * with code 2 for bad configuration, with 1 when it cannot listen or no worker can start.
 */
export async function serve({ rooms }: ServeOptions): Promise<void> {
  assertLimits();
  if (cluster.isWorker) return await serveAsWorker(rooms);
  const config = configOrExit();
  const log = createLogger(config.logLevel, "primary");
  exitOnUncaught(log);
  if (config.workers > 0) setFlagsFromString(YOUNG_HEAP_OF_PRIMARY);
  cluster.setupPrimary({
    serialization: "advanced",
    execArgv: [YOUNG_HEAP_ARGUMENT, ...process.execArgv, ...heapArguments(config)],
  });
  const tokenKey = randomBytes(TOKEN_KEY_BYTES);
  try {
    const primary = await startPrimary({
      config,
      log,
      startWorker: (slot, rehearses, events) =>
        config.workers === 0
          ? localWorker(
              (primary) => startWorker({ sources: rooms, primary, worker: slot, config, tokenKey, log }),
              events,
            )
          : forkWorker(
              { slot, rehearses, tokenKey, codeDirectory: codeDirectory(config.dataDirectory) },
              events,
            ),
      onGiveUp: () => {
        log.fatal("no worker can be started");
        process.exit(EXIT.FAILED);
      },
    });
    drainOnSignals(primary.drain, log);
  } catch (error) {
    if (error instanceof DataDirectoryInUse) {
      process.stderr.write(`${error.message}\n`);
      process.exit(EXIT.BAD_CONFIG);
    }
    if (isOfListening(error))
      process.stderr.write(`PORT ${config.port}, HOST ${config.host}: ${error.message}\n`);
    else log.fatal({ err: error }, "the server cannot start");
    process.exit(EXIT.FAILED);
  }
}

/** The address is taken, or not this machine's, or not for everybody. */
function isOfListening(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error && error.syscall === "listen";
}

/** A worker that runs out of memory must do so before the kernel ends the whole container for it. */
function heapArguments({ workers, workerHeapMb }: Config): string[] {
  const limitBytes = process.constrainedMemory();
  const isLimited = limitBytes > 0 && limitBytes < totalmem();
  const shareMb = isLimited ? Math.floor((limitBytes * HEAP_SHARE) / Math.max(1, workers) / 2 ** 20) : 0;
  const heapMb = workerHeapMb || shareMb;
  return heapMb > 0 ? [`--max-old-space-size=${heapMb}`] : [];
}

async function serveAsWorker(rooms: ServeOptions["rooms"]): Promise<void> {
  const config = configOrExit();
  const slot = Number(process.env.ROOKERY_WORKER);
  const log = createLogger(config.logLevel, `worker-${slot}`);
  exitOnUncaught(log);
  // A terminal's Ctrl-C and a container's stop reach all processes: the primary decides when workers end.
  process.on("SIGINT", () => undefined);
  let isDrained = false;
  process.on("SIGTERM", () => {
    if (isDrained) process.exit(0);
  });
  try {
    await startWorker({
      sources: rooms,
      primary: primaryLinkOfProcess(),
      worker: slot,
      rehearses: process.env.ROOKERY_REHEARSES === "1",
      config,
      tokenKey: Buffer.from(process.env.ROOKERY_TOKEN_KEY ?? "", "base64url"),
      log,
      onDrained: () => {
        isDrained = true;
      },
    });
    // A worker that is killed could not do it any more.
    flushCompileCache();
  } catch (error) {
    log.fatal({ err: error }, "the worker cannot start");
    process.exit(EXIT.FAILED);
  }
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.BAD_CONFIG);
  }
}

function exitOnUncaught(log: Logger): void {
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "uncaught exception");
    process.exit(EXIT.FAILED);
  });
  // No step of a room was cut off by it, so there is nothing to give up: a room's own steps are synchronous.
  process.on("unhandledRejection", (error) => log.error({ err: error }, "unhandled rejection"));
}

/** SIGTERM and SIGINT end the server in order; the second one at once. */
function drainOnSignals(drain: () => Promise<void>, log: Logger): void {
  let isDraining = false;
  const onSignal = (signal: string) => {
    if (isDraining) {
      log.warn({ signal }, "ending at once");
      process.exit(EXIT.FAILED);
    }
    isDraining = true;
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, "shutting down failed");
        process.exit(EXIT.FAILED);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
