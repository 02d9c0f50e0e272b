import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { SpawnError, spawnServer } from "../../../client-sim/bots/spawn-server.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rookery-spawn-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a script in place of the server. */
async function start(
  name: string,
  script: string,
  signal = new AbortController().signal,
  errors = new PassThrough(),
) {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, script);
  const server = await spawnServer({ clients: 10, workers: 3, errors, signal, file });
  onTestFinished(() => server.stop());
  return { server, errors };
}

it("reads the port from the log, waits for the workers, passes on errors only, and gives the server what the load needs", async () => {
  const { server, errors } = await start(
    "good",
    `const log = (entry) => process.stdout.write(JSON.stringify(entry) + "\\n");
    const { PORT, HOST, WORKERS, MAX_CONNECTIONS_PER_ADDRESS } = process.env;
    process.stdout.write("no JSON\\nnull\\n");
    log({ level: 30, msg: "starting", port: 1 });
    log({ level: 50, msg: [PORT, HOST, WORKERS, MAX_CONNECTIONS_PER_ADDRESS].join(" ") });
    log({ level: 30, msg: "listening", port: 40123, workers: 2 });
    log({ level: 30, msg: "worker ready" });
    setTimeout(() => {
      log({ level: 50, msg: "the second worker" });
      log({ level: 30, msg: "worker ready" });
    }, 50);
    setInterval(() => {}, 1000);`,
  );
  expect(server.url).toBe("http://127.0.0.1:40123");
  expect(String(errors.read())).toBe(
    '{"level":50,"msg":"0 127.0.0.1 3 84"}\n{"level":50,"msg":"the second worker"}\n',
  );
});

it("lets the server end by itself after SIGTERM, and waits for that", async () => {
  const { server, errors } = await start(
    "slow",
    `process.on("SIGTERM", () => setTimeout(() => {
      process.stdout.write('{"level":50,"msg":"ended"}\\n', () => process.exit());
    }, 100));
    process.stdout.write('{"msg":"listening","port":1,"workers":0}\\n');
    setInterval(() => {}, 1000);`,
  );
  const [line] = await Promise.all([
    new Promise<string>((resolve) => errors.once("data", (data) => resolve(String(data)))),
    server.stop(),
  ]);
  expect(line).toContain("ended");
});

it("says in one sentence that the server ended before it listened", async () => {
  const failing = start("bad", "process.exit(3);");
  await expect(failing).rejects.toThrow(SpawnError);
  await expect(failing).rejects.toThrow("The server did not start: it ended with code 3.");
});

it("stops waiting when it is interrupted, and ends the server", async () => {
  const interrupt = new AbortController();
  const errors = new PassThrough();
  const pid = new Promise<number>((resolve) => {
    errors.once("data", (line) => {
      resolve(JSON.parse(String(line)).pid);
      interrupt.abort();
    });
  });
  const waiting = start(
    "silent",
    `process.stdout.write(JSON.stringify({ level: 50, pid: process.pid }) + "\\n");
    setInterval(() => {}, 1000);`,
    interrupt.signal,
    errors,
  );
  await expect(waiting).rejects.toThrow("The server did not start: the test was interrupted.");
  const ended = await pid;
  expect(() => process.kill(ended, 0)).toThrow("ESRCH");
});

it("does not wait at all when it was interrupted before", async () => {
  const waiting = start("late", "setInterval(() => {}, 1000);", AbortSignal.abort());
  await expect(waiting).rejects.toThrow("the test was interrupted");
});
