/** The clock of a room whose ticks are not all applied at once, and when that is. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { RoomPace } from "../../../server/worker/room-pace.ts";
import { Survivors } from "../../../server/worker/survivors.ts";
import { type TickCallback, TickScheduler } from "../../../server/worker/tick-scheduler.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

/** Hands the ticks over to the test. */
class TicksByHand extends TickScheduler {
  tick: TickCallback = () => expect.unreachable("the room does not tick yet");

  override add(tickRate: number, callback: TickCallback) {
    this.tick = callback;
    return super.add(tickRate, callback);
  }
}

function setUp() {
  const time = new SimulatedTime();
  const ticks = new TicksByHand(time, () => 0);
  const survivors = new Survivors();
  const seen: { nowMs: number; sends: boolean }[] = [];
  const urgent = { is: false };
  const defer = (callback: () => void) => void time.setTimeout(callback, 0);
  const pace = new RoomPace(
    { tickRate: 20, flushMs: 0 },
    1_000,
    { scheduler: time, ticks, survivors, defer },
    {
      onTick: (nowMs, _dtMs, sends) => {
        seen.push({ nowMs, sends });
        if (sends) pace.stepsAt(nowMs);
      },
      onWake: () => undefined,
      onPace: () => undefined,
      isUrgent: () => urgent.is,
      nextWakeMs: () => undefined,
    },
  );
  pace.start();
  /** @param sends for each tick: whether it has to be sent as far as the scheduler is concerned */
  const run = (...sends: boolean[]): boolean[] => {
    seen.length = 0;
    for (const each of sends) ticks.tick(50, 0, each);
    return seen.map((tick) => tick.sends);
  };
  return { ticks, survivors, seen, urgent, run };
}

function times(count: number, callback: () => void): void {
  for (let i = 0; i < count; i++) callback();
}

test("the time of ticks that wait is part of the step that applies them, once", () => {
  const { ticks, seen } = setUp();
  ticks.tick(50, 50, false);
  ticks.tick(50, 100, true);
  ticks.tick(50, 150, true);
  ticks.tick(50, 200, false);
  ticks.tick(100, 300, true);
  expect(seen.map(({ nowMs }) => nowMs)).toEqual([1_050, 1_100, 1_150, 1_200, 1_300]);
  expect(seen.map(({ sends }) => sends)).toEqual([false, true, true, false, true]);
});

test("while many survivors are awaited, ticks wait to be sent with others, for a while at most", () => {
  const { survivors, run } = setUp();
  times(LIMITS.survivorsMany - 1, () => survivors.awaits());
  expect(run(true, true)).toEqual([true, true]);
  survivors.awaits();
  // Of 50 ms each: every fifth.
  const fifth = [false, false, false, false, true];
  expect(run(...Array(11).fill(true))).toEqual([...fifth, ...fifth, false]);
  survivors.settled();
  expect(run(true, true)).toEqual([true, true]);
});

test("ticks that wait for survivors are sent at a tick that is to be sent because of the load", () => {
  const { survivors, run } = setUp();
  times(LIMITS.survivorsMany, () => survivors.awaits());
  const alternating = Array.from({ length: 8 }, (_, tick) => tick % 2 === 1);
  expect(run(...alternating)).toEqual(alternating.map((_, tick) => tick === 5));
});

test("a room where something is urgent sends every tick", () => {
  const { survivors, urgent, run } = setUp();
  times(LIMITS.survivorsMany, () => survivors.awaits());
  urgent.is = true;
  expect(run(true, true)).toEqual([true, true]);
  urgent.is = false;
  expect(run(true, true)).toEqual([false, false]);
});
