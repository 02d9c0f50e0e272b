/** What a worker tells of itself: heartbeats, and the share of a core its rooms take. */
import { expect, test } from "vitest";
import type { WorkerToPrimary } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { startHeartbeat } from "../../../server/worker/heartbeat.ts";
import { StepLoad } from "../../../server/worker/step-load.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

type Heartbeat = Extract<WorkerToPrimary, { type: "heartbeat" }>;

function heartbeats(time: SimulatedTime): Heartbeat[] {
  const sent: Heartbeat[] = [];
  let rooms = 0;
  startHeartbeat(time, { send: (message) => void sent.push(message as Heartbeat) }, () => ({
    rooms: ++rooms,
    clients: 2 * rooms,
    tickLoad: rooms / 10,
    roomsUnrecorded: 0,
  }));
  return sent;
}

test("heartbeats come at their interval, with what is so at that time", async () => {
  const time = new SimulatedTime(777);
  const sent = heartbeats(time);
  await time.advance(LIMITS.heartbeatMs - 1);
  expect(sent).toEqual([]);
  await time.advance(1 + 2 * LIMITS.heartbeatMs);
  expect(sent.map(({ stats: { rooms, clients, tickLoad } }) => [rooms, clients, tickLoad])).toEqual([
    [1, 2, 0.1],
    [2, 4, 0.2],
    [3, 6, 0.3],
  ]);
  for (const { stats } of sent) {
    expect(stats.eventLoopDelayMs).toBe(0);
    expect(stats.rssBytes).toBeGreaterThan(stats.heapBytes);
    expect(stats.heapBytes).toBeGreaterThan(1_000_000);
    expect(stats.cpuMs).toBeGreaterThan(0);
  }
});

test("a heartbeat tells how late it is, and the next one does not count that again", async () => {
  const time = new SimulatedTime();
  const sent = heartbeats(time);
  time.stall(LIMITS.heartbeatMs + 120);
  await time.advance(0);
  await time.advance(LIMITS.heartbeatMs);
  expect(sent.map(({ stats }) => stats.eventLoopDelayMs)).toEqual([120, 0]);
});

test("the load is the share of the time since it was last asked for", async () => {
  const time = new SimulatedTime();
  const load = new StepLoad(time);
  expect(load.take()).toBe(0);
  load.add(20);
  load.add(30);
  await time.advance(200);
  expect(load.take()).toBe(0.25);
  await time.advance(200);
  expect(load.take()).toBe(0);
  load.add(500);
  await time.advance(100);
  expect(load.take()).toBe(1);
});
