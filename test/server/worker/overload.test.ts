/** What a worker does that cannot keep up: heavy rooms do less, light ones keep their rate. */
import { describe, expect, test } from "vitest";
import { Overload, type Relievable } from "../../../server/worker/overload.ts";
import { TickGauge, type TickStats } from "../../../server/worker/tick-gauge.ts";
import { TICK_WINDOW_MS, TickScheduler } from "../../../server/worker/tick-scheduler.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { RoomHarness, say } from "./room-harness.ts";
import { Table } from "./rooms.ts";

const RATE = 20;
const INTERVAL_MS = 1000 / RATE;

/** Rooms whose ticks take time, and an event loop that is busy for as long as they do. */
class Worker {
  readonly time = new SimulatedTime();
  readonly changes: string[] = [];
  #busyMs = 0;
  #sinceMs = 0;
  readonly ticks = new TickScheduler(this.time, () => {
    const share = this.#busyMs / (this.time.now() - this.#sinceMs);
    this.#busyMs = 0;
    this.#sinceMs = this.time.now();
    return Math.min(1, share);
  });

  /**
   * @param stepMs of a tick without the sending
   * @param sendShare of a tick that sends: what the sending takes of it
   */
  add(name: string, stepMs: { now: number }, sendShare = 0.5) {
    const seen = { ticks: 0, sends: 0, roomMs: 0, dtMs: new Set<number>() };
    const tick = (dtMs: number, _dueMs: number, sends: boolean) => {
      seen.ticks += 1;
      seen.roomMs += dtMs;
      seen.dtMs.add(Math.round(dtMs));
      if (sends) seen.sends += 1;
      const tookMs = sends ? stepMs.now / (1 - sendShare) : stepMs.now;
      this.#busyMs += tookMs;
      this.time.stall(tookMs);
    };
    const room = this.ticks.add(RATE, tick, (pace) => void this.changes.push(`${name}: ${pace}`));
    return { room, seen };
  }

  async seconds(count: number): Promise<void> {
    await this.time.advance(count * TICK_WINDOW_MS);
  }
}

function forget(seen: ReturnType<Worker["add"]>["seen"]): void {
  Object.assign(seen, { ticks: 0, sends: 0, roomMs: 0, dtMs: new Set() });
}

describe("a worker that has more to do than time", () => {
  test("halves the sends of its heaviest room, and the light one keeps its rate", async () => {
    const worker = new Worker();
    const heavyMs = { now: 27 };
    const heavy = worker.add("heavy", heavyMs);
    const light = worker.add("light", { now: 0.5 });
    await worker.seconds(6);
    expect(worker.changes[0]).toBe("heavy: half sends");
    expect(light.room.pace).toBe("full");
    forget(heavy.seen);
    forget(light.seen);
    await worker.seconds(10);
    expect(light.seen.ticks).toBeGreaterThanOrEqual(10 * RATE - 2);
    expect(light.seen.sends).toBe(light.seen.ticks);
    expect(heavy.seen.sends / heavy.seen.ticks).toBeCloseTo(0.5, 1);
    // No time of the room's is lost.
    expect(heavy.seen.roomMs).toBeCloseTo(10 * TICK_WINDOW_MS, -2);
  });

  test("then gives it longer steps, and takes both back when there is time again", async () => {
    const worker = new Worker();
    const heavyMs = { now: 40 };
    const heavy = worker.add("heavy", heavyMs);
    const light = worker.add("light", { now: 0.5 });
    await worker.seconds(10);
    expect(worker.changes).toEqual(["heavy: half sends", "heavy: half ticks"]);
    forget(heavy.seen);
    forget(light.seen);
    await worker.seconds(10);
    expect([...heavy.seen.dtMs]).toEqual([2 * INTERVAL_MS]);
    expect(heavy.seen.sends).toBe(heavy.seen.ticks);
    expect(heavy.seen.ticks).toBeCloseTo((10 * RATE) / 2, -0.5);
    expect(light.seen.ticks).toBeGreaterThanOrEqual(10 * RATE - 2);
    heavyMs.now = 5;
    await worker.seconds(20);
    expect(worker.changes.slice(2)).toEqual(["heavy: half sends", "heavy: full"]);
    forget(heavy.seen);
    await worker.seconds(5);
    expect(heavy.seen.sends).toBe(heavy.seen.ticks);
    expect(heavy.seen.ticks).toBeGreaterThanOrEqual(5 * RATE - 1);
  });

  test("of many equal rooms relieves no more than it takes", async () => {
    const worker = new Worker();
    const rooms = Array.from({ length: 20 }, (_, index) => worker.add(`${index}`, { now: 1.35 }));
    await worker.seconds(10);
    const slowed = rooms.filter(({ room }) => room.pace !== "full").length;
    expect(slowed).toBeGreaterThan(5);
    expect(slowed).toBeLessThan(20);
    const changes = worker.changes.length;
    await worker.seconds(30);
    // And does not go to and fro.
    expect(worker.changes.length).toBe(changes);
  });

  test("has all rooms back as soon as it could keep up with them, though it is busy", async () => {
    const worker = new Worker();
    const stepMs = { now: 1.6 };
    const rooms = Array.from({ length: 20 }, (_, index) => worker.add(`${index}`, stepMs));
    await worker.seconds(8);
    expect(rooms.some(({ room }) => room.pace !== "full")).toBe(true);
    // Four fifths of its time.
    stepMs.now = 1;
    await worker.seconds(12);
    expect(rooms.filter(({ room }) => room.pace !== "full")).toEqual([]);
  });

  test("tries ever more rarely to do more than it can", async () => {
    const worker = new Worker();
    // Nearly all of it is sending, which looks as if there were time enough.
    worker.add("room", { now: 5.5 }, 0.9);
    await worker.seconds(30);
    const early = worker.changes.length;
    expect(early).toBeGreaterThanOrEqual(5);
    await worker.seconds(300);
    expect(worker.changes.length - early).toBeLessThanOrEqual(2 * (300 / 48 + 2));
  });

  test("leaves everything as it is after a pause that nobody is to blame for", async () => {
    const worker = new Worker();
    const { seen } = worker.add("room", { now: 1 });
    for (let pause = 0; pause < 5; pause++) {
      await worker.seconds(3);
      worker.time.stall(600);
    }
    await worker.seconds(3);
    expect(worker.changes).toEqual([]);
    expect(seen.sends).toBe(seen.ticks);
  });
});

const IDLE: TickStats = { ticks: RATE, load: 0.1, stepMs: 5, lateness: 0, jitterMs: 0, instability: 0 };

test("rooms are relieved also when ticks are late for another reason, but those that cost little are not", () => {
  const rooms: Relievable[] = [0.3, 0.2, 0.01].map((load) => ({
    pace: "full",
    stats: { ...IDLE, load, lateness: 1 },
  }));
  const overload = new Overload();
  expect(overload.review(rooms, 0.5)).toEqual([]);
  expect(overload.review(rooms, 0.5)).toEqual([rooms[0]]);
  for (let windows = 0; windows < 20; windows++) overload.review(rooms, 1);
  expect(rooms.map(({ pace }) => pace)).toEqual(["half ticks", "half ticks", "full"]);
});

test("a worker without rooms has nothing to review", () => {
  const overload = new Overload();
  for (let windows = 0; windows < 10; windows++) expect(overload.review([], 1)).toEqual([]);
});

describe("the gauge of a room", () => {
  test("tells what ticks cost and how even they are", () => {
    const gauge = new TickGauge(0);
    // Due every 50 ms: on time, 10 ms late, on time, 10 ms late ...
    for (let tick = 0; tick < 20; tick++) {
      const dueMs = tick * INTERVAL_MS;
      const beganMs = dueMs + (tick % 2) * 10;
      gauge.add(beganMs, beganMs + 4, dueMs, INTERVAL_MS);
    }
    const stats = gauge.take(1_000);
    expect(stats.ticks).toBe(20);
    expect(stats.stepMs).toBeCloseTo(4);
    expect(stats.load).toBeCloseTo(0.08);
    expect(stats.lateness).toBeCloseTo(0.1);
    expect(stats.jitterMs).toBeCloseTo((19 * 10) / 20);
    expect(stats.instability).toBeCloseTo(20 / INTERVAL_MS);
  });

  test("begins anew with each window", () => {
    const gauge = new TickGauge(0);
    gauge.add(0, 5, 0, INTERVAL_MS);
    gauge.take(1_000);
    expect(gauge.take(2_000)).toMatchObject({ ticks: 0, load: 0, stepMs: 0 });
  });
});

describe("a room of an overloaded worker", () => {
  test("applies two ticks in one step, sends them in one STATE, and loses nothing of what was said", async () => {
    let stepMs = 0;
    Table.onHook = (hook) => {
      if (hook === "onTick") harness.time.stall(stepMs);
    };
    const harness = new RoomHarness();
    harness.utilization = 1;
    const [client] = await harness.seated("a");
    if (client === undefined) throw new Error("nobody is there");
    stepMs = 70;
    await harness.time.advance(5_000);
    stepMs = 0;
    // Still slow: it takes three calm windows.
    const before = client.ofType(ServerMessage.STATE).length;
    const startMs = client.ofType(ServerMessage.STATE).at(-1)?.[2] ?? 0;
    for (let seq = 1; seq <= 20; seq++) {
      say(client, seq, "add", seq);
      await harness.time.advance(1_000 / 20);
    }
    const states = client.ofType(ServerMessage.STATE).slice(before);
    expect(states.length).toBeLessThanOrEqual(11);
    expect(states.length).toBeGreaterThanOrEqual(9);
    // Room time goes on as ever.
    expect((states.at(-1)?.[2] ?? 0) - startMs).toBeGreaterThan(850);
    await harness.time.advance(200);
    expect(harness.table.applied.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 1),
    );
    harness.utilization = 0;
    await harness.time.advance(10_000);
    const calm = client.ofType(ServerMessage.STATE).length;
    await harness.time.advance(1_000);
    expect(client.ofType(ServerMessage.STATE).length - calm).toBe(Table.tickRate);
  });
});
