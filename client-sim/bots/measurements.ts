/**
 * What a simulation counts and measures. Rates, latencies, intervals and missing ticks are of the steady window, when
 * every client has joined and its clock has settled. Joins, lost connections, errors and divergences count from the
 * start: they are faults whenever they happen.
 */
import type { StateInfo } from "../sdk/index.ts";
import { Durations } from "./durations.ts";

export class Measurements {
  readonly joinMs = new Durations();
  /** From the tick's room time to the arrival of its state. */
  readonly latencyMs = new Durations();
  /** Between the arrivals of consecutive states of one client. */
  readonly stateIntervalMs = new Durations();
  /** How late timers of this process were. */
  readonly loopDelayMs = new Durations();
  joined = 0;
  /** States received since the start; for the progress line. */
  updates = 0;
  reconnects = 0;
  rejoins = 0;
  readonly disconnects = new Counts();
  readonly errors = new Counts();
  steadyUpdates = 0;
  steadyBytes = 0;
  missingTicks = 0;
  /** Inputs that were not sent because this process was late. */
  skippedInputs = 0;
  #steadyFromMs: number | undefined;
  #steadyUntilMs: number | undefined;

  beginSteady(nowMs: number): void {
    this.#steadyFromMs = nowMs;
  }

  endSteady(nowMs: number): void {
    this.#steadyUntilMs = nowMs;
  }

  get isSteady(): boolean {
    return this.#steadyFromMs !== undefined && this.#steadyUntilMs === undefined;
  }

  /** Length of the window; 0 when the simulation ended before it. */
  get steadyMs(): number {
    return (this.#steadyUntilMs ?? 0) - (this.#steadyFromMs ?? this.#steadyUntilMs ?? 0);
  }

  recordState(state: ReceivedState): void {
    this.updates += 1;
    if (!this.isSteady) return;
    this.steadyUpdates += 1;
    this.steadyBytes += state.bytes;
    this.missingTicks += state.missingTicks;
    this.latencyMs.record(state.latencyMs);
    if (state.intervalMs !== undefined) this.stateIntervalMs.record(state.intervalMs);
  }

  recordSkippedInputs(inputs: number): void {
    if (this.isSteady) this.skippedInputs += inputs;
  }

  recordLoopDelay(ms: number): void {
    if (this.isSteady) this.loopDelayMs.record(ms);
  }
}

export type ReceivedState = Progression & { readonly bytes: number; readonly latencyMs: number };

/** How a state follows the one before it on the same connection. */
export type Progression = {
  /** Undefined for the first of a connection. */
  readonly intervalMs: number | undefined;
  readonly missingTicks: number;
};

/** The states of one connection, in the order of their arrival. */
export class StateSequence {
  #last: StateInfo | undefined;

  next(info: StateInfo): Progression {
    const last = this.#last;
    this.#last = info;
    if (last === undefined) return { intervalMs: undefined, missingTicks: 0 };
    return {
      intervalMs: info.receivedAtMs - last.receivedAtMs,
      // A step that is no tick, such as a shutdown, repeats the number.
      missingTicks: Math.max(0, info.tick - last.tick - 1),
    };
  }

  /** The connection was lost: what comes next follows nothing. */
  restart(): void {
    this.#last = undefined;
  }
}

/** How often each code occurred. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(code: string | number): void {
    const key = String(code);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get total(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  toObject(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }
}
