/** The clock of a room whose ticks are not all applied at once. */
import { expect, test } from "vitest";
import { RoomPace } from "../../../server/worker/room-pace.ts";
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

test("the time of ticks that wait is part of the step that applies them, once", () => {
  const time = new SimulatedTime();
  const ticks = new TicksByHand(time, () => 0);
  const seen: [nowMs: number, dtMs: number, sends: boolean][] = [];
  const defer = (callback: () => void) => void time.setTimeout(callback, 0);
  const pace = new RoomPace(
    { tickRate: 20, flushMs: 0 },
    1_000,
    { scheduler: time, ticks, defer },
    {
      onTick: (nowMs, dtMs, sends) => {
        seen.push([nowMs, dtMs, sends]);
        if (sends) pace.stepsAt(nowMs);
      },
      onWake: () => undefined,
      onPace: () => undefined,
      nextWakeMs: () => undefined,
    },
  );
  pace.start();
  ticks.tick(50, 50, false);
  ticks.tick(50, 100, true);
  ticks.tick(50, 150, true);
  ticks.tick(50, 200, false);
  ticks.tick(100, 300, true);
  pace.stop();
  expect(seen.map(([nowMs]) => nowMs)).toEqual([1_050, 1_100, 1_150, 1_200, 1_300]);
  expect(seen.map(([, , sends]) => sends)).toEqual([false, true, true, false, true]);
});
