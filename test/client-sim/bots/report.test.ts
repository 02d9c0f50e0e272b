import { describe, expect, it } from "vitest";
import type { Bounds } from "../../../client-sim/bots/options.ts";
import { formatReport } from "../../../client-sim/bots/report.ts";
import { missedBounds, type Summary } from "../../../client-sim/bots/summary.ts";

const NOTHING = { p50: null, p99: null, p999: null, max: null };
const GOOD: Summary = {
  room: "arena",
  clients: 200,
  joined: 200,
  joinMs: { p50: 12.5, p99: 30, p999: 40, max: 41.25 },
  steadySeconds: 30,
  updatesPerClientPerSecond: 19.99,
  missingTicks: 0,
  bytesPerClientPerSecond: 4_321.5,
  latencyMs: { p50: 1, p99: 4.5, p999: 9, max: 11 },
  tickIntervalMs: { p50: 50, p99: 52, max: 61 },
  divergences: 0,
  comparedStates: 12_000,
  reconnects: 0,
  rejoins: 0,
  disconnects: {},
  errors: {},
  loopDelayMs: { p50: 0.1, p99: 2, p999: 3, max: 4 },
  skippedInputs: 0,
};
const NONE: Bounds = {
  minJoined: 1,
  maxP99Ms: undefined,
  maxDivergences: undefined,
  maxMissingTicks: undefined,
};

describe("bounds", () => {
  it("are kept when the summary just reaches them", () => {
    const summary = { ...GOOD, missingTicks: 3, divergences: 2 };
    const bounds = { minJoined: 200, maxP99Ms: 4.5, maxDivergences: 2, maxMissingTicks: 3 };
    expect(missedBounds(summary, bounds)).toEqual([]);
  });

  it.each([
    [{ joined: 0 }, {}, "--min-joined 1: 0 joined."],
    [{ joined: 199 }, { minJoined: 200 }, "--min-joined 200: 199 joined."],
    [{}, { maxP99Ms: 4 }, "--max-p99-ms 4: it was 4.5 ms."],
    [{ divergences: 1 }, { maxDivergences: 0 }, "--max-divergences 0: there were 1."],
    [{ missingTicks: 5 }, { maxMissingTicks: 4 }, "--max-missing-ticks 4: there were 5."],
    // What was not measured keeps no bound.
    [{ latencyMs: NOTHING }, { maxP99Ms: 100 }, "--max-p99-ms 100: nothing was measured."],
    [{ comparedStates: 0 }, { maxDivergences: 9 }, "--max-divergences 9: no two clients could be compared."],
    [{ steadySeconds: 0 }, { maxMissingTicks: 9 }, "--max-missing-ticks 9: nothing was measured."],
  ])("are missed by %o with %o", (changes, bounds, sentence) => {
    expect(missedBounds({ ...GOOD, ...changes }, { ...NONE, ...bounds })).toEqual([sentence]);
  });
});

describe("the report", () => {
  it("is a table", () => {
    expect(formatReport(GOOD)).toMatchInlineSnapshot(`
      "arena: 200 of 200 clients joined; steady window of 30 s

        milliseconds                               p50         p99       p99.9         max
        time to join                             12.50       30.00       40.00       41.25
        latency of states                         1.00        4.50        9.00       11.00
        interval of states                       50.00       52.00                   61.00
        delay of this process' own timers         0.10        2.00        3.00        4.00

        updates per client and second            19.99
        bytes per client and second            4,321.5
        missing ticks                                0
        divergences                       0 of 12,000 states compared
        reconnects                                   0
        rejoins                                      0
        disconnects                                  0
        errors                                       0

      Joins, reconnects, rejoins, disconnects, errors and divergences are counted from the start,
      everything else in the steady window after the ramp.
      "
    `);
  });

  it("names lost connections and errors", () => {
    const text = formatReport({ ...GOOD, disconnects: { 1006: 2, 4503: 1 }, errors: { ROOM_FULL: 3 } });
    expect(text).toMatch(/disconnects +2 1006, 1 4503 SERVER_SHUTTING_DOWN\n/);
    expect(text).toMatch(/errors +3 ROOM_FULL\n/);
  });

  it("shows what was not measured as such", () => {
    expect(formatReport({ ...GOOD, latencyMs: NOTHING })).toMatch(/latency of states( +-){4}\n/);
  });

  it("says when its own process was too late to be trusted", () => {
    const warning = /This process was late itself/;
    expect(formatReport(GOOD)).not.toMatch(warning);
    expect(formatReport({ ...GOOD, skippedInputs: 1 })).toMatch(warning);
    expect(formatReport({ ...GOOD, loopDelayMs: { ...GOOD.loopDelayMs, p99: 30 } })).toMatch(warning);
  });
});
