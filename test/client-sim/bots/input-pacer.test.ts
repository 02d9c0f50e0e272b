import { expect, it } from "vitest";
import { InputPacer } from "../../../client-sim/bots/input-pacer.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

type Turn = { readonly bot: number; readonly atMs: number };

function begin(bots: number, inputsPerSecond: number) {
  const time = new SimulatedTime(500);
  const turns: Turn[] = [];
  const skips: number[] = [];
  const pacer = new InputPacer({
    scheduler: time,
    bots,
    inputsPerSecond,
    act: (bot) => turns.push({ bot, atMs: time.now() - 500 }),
    onSkip: (skipped) => skips.push(skipped),
  });
  pacer.start();
  return { time, turns, skips, pacer };
}

it("spreads the bots' turns evenly over the interval", async () => {
  const { time, turns } = begin(4, 10);
  await time.advance(199);
  expect(turns).toEqual([0, 25, 50, 75, 100, 125, 150, 175].map((atMs, index) => ({ bot: index % 4, atMs })));
});

it("does not drift, whatever the rate", async () => {
  const { time, turns } = begin(7, 13);
  await time.advance(60_000);
  const perBot = Map.groupBy(turns, ({ bot }) => bot);
  for (const own of perBot.values()) expect(Math.abs(own.length - 60 * 13)).toBeLessThanOrEqual(1);
});

it("catches up with turns that are less than a round late, and skips whole rounds", async () => {
  const { time, turns, skips } = begin(4, 10);
  await time.advance(25);
  expect(turns).toHaveLength(2);
  // Now 60 ms: the turns of 50 ms are due.
  time.stall(35);
  await time.advance(0);
  expect(turns).toHaveLength(3);
  expect(skips).toEqual([]);
  time.stall(1_000);
  await time.advance(0);
  expect(turns.length).toBeLessThanOrEqual(3 + 4);
  expect(skips).toEqual([36]);
  await time.advance(100);
  // Still one after the other.
  expect(new Set(turns.slice(-4).map(({ bot }) => bot)).size).toBe(4);
});

it("does nothing at rate 0, and nothing more once stopped", async () => {
  const idle = begin(4, 0);
  expect(idle.time.pendingTimers).toBe(0);
  const { time, turns, pacer } = begin(1, 10);
  await time.advance(100);
  pacer.stop();
  await time.advance(1_000);
  expect(turns).toHaveLength(2);
  expect(time.pendingTimers).toBe(0);
});
