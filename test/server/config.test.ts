/** Every variable an operator may set: what it accepts, and the sentence about what it does not. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Config, ConfigError, readConfig } from "../../server/config.ts";

const DEFAULTS: Config = {
  port: 2567,
  host: "0.0.0.0",
  workers: availableParallelism(),
  publicUrl: undefined,
  allowedOrigins: [],
  trustedProxies: [],
  maxClients: 10_000,
  maxConnectionsPerAddress: 1_000,
  joinsPerSecond: 2_000,
  hangTimeoutMs: 3_000,
  drainTimeoutMs: 10_000,
  retainSockets: true,
  resyncTimeoutMs: 3_000,
  dataDirectory: resolve(".rookery"),
  workerHeapMb: 0,
  journalFsyncMs: 0,
  ticketSecret: undefined,
  logLevel: "info",
  isDevelopment: false,
};

function sentenceOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

test("without any variable there is a default for all", () => {
  expect(readConfig({})).toEqual(DEFAULTS);
});

test("an empty variable counts as absent, and one that is not known is nothing to it", () => {
  const names = [
    ...["PORT", "HOST", "WORKERS", "PUBLIC_URL", "ALLOWED_ORIGINS", "TRUSTED_PROXIES", "MAX_CLIENTS"],
    ...["MAX_CONNECTIONS_PER_ADDRESS", "JOINS_PER_SECOND", "HANG_TIMEOUT_MS", "DRAIN_TIMEOUT_MS"],
    ...["TICKET_SECRET", "LOG_LEVEL", "NODE_ENV"],
  ];
  const empty = Object.fromEntries(names.map((name) => [name, ""]));
  expect(readConfig({ ...empty, HOME: "/root", PATH: undefined })).toEqual(DEFAULTS);
});

describe("good values", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  test.each<[variable: string, value: string, expected: Partial<Config>]>([
    ["PORT", "0", { port: 0 }],
    ["PORT", "65535", { port: 65_535 }],
    ["HOST", "::1", { host: "::1" }],
    ["WORKERS", "auto", { workers: availableParallelism() }],
    ["WORKERS", "0", { workers: 0 }],
    ["WORKERS", "256", { workers: 256 }],
    ["PUBLIC_URL", "wss://game.example", { publicUrl: "wss://game.example" }],
    ["PUBLIC_URL", "ws://10.0.0.1:2567", { publicUrl: "ws://10.0.0.1:2567" }],
    ["ALLOWED_ORIGINS", "*", { allowedOrigins: ["*"] }],
    [
      "ALLOWED_ORIGINS",
      " https://a.example,http://localhost:8080 ,",
      { allowedOrigins: ["https://a.example", "http://localhost:8080"] },
    ],
    ["TRUSTED_PROXIES", "10.0.0.1, ::1", { trustedProxies: ["10.0.0.1", "::1"] }],
    ["MAX_CLIENTS", "1", { maxClients: 1 }],
    ["MAX_CLIENTS", "1000000", { maxClients: 1_000_000 }],
    ["MAX_CONNECTIONS_PER_ADDRESS", "32", { maxConnectionsPerAddress: 32 }],
    ["JOINS_PER_SECOND", "5", { joinsPerSecond: 5 }],
    ["HANG_TIMEOUT_MS", "500", { hangTimeoutMs: 500 }],
    ["HANG_TIMEOUT_MS", "600000", { hangTimeoutMs: 600_000 }],
    ["DRAIN_TIMEOUT_MS", "100", { drainTimeoutMs: 100 }],
    ["TICKET_SECRET", secret, { ticketSecret: secret }],
    ["LOG_LEVEL", "silent", { logLevel: "silent" }],
    ["LOG_LEVEL", "trace", { logLevel: "trace" }],
    ["NODE_ENV", "production", { isDevelopment: false }],
  ])("%s=%s", (variable, value, expected) => {
    expect(readConfig({ [variable]: value })).toEqual({ ...DEFAULTS, ...expected });
  });

  test("NODE_ENV=development lets a worker stand at a breakpoint, unless told otherwise", () => {
    const development = { ...DEFAULTS, isDevelopment: true };
    expect(readConfig({ NODE_ENV: "development" })).toEqual({ ...development, hangTimeoutMs: 600_000 });
    for (const [value, hangTimeoutMs] of [
      ["1000", 1_000],
      ["", 600_000],
    ] as const) {
      const environment = { NODE_ENV: "development", HANG_TIMEOUT_MS: value };
      expect(readConfig(environment)).toEqual({ ...development, hangTimeoutMs });
    }
  });
});

describe("a bad value stops the start with a sentence that names the variable", () => {
  const integers: [variable: string, min: number, max: number][] = [
    ["PORT", 0, 65_535],
    ["MAX_CLIENTS", 1, 1_000_000],
    ["MAX_CONNECTIONS_PER_ADDRESS", 1, 1_000_000],
    ["JOINS_PER_SECOND", 1, 1_000_000],
    ["HANG_TIMEOUT_MS", 500, 600_000],
    ["DRAIN_TIMEOUT_MS", 100, 600_000],
  ];
  test.each(integers)("%s", (variable, min, max) => {
    const bad = [String(max + 1), "-1", "1.5", "1e3", "0x10", " 8", "many", "9".repeat(13)];
    if (min > 0) bad.push(String(min - 1));
    for (const value of bad) {
      expect(sentenceOf({ [variable]: value })).toBe(
        `${variable} must be a whole number from ${min} to ${max} (it is ${JSON.stringify(value)}).`,
      );
    }
  });

  test.each([
    ["WORKERS", "257", "must be auto, or a whole number from 0 to 256"],
    ["WORKERS", "-1", "must be auto, or a whole number from 0 to 256"],
    ["WORKERS", "all", "must be auto, or a whole number from 0 to 256"],
    ["PUBLIC_URL", "https://game.example", "must look like wss://game.example"],
    ["PUBLIC_URL", "wss://game.example/path", "must look like wss://game.example"],
    ["PUBLIC_URL", "game.example", "must look like wss://game.example"],
    [
      "ALLOWED_ORIGINS",
      "https://a.example,game.example",
      "must be a comma-separated list of origins such as https://game.example, or *",
    ],
    [
      "ALLOWED_ORIGINS",
      "https://a.example/",
      "must be a comma-separated list of origins such as https://game.example, or *",
    ],
    ["TRUSTED_PROXIES", "10.0.0.1,proxy.example", "must be a comma-separated list of IP addresses"],
    ["TRUSTED_PROXIES", "10.0.0.0/8", "must be a comma-separated list of IP addresses"],
    ["LOG_LEVEL", "loud", "must be one of fatal, error, warn, info, debug, trace, silent"],
    ["LOG_LEVEL", "INFO", "must be one of fatal, error, warn, info, debug, trace, silent"],
  ])("%s=%s", (variable, value, problem) => {
    expect(sentenceOf({ [variable]: value })).toBe(
      `${variable} ${problem} (it is ${JSON.stringify(value)}).`,
    );
  });

  test("but it does not print a secret", () => {
    expect(sentenceOf({ TICKET_SECRET: "too short" })).toBe(
      "TICKET_SECRET must have at least 32 characters.",
    );
  });

  test("of several, it is about one", () => {
    expect(sentenceOf({ PORT: "x", MAX_CLIENTS: "x" })).toMatch(/^PORT [^.]*\.$/);
  });
});
