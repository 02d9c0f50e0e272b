/**
 * The table of what a killed worker may cost, each row with real processes and few repetitions; `npm run chaos` has the
 * full numbers. Pauses are measured there: here other tests share the machine, so that only a very long one says
 * something.
 */
import { describe, expect, test } from "vitest";
import { recordAndReplay } from "./cases/replay.ts";
import { cases } from "./cases.ts";
import { runCase, type Size } from "./chaos-case.ts";

/** Longer than this it was no hiccup, even beside a test that has both cores busy with a thousand clients of its own. */
const PAUSE_ON_A_BUSY_MACHINE_MS_MAX = 20_000;
const QUIET = { seed: 1, progress: () => undefined };

async function run(name: string, size: Size) {
  const chaosCase = cases[name];
  if (chaosCase === undefined) throw new Error(`there is no case ${name}`);
  const bounds = { ...chaosCase.bounds(size) };
  if (bounds.pauseP99MsMax !== undefined) bounds.pauseP99MsMax = PAUSE_ON_A_BUSY_MACHINE_MS_MAX;
  return await runCase(chaosCase, { ...size, ...QUIET }, bounds);
}

describe("a worker that is killed costs its players a moment, and nothing else", () => {
  test.each([
    ["with a second worker", { times: 2, clients: 20, workers: 2 }],
    ["with no other worker", { times: 1, clients: 20, workers: 1 }],
    ["with many clients", { times: 1, clients: 220, workers: 2 }],
  ])("%s", async (_, size) => {
    const { violations, socketsKept } = await run("kill", size);
    expect(violations).toEqual([]);
    expect(socketsKept).toBeGreaterThan(0);
  });

  test("with frames that come in pieces", async () => {
    const { violations, socketsKept, socketsResumed } = await run("cut", {
      times: 2,
      clients: 20,
      workers: 2,
    });
    expect(violations).toEqual([]);
    expect(socketsKept + socketsResumed).toBeGreaterThan(0);
  });

  test("with clients that do not read", async () => {
    const { violations, socketsKept, socketsResumed } = await run("stalled", {
      times: 1,
      clients: 8,
      workers: 2,
    });
    expect(violations).toEqual([]);
    expect(socketsKept + socketsResumed).toBeGreaterThan(0);
  });

  test("and puts no room aside, however often", async () => {
    const { violations, socketsKept } = await run("healthy", { times: 3, clients: 8, workers: 2 });
    expect(violations).toEqual([]);
    expect(socketsKept).toBeGreaterThan(0);
  });
});

test("a game of connect four ends as it is played, over many kills", async () => {
  const { violations, socketsKept } = await run("connect-four", { times: 4, clients: 2, workers: 2 });
  expect(violations).toEqual([]);
  expect(socketsKept).toBe(8);
});

test("a recorded match runs again to the same state, many times as fast", async () => {
  const match = { matchMs: 4_000, clients: 16, workers: 1, ...QUIET };
  expect(await recordAndReplay(match)).toMatchObject({ violations: [], divergences: 0 });
});
