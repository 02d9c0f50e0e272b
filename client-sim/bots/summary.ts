/** The result of a simulation: what `--json` prints, and the bounds it is held against. */
import { type Percentiles, rounded } from "./durations.ts";
import type { Bounds } from "./options.ts";
import type { Simulation } from "./simulation.ts";

/** Values in ms are null when nothing was measured. */
export type Summary = {
  readonly room: string;
  readonly clients: number;
  readonly joined: number;
  /** From the moment a client was due to join to its first state. */
  readonly joinMs: Percentiles;
  /** Length of the steady window. */
  readonly steadySeconds: number;
  readonly updatesPerClientPerSecond: number;
  readonly missingTicks: number;
  /** Of messages with a state, without WebSocket framing. */
  readonly bytesPerClientPerSecond: number;
  /** From the tick's room time to the arrival of its state. */
  readonly latencyMs: Percentiles;
  /** Between the arrivals of consecutive states of one client. */
  readonly tickIntervalMs: Omit<Percentiles, "p999">;
  readonly divergences: number;
  /** States that could be compared with another client's. */
  readonly comparedStates: number;
  /** Sessions that went on over a new connection. */
  readonly reconnects: number;
  /** Sessions that were lost and replaced by new ones. */
  readonly rejoins: number;
  /** Lost connections by close code. */
  readonly disconnects: Readonly<Record<string, number>>;
  /** Failed joins, lost sessions and refused messages by error code. */
  readonly errors: Readonly<Record<string, number>>;
  /** How late timers of the simulator's own process were. */
  readonly loopDelayMs: Percentiles;
  /** Inputs that were not sent because of that. */
  readonly skippedInputs: number;
};

export function summarise(simulation: Simulation, room: string, clients: number): Summary {
  const { measurements: m, divergence } = simulation;
  const clientSeconds = (m.joined * m.steadyMs) / 1000;
  const perClientSecond = (count: number) => (clientSeconds === 0 ? 0 : rounded(count / clientSeconds));
  const { p50, p99, max } = m.stateIntervalMs.percentiles();
  return {
    room,
    clients,
    joined: m.joined,
    joinMs: m.joinMs.percentiles(),
    steadySeconds: rounded(m.steadyMs / 1000),
    updatesPerClientPerSecond: perClientSecond(m.steadyUpdates),
    missingTicks: m.missingTicks,
    bytesPerClientPerSecond: perClientSecond(m.steadyBytes),
    latencyMs: m.latencyMs.percentiles(),
    tickIntervalMs: { p50, p99, max },
    divergences: divergence.divergences,
    comparedStates: divergence.compared,
    reconnects: m.reconnects,
    rejoins: m.rejoins,
    disconnects: m.disconnects.toObject(),
    errors: m.errors.toObject(),
    loopDelayMs: m.loopDelayMs.percentiles(),
    skippedInputs: m.skippedInputs,
  };
}

/** @returns a sentence for each bound that was missed; what was not measured keeps no bound */
export function missedBounds(summary: Summary, bounds: Bounds): string[] {
  const { joined, divergences, comparedStates, missingTicks, steadySeconds, latencyMs } = summary;
  const { minJoined, maxP99Ms, maxDivergences, maxMissingTicks } = bounds;
  const missed: string[] = [];
  if (joined < minJoined) missed.push(`--min-joined ${minJoined}: ${joined} joined.`);
  if (maxP99Ms !== undefined && !(latencyMs.p99 !== null && latencyMs.p99 <= maxP99Ms)) {
    const found = latencyMs.p99 === null ? "nothing was measured" : `it was ${latencyMs.p99} ms`;
    missed.push(`--max-p99-ms ${maxP99Ms}: ${found}.`);
  }
  if (maxDivergences !== undefined && !(comparedStates > 0 && divergences <= maxDivergences)) {
    const found = comparedStates === 0 ? "no two clients could be compared" : `there were ${divergences}`;
    missed.push(`--max-divergences ${maxDivergences}: ${found}.`);
  }
  if (maxMissingTicks !== undefined && !(steadySeconds > 0 && missingTicks <= maxMissingTicks)) {
    const found = steadySeconds === 0 ? "nothing was measured" : `there were ${missingTicks}`;
    missed.push(`--max-missing-ticks ${maxMissingTicks}: ${found}.`);
  }
  return missed;
}
