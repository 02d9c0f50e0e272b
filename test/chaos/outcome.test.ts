import { describe, expect, it } from "vitest";
import { emptyOutcome, missedBounds, type Outcome } from "./outcome.ts";
import { formatReport } from "./report.ts";
import { Violations } from "./violations.ts";

const BOUNDS = { keptShareMin: 0.99, pauseP99MsMax: 250, pauseMsMax: 900, roomsQuarantined: 0 };

function outcome(changes: Partial<Outcome> = {}): Outcome {
  const pauseMs = { p50: 40, p99: 250, max: 900 };
  return { ...emptyOutcome(), socketsKept: 99, socketsResumed: 1, pauseMs, ...changes };
}

describe("bounds", () => {
  it("are kept up to their very values", () => {
    expect(missedBounds(outcome(), BOUNDS)).toEqual([]);
  });

  it.each([
    "inputsLost",
    "inputsDoubled",
    "eventsLost",
    "eventsDoubled",
    "ticksLost",
    "divergences",
  ] as const)("hold %s to none, in every case", (name) => {
    const missed = missedBounds(outcome({ [name]: 2 }), { roomsQuarantined: 0 });
    expect(missed).toEqual([expect.stringMatching(/^There were 2 .* none is allowed\.$/)]);
  });

  it.each([
    ["too few sockets kept", { socketsKept: 98, socketsResumed: 2 }, "98 of 100 sockets"],
    ["no socket at all", { socketsKept: 0, socketsResumed: 0 }, "No socket"],
    [
      "a long p99",
      { pauseMs: { p50: 40, p99: 250.1, max: 300 } },
      "99th percentile of the pause was 250.1 ms",
    ],
    ["a long pause", { pauseMs: { p50: 40, p99: 250, max: 901 } }, "longest pause was 901 ms"],
    ["a room put aside", { roomsQuarantined: 1 }, "1 rooms were put aside"],
  ])("are missed by %s, and say so in a sentence", (_, changes, part) => {
    const missed = missedBounds(outcome(changes), BOUNDS);
    expect(missed).toEqual([expect.stringContaining(part)]);
    expect(missed[0]).toMatch(/^[A-Z0-9].*\.$/);
  });

  it("are not kept by what was not measured", () => {
    const pauseMs = { p50: null, p99: null, max: null };
    expect(missedBounds(outcome({ pauseMs }), { pauseP99MsMax: 250, roomsQuarantined: 0 })).toEqual([
      "No pause was measured.",
    ]);
  });

  it("ask for rooms to be put aside where they have to be", () => {
    expect(missedBounds(outcome(), { roomsQuarantined: 2 })).toHaveLength(1);
    expect(missedBounds(outcome({ roomsQuarantined: 2 }), { roomsQuarantined: 2 })).toEqual([]);
  });
});

describe("the report", () => {
  const size = { case: "kill", seed: 7, times: 3, clients: 20 };

  it("says all that was found", () => {
    const text = formatReport({ ...size, ...outcome({ inputsLost: 11, eventsDoubled: 12 }) });
    for (const part of [
      "3 times, 20 clients, seed 7",
      "99 kept, 1 resumed",
      "p99 250.0 ms",
      "11 lost",
      "12 doubled",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/Every bound was kept\.\n$/);
  });

  it("ends with the violations, and shows what was not measured as such", () => {
    const pauseMs = { p50: null, p99: null, max: null };
    const text = formatReport({ ...size, ...outcome({ pauseMs, violations: ["One.", "Two."] }) });
    expect(text).toContain("p50 -, p99 -, max -");
    expect(text).toMatch(/Violation: One\.\nViolation: Two\.\n$/);
  });
});

describe("violations", () => {
  it("are told once each, with how often", () => {
    const violations = new Violations();
    for (const sentence of ["A.", "B.", "A."]) violations.add(sentence);
    expect(violations.sentences).toEqual(["A. (2 times)", "B."]);
  });

  it("do not grow without limit", () => {
    const violations = new Violations();
    for (let number = 0; number < 60; number++) violations.add(`${number}.`);
    violations.add("0.");
    expect(violations.sentences).toHaveLength(51);
    expect(violations.sentences[0]).toBe("0. (2 times)");
    expect(violations.sentences.at(-1)).toBe("There were 10 further violations.");
  });
});
