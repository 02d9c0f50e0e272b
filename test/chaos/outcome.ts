/** What a case has found: what `--json` prints, and the bounds that it is held against. */
import type { Percentiles } from "../../client-sim/bots/durations.ts";

export type Pauses = Pick<Percentiles, "p50" | "p99" | "max">;

export type Outcome = {
  /** Breaks after which a client went on over the same connection, and over a new one. */
  readonly socketsKept: number;
  readonly socketsResumed: number;
  /** From a client's last state before a break to its first one after; null when there was none. */
  readonly pauseMs: Pauses;
  /** Numbered messages of clients, as the room has counted them. */
  readonly inputsLost: number;
  readonly inputsDoubled: number;
  /** Numbered messages of the room, as the clients have counted them. */
  readonly eventsLost: number;
  readonly eventsDoubled: number;
  /** Ticks that a client was not told of though nothing had happened to it, and ticks that a room has taken back. */
  readonly ticksLost: number;
  /** States that differ from what others, or the same client, had of the same tick. */
  readonly divergences: number;
  readonly roomsQuarantined: number;
  /** What went wrong, in sentences. */
  readonly violations: readonly string[];
};

export type Result = {
  readonly case: string;
  readonly seed: number;
  readonly times: number;
  readonly clients: number;
} & Outcome;

/** What must hold for any case: nothing is lost, doubled or different. The rest is the case's own. */
export type Bounds = {
  /** Of all breaks. */
  readonly keptShareMin?: number;
  readonly pauseP99MsMax?: number;
  readonly pauseMsMax?: number;
  /** Exactly. */
  readonly roomsQuarantined: number;
};

const NOTHING: readonly (readonly [keyof Outcome, string])[] = [
  ["inputsLost", "inputs lost"],
  ["inputsDoubled", "inputs doubled"],
  ["eventsLost", "events lost"],
  ["eventsDoubled", "events doubled"],
  ["ticksLost", "ticks lost"],
  ["divergences", "divergences"],
];

/** @returns a sentence for each bound that was missed; what was not measured keeps no bound */
export function missedBounds(outcome: Outcome, bounds: Bounds): string[] {
  const { socketsKept, socketsResumed, pauseMs, roomsQuarantined } = outcome;
  const missed: string[] = [];
  for (const [name, words] of NOTHING) {
    if (outcome[name] !== 0) missed.push(`There were ${outcome[name]} ${words}, and none is allowed.`);
  }
  const { keptShareMin, pauseP99MsMax, pauseMsMax } = bounds;
  if (keptShareMin !== undefined) {
    const breaks = socketsKept + socketsResumed;
    if (breaks === 0) missed.push("No socket was put to the test.");
    else if (socketsKept / breaks < keptShareMin)
      missed.push(`${socketsKept} of ${breaks} sockets were kept, less than ${keptShareMin * 100}%.`);
  }
  const tooLong = (name: string, ms: number | null, maxMs: number | undefined) => {
    if (maxMs === undefined) return;
    if (ms === null) missed.push("No pause was measured.");
    else if (ms > maxMs) missed.push(`The ${name} pause was ${ms} ms, above ${maxMs} ms.`);
  };
  tooLong("99th percentile of the", pauseMs.p99, pauseP99MsMax);
  tooLong("longest", pauseMs.max, pauseMsMax);
  if (roomsQuarantined !== bounds.roomsQuarantined)
    missed.push(
      `${roomsQuarantined} rooms were put aside, and it should have been ${bounds.roomsQuarantined}.`,
    );
  return missed;
}

/** A case that measures only some of it. */
export function emptyOutcome(): Outcome {
  return {
    socketsKept: 0,
    socketsResumed: 0,
    pauseMs: { p50: null, p99: null, max: null },
    inputsLost: 0,
    inputsDoubled: 0,
    eventsLost: 0,
    eventsDoubled: 0,
    ticksLost: 0,
    divergences: 0,
    roomsQuarantined: 0,
    violations: [],
  };
}
