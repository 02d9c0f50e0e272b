/** When rooms tick: without drift, spread out, fair when they are slow. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stepMsMax, TickScheduler } from "../../../server/worker/tick-scheduler.ts";
import type { TimerHandle } from "../../../shared/time.ts";
import { between } from "../../support/between.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

const RATE = 20;
const INTERVAL_MS = 1000 / RATE;

type Tick = { readonly atMs: number; readonly dtMs: number; readonly dueMs: number };

function newTicks(time: SimulatedTime): TickScheduler {
  return new TickScheduler(time, () => 0);
}

/** Notes every tick of a room; `work` is what the room does in it. */
function record(
  ticks: TickScheduler,
  time: SimulatedTime,
  tickRate = RATE,
  work: () => void = () => undefined,
): { seen: Tick[]; stop: () => void } {
  const seen: Tick[] = [];
  const room = ticks.add(tickRate, (dtMs, dueMs) => {
    seen.push({ atMs: time.now(), dtMs, dueMs });
    work();
  });
  return { seen, stop: () => room.stop() };
}

function sumOf(seen: readonly Tick[]): number {
  return seen.reduce((sum, { dtMs }) => sum + dtMs, 0);
}

/** A clock whose timers fire late, each by another delay. */
class JitteryTime extends SimulatedTime {
  readonly #delaysMs: readonly number[];
  #count = 0;

  constructor(delaysMs: readonly number[]) {
    super(0);
    this.#delaysMs = delaysMs;
  }

  override setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const lateMs = this.#delaysMs[this.#count++ % this.#delaysMs.length] ?? 0;
    return super.setTimeout(callback, delayMs + lateMs);
  }
}

test("due times do not drift, however late the timers fire", async () => {
  const delays = fc.array(between(0, 40), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 60 }), async (delaysMs, tickRate) => {
      const time = new JitteryTime(delaysMs);
      const ticks = newTicks(time);
      const intervalMs = 1000 / tickRate;
      const { seen } = record(ticks, time, tickRate);
      await time.advance(20 * intervalMs + 100);
      const firstMs = seen[0]?.dueMs ?? Number.NaN;
      for (const { atMs, dueMs } of seen) {
        const intervals = (dueMs - firstMs) / intervalMs;
        expect(Math.abs(intervals - Math.round(intervals))).toBeLessThan(1e-6);
        expect(atMs).toBeGreaterThanOrEqual(dueMs);
        expect(atMs - dueMs).toBeLessThan(40 + intervalMs);
      }
      // What a room has been told of time is what has passed, whether its ticks were late or not.
      const startMs = firstMs - (seen[0]?.dtMs ?? 0);
      expect(sumOf(seen)).toBeCloseTo((seen.at(-1)?.dueMs ?? 0) - startMs, 6);
      expect(seen.length).toBeGreaterThan(5);
      ticks.stop();
    }),
    { numRuns: 30 },
  );
});

test("a tick comes when it is due and lasts one interval, the first one too", async () => {
  const time = new SimulatedTime(123_456);
  const { seen } = record(newTicks(time), time);
  await time.advance(10 * INTERVAL_MS);
  expect(seen).toHaveLength(10);
  for (const { atMs, dtMs, dueMs } of seen) {
    expect(atMs).toBeCloseTo(dueMs, 6);
    expect(dtMs).toBeCloseTo(INTERVAL_MS, 6);
  }
});

test.each([
  ["at once", 0],
  ["one after the other, as badly as can be", INTERVAL_MS * (1 - 0.618_033_988_749_895)],
  ["now and then", 77.7],
])("rooms of one rate that are added %s are spread over the interval", async (_when, gapMs) => {
  const time = new SimulatedTime(5_000);
  const ticks = newTicks(time);
  const rooms = [];
  for (let index = 0; index < 50; index++) {
    rooms.push(record(ticks, time));
    await time.advance(gapMs);
  }
  await time.advance(2 * INTERVAL_MS);
  const phases = rooms
    .map(({ seen }) => (seen.at(-1)?.dueMs ?? Number.NaN) % INTERVAL_MS)
    .sort((a, b) => a - b);
  const gaps = phases.map((phase, index) =>
    index === 0 ? phase + INTERVAL_MS - (phases.at(-1) ?? 0) : phase - (phases[index - 1] ?? 0),
  );
  // Even spacing would be 1 ms; the golden ratio's gaps are never far from it.
  expect(Math.max(...gaps)).toBeLessThan(2.7);
  expect(Math.min(...gaps)).toBeGreaterThan(0.3);
});

test("a room that is late gets one longer step, and no burst", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const { seen } = record(ticks, time);
  await time.advance(2 * INTERVAL_MS);
  const before = seen.length;
  time.stall(3.5 * INTERVAL_MS);
  await time.advance(0);
  expect(seen.length - before).toBe(1);
  const [last, late] = seen.slice(-2);
  expect(late?.dtMs).toBeCloseTo((late?.dueMs ?? 0) - (last?.dueMs ?? 0), 6);
  expect(late?.dtMs).toBeGreaterThan(2.9 * INTERVAL_MS);
  expect((late?.atMs ?? 0) - (late?.dueMs ?? 0)).toBeLessThan(INTERVAL_MS);
  await time.advance(2 * INTERVAL_MS);
  expect(seen.at(-1)?.dtMs).toBeCloseTo(INTERVAL_MS, 6);
  expect(sumOf(seen)).toBeCloseTo((seen.at(-1)?.dueMs ?? 0) - (seen[0]?.dueMs ?? 0) + INTERVAL_MS, 6);
});

test("beyond the longest step time is given up", async () => {
  for (const tickRate of [RATE, 2]) {
    const time = new SimulatedTime();
    const ticks = newTicks(time);
    const { seen } = record(ticks, time, tickRate);
    await time.advance(1_000);
    const before = seen.length;
    time.stall(10_000);
    await time.advance(0);
    expect(seen.length - before).toBe(1);
    expect(seen.at(-1)?.dtMs).toBe(tickRate === 2 ? 500 : 250);
    expect(stepMsMax(tickRate)).toBe(tickRate === 2 ? 500 : 250);
    await time.advance(1_000);
    expect(seen.at(-1)?.dtMs).toBeCloseTo(1000 / tickRate, 6);
  }
});

test("a room whose steps take longer than its interval does not starve the others", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const others = Array.from({ length: 5 }, () => record(ticks, time));
  const slow = record(ticks, time, RATE, () => time.stall(1.3 * INTERVAL_MS));
  others.push(...Array.from({ length: 5 }, () => record(ticks, time)));
  await time.advance(40 * INTERVAL_MS);
  for (const { seen } of others) {
    // The slow room takes all the time there is, so every other comes once for each of its steps.
    expect(Math.abs(seen.length - slow.seen.length)).toBeLessThanOrEqual(1);
    expect(Math.max(...seen.map(({ atMs, dueMs }) => atMs - dueMs))).toBeLessThan(2 * INTERVAL_MS);
  }
  expect(slow.seen.length).toBeGreaterThan(25);
});

test("others get their turn when ticking takes long: no more than 8 ms and one step in a go", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const order: string[] = [];
  for (let index = 0; index < 12; index++) {
    ticks.add(RATE, () => {
      order.push("tick");
      time.stall(3);
    });
  }
  time.stall(INTERVAL_MS);
  // Stands for a socket: due at the same moment, and set before the ticks go on.
  time.setTimeout(() => {
    order.push("socket");
  }, 0);
  await time.advance(0);
  expect(order.slice(0, 4)).toEqual(["tick", "tick", "tick", "socket"]);
  await time.advance(INTERVAL_MS);
  expect(order.filter((what) => what === "tick").length).toBeGreaterThanOrEqual(12);
});

test("rooms come and go in the middle of a tick", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const seen: string[] = [];
  const stops = new Map<string, () => void>();
  const add = (name: string, work: () => void = () => undefined) =>
    stops.set(
      name,
      ticks.add(RATE, () => {
        seen.push(name);
        work();
      }).stop,
    );
  add("ends itself", () => stops.get("ends itself")?.());
  add("ends its neighbour", () => stops.get("neighbour")?.());
  add("neighbour");
  add("makes another", () => {
    if (!stops.has("new")) add("new");
  });
  // All are due at once, in the order of their phases.
  time.stall(INTERVAL_MS);
  await time.advance(0);
  expect(seen.toSorted()).toEqual(
    [
      "ends itself",
      "ends its neighbour",
      "makes another",
      ...seen.filter((name) => name === "neighbour"),
    ].toSorted(),
  );
  seen.length = 0;
  await time.advance(10 * INTERVAL_MS);
  const counts = Object.groupBy(seen, (name) => name);
  expect(counts["ends itself"]).toBeUndefined();
  expect(counts.neighbour).toBeUndefined();
  expect(counts["ends its neighbour"]).toHaveLength(10);
  expect(counts["makes another"]).toHaveLength(10);
  expect(counts.new?.length).toBeGreaterThanOrEqual(9);
});

test("one timer is set for all rooms, and none when they have stopped", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const rooms = Array.from({ length: 100 }, () => record(ticks, time));
  expect(time.pendingTimers).toBe(1);
  await time.advance(INTERVAL_MS);
  expect(time.pendingTimers).toBe(1);
  for (const { stop } of rooms) stop();
  await time.advance(INTERVAL_MS);
  expect(time.pendingTimers).toBe(0);
  const again = record(ticks, time);
  await time.advance(2 * INTERVAL_MS);
  expect(again.seen).toHaveLength(2);
  ticks.stop();
  expect(time.pendingTimers).toBe(0);
  await time.advance(2 * INTERVAL_MS);
  expect(again.seen).toHaveLength(2);
});

test("a room that throws does not keep the others from their ticks", async () => {
  const time = new SimulatedTime();
  const ticks = newTicks(time);
  const failing = ticks.add(RATE, () => {
    throw new Error("thrown in a tick");
  });
  const { seen } = record(ticks, time);
  await expect(time.advance(2 * INTERVAL_MS)).rejects.toThrow("thrown in a tick");
  failing.stop();
  await time.advance(4 * INTERVAL_MS);
  expect(seen.length).toBeGreaterThanOrEqual(4);
});
