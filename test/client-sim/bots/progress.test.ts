import { expect, it } from "vitest";
import { showProgress } from "../../../client-sim/bots/progress.ts";
import { Simulation } from "../../../client-sim/bots/simulation.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeMatch } from "./fake-match.ts";

const ERASE_LINE = "\r\u001b[K";

async function watch(isTTY: boolean, forMs: number): Promise<string[]> {
  const time = new SimulatedTime();
  const match = new FakeMatch(time, 20);
  const simulation = new Simulation({
    clients: 4,
    rampMs: 0,
    durationMs: 60_000,
    inputsPerSecond: 0,
    addedRoundTripMs: 0,
    scheduler: time,
    signal: new AbortController().signal,
    join: async () => match.join(),
  });
  const written: string[] = [];
  const hide = showProgress(simulation, time, { isTTY, write: (text) => written.push(text) });
  simulation.run();
  await time.advance(forMs);
  hide();
  await time.advance(20_000);
  return written;
}

it("writes a line every five seconds, and nothing after the end", async () => {
  const counts = "updates/s, latency p99 8.0 ms, 0 divergences, 0 disconnects, 0 errors\n";
  // The first state comes one tick after the start.
  expect(await watch(false, 12_000)).toEqual([
    `5 s steady, 4 connected, 79 ${counts}`,
    `10 s steady, 4 connected, 80 ${counts}`,
  ]);
});

it("rewrites one line on a terminal, and clears it at the end", async () => {
  const written = await watch(true, 1_200);
  expect(written).toHaveLength(3);
  for (const text of written) {
    expect(text.startsWith(ERASE_LINE)).toBe(true);
    expect(text).not.toContain("\n");
  }
  expect(written.at(-1)).toBe(ERASE_LINE);
});
