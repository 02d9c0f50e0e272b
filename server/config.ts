/**
 * What an operator may change, from environment variables. A value that does not fit stops the start with one
 * sentence that names the variable.
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import * as v from "valibot";

/** A whole number in a range, written in decimal. */
function integer(
  fallback: number,
  min: number,
  max: number,
  problem = `must be a whole number from ${min} to ${max}`,
) {
  return v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,12}$/, problem),
      v.transform(Number),
      v.minValue(min, problem),
      v.maxValue(max, problem),
    ),
    String(fallback),
  );
}

function splitList(list: string): string[] {
  return list
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

const WORKERS_PROBLEM = "must be auto, or a whole number from 0 to 256";
const HANG_TIMEOUT_MS = 3_000;
/** In development a worker may stand at a breakpoint. */
const HANG_TIMEOUT_IN_DEVELOPMENT_MS = 600_000;

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** Variables whose values are not to be printed. */
const SECRETS: ReadonlySet<string> = new Set(["TICKET_SECRET"]);

const origin = v.pipe(
  v.string(),
  v.regex(
    /^(\*|https?:\/\/[^/\s]+)$/,
    "must be a comma-separated list of origins such as https://game.example, or *",
  ),
);

const Environment = v.object({
  PORT: integer(2567, 0, 65_535),
  HOST: v.optional(v.string(), "0.0.0.0"),
  WORKERS: v.optional(
    v.union([v.literal("auto"), integer(0, 0, 256, WORKERS_PROBLEM)], WORKERS_PROBLEM),
    "auto",
  ),
  PUBLIC_URL: v.optional(
    v.pipe(v.string(), v.regex(/^wss?:\/\/[^/\s]+$/, "must look like wss://game.example")),
  ),
  ALLOWED_ORIGINS: v.optional(v.pipe(v.string(), v.transform(splitList), v.array(origin)), ""),
  TRUSTED_PROXIES: v.optional(
    v.pipe(
      v.string(),
      v.transform(splitList),
      v.array(v.pipe(v.string(), v.ip("must be a comma-separated list of IP addresses"))),
    ),
    "",
  ),
  MAX_CLIENTS: integer(10_000, 1, 1_000_000),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1_000, 1, 1_000_000),
  JOINS_PER_SECOND: integer(2_000, 1, 1_000_000),
  HANG_TIMEOUT_MS: integer(HANG_TIMEOUT_MS, 500, HANG_TIMEOUT_IN_DEVELOPMENT_MS),
  DRAIN_TIMEOUT_MS: integer(10_000, 100, 600_000),
  RETAIN_SOCKETS: integer(1, 0, 1, "must be 1 or 0"),
  RESYNC_TIMEOUT_MS: integer(3_000, 100, 60_000),
  DATA_DIR: v.optional(v.pipe(v.string(), v.minLength(1, "must be a directory")), ".rookery"),
  WORKER_HEAP_MB: integer(0, 0, 1_000_000),
  JOURNAL_FSYNC_MS: integer(0, 0, 60_000),
  TICKET_SECRET: v.optional(v.pipe(v.string(), v.minLength(32, "must have at least 32 characters"))),
  LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`), "info"),
});

export type Config = {
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Worker processes; 0 runs everything in this process. */
  readonly workers: number;
  /** What tickets name as this machine's address; derived from the request's Host when absent. */
  readonly publicUrl: string | undefined;
  /** Origins allowed besides the server's own; "*" allows any. */
  readonly allowedOrigins: readonly string[];
  /** Peers whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly maxClients: number;
  readonly maxConnectionsPerAddress: number;
  readonly joinsPerSecond: number;
  readonly hangTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** The primary keeps a copy of each client's socket, so that connections outlive their workers. */
  readonly retainSockets: boolean;
  /** For how long a client is waited for whose connection has outlived its worker. */
  readonly resyncTimeoutMs: number;
  /** Where rooms are written down. */
  readonly dataDirectory: string;
  /** Largest heap of a worker, in MiB; 0: its share of the container's memory, if that is limited. */
  readonly workerHeapMb: number;
  /** How often what was written is forced to the disk; 0: when the system sees fit. */
  readonly journalFsyncMs: number;
  /** Signs tickets; random per start when absent. */
  readonly ticketSecret: string | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly isDevelopment: boolean;
};

/** Bad configuration: its message is the one sentence to print. */
export class ConfigError extends Error {}

/**
 * @param environment variables by name; empty ones count as absent
 * @throws ConfigError naming the first variable that does not fit
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const isDevelopment = environment.NODE_ENV === "development";
  const defaults = isDevelopment ? { HANG_TIMEOUT_MS: String(HANG_TIMEOUT_IN_DEVELOPMENT_MS) } : {};
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = v.safeParse(Environment, { ...defaults, ...present });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const name = String(issue.path?.[0]?.key ?? "environment");
    const shown = SECRETS.has(name) ? "" : ` (it is ${JSON.stringify(present[name])})`;
    throw new ConfigError(`${name} ${issue.message}${shown}.`);
  }
  const env = parsed.output;
  return {
    port: env.PORT,
    host: env.HOST,
    workers: env.WORKERS === "auto" ? availableParallelism() : env.WORKERS,
    publicUrl: env.PUBLIC_URL,
    allowedOrigins: env.ALLOWED_ORIGINS,
    trustedProxies: env.TRUSTED_PROXIES,
    maxClients: env.MAX_CLIENTS,
    maxConnectionsPerAddress: env.MAX_CONNECTIONS_PER_ADDRESS,
    joinsPerSecond: env.JOINS_PER_SECOND,
    hangTimeoutMs: env.HANG_TIMEOUT_MS,
    drainTimeoutMs: env.DRAIN_TIMEOUT_MS,
    retainSockets: env.RETAIN_SOCKETS === 1,
    resyncTimeoutMs: env.RESYNC_TIMEOUT_MS,
    dataDirectory: resolve(env.DATA_DIR),
    workerHeapMb: env.WORKER_HEAP_MB,
    journalFsyncMs: env.JOURNAL_FSYNC_MS,
    ticketSecret: env.TICKET_SECRET,
    logLevel: env.LOG_LEVEL,
    isDevelopment,
  };
}
