import { expect, it } from "vitest";
import { Durations } from "../../../client-sim/bots/durations.ts";
import { Counts, Measurements, StateSequence } from "../../../client-sim/bots/measurements.ts";

const state = { bytes: 50, latencyMs: 3, intervalMs: 50, missingTicks: 1 };

function info(tick: number, receivedAtMs: number) {
  return { tick, receivedAtMs, roomTimeMs: tick * 50, ack: 0, snapshot: false, bytes: 50 };
}

it("gives percentiles to within a thousandth, and the largest value", () => {
  const durations = new Durations();
  for (let value = 1; value <= 10_000; value++) durations.record(value / 10);
  const { p50, p99, p999, max } = durations.percentiles();
  for (const [actual, expected] of [
    [p50, 500],
    [p99, 990],
    [p999, 999],
    [max, 1_000],
  ] as const) {
    expect(Math.abs((actual ?? 0) / expected - 1)).toBeLessThan(0.001);
  }
});

it("takes a duration below zero as zero, and one beyond its first table as it is", () => {
  const durations = new Durations();
  durations.record(-2);
  expect(durations.percentiles().max).toBe(0);
  durations.record(3_600_000);
  expect((durations.percentiles().max ?? 0) / 3_600_000).toBeCloseTo(1, 3);
});

it("says null, not 0, of what was never recorded", () => {
  expect(new Durations().percentiles()).toEqual({ p50: null, p99: null, p999: null, max: null });
});

it("measures in the steady window only", () => {
  const measurements = new Measurements();
  measurements.recordState(state);
  measurements.recordLoopDelay(5);
  measurements.recordSkippedInputs(9);
  measurements.beginSteady(1_000);
  measurements.recordState(state);
  measurements.recordState({ ...state, intervalMs: undefined });
  measurements.recordLoopDelay(7);
  measurements.recordSkippedInputs(2);
  measurements.endSteady(3_000);
  measurements.recordState({ ...state, latencyMs: 900 });
  measurements.recordLoopDelay(900);
  expect(measurements).toMatchObject({
    updates: 4,
    steadyUpdates: 2,
    steadyBytes: 100,
    missingTicks: 2,
    skippedInputs: 2,
  });
  expect(measurements.steadyMs).toBe(2_000);
  expect(measurements.latencyMs.percentiles().max).toBe(3);
  expect(measurements.loopDelayMs.percentiles().max).toBe(7);
});

it("has a window of no length when the simulation ended before it", () => {
  expect(new Measurements().steadyMs).toBe(0);
});

it("finds the ticks that are missing between two states of a connection, and their interval", () => {
  const states = new StateSequence();
  expect(states.next(info(7, 100))).toEqual({ intervalMs: undefined, missingTicks: 0 });
  expect(states.next(info(8, 151))).toEqual({ intervalMs: 51, missingTicks: 0 });
  expect(states.next(info(11, 300))).toEqual({ intervalMs: 149, missingTicks: 2 });
  expect(states.next(info(11, 301))).toEqual({ intervalMs: 1, missingTicks: 0 });
  states.restart();
  expect(states.next(info(40, 900))).toEqual({ intervalMs: undefined, missingTicks: 0 });
});

it("counts by code, in a stable order", () => {
  const counts = new Counts();
  for (const code of ["TIMEOUT", 1006, "ROOM_FULL", "TIMEOUT"]) counts.add(code);
  expect(JSON.stringify(counts.toObject())).toBe('{"1006":1,"ROOM_FULL":1,"TIMEOUT":2}');
  expect(counts.total).toBe(4);
});
