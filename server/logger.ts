/**
 * Logs: one JSON line per event on stdout, readable text on a terminal. Written synchronously, so that the last
 * lines of a process that dies are not lost. Nothing secret and no bytes from clients belong in a line.
 */
import { destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Config } from "./config.ts";

export type { Logger } from "pino";

/** @param processName who writes: "primary" or "worker-1", ... */
export function createLogger(level: Config["logLevel"], processName: string): Logger {
  const options = { level, base: { process: processName, pid: process.pid } };
  if (process.stdout.isTTY)
    return pino(
      options,
      pretty({ sync: true, singleLine: true, ignore: "pid", translateTime: "HH:MM:ss.l" }),
    );
  return pino(options, destination({ fd: 1, sync: true }));
}
