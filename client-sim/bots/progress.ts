/** The live line on stderr: rewritten in place on a terminal, else a new line now and then. */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import type { Simulation } from "./simulation.ts";

const REWRITE_MS = 500;
const LINE_MS = 5_000;
const ERASE_LINE = "\r\u001b[K";

/** The stream the line goes to. */
export type ProgressStream = { readonly isTTY?: boolean; write(text: string): unknown };

/** @returns ends it, and clears the line on a terminal */
export function showProgress(
  simulation: Simulation,
  scheduler: Scheduler,
  stream: ProgressStream,
): () => void {
  const isTerminal = stream.isTTY === true;
  const rate = new UpdateRate();
  const show = () => {
    const line = progressLine(simulation, rate.next(simulation.measurements.updates, simulation.elapsedMs));
    stream.write(isTerminal ? ERASE_LINE + line : `${line}\n`);
  };
  let timer: TimerHandle;
  const arm = () => {
    timer = scheduler.setTimeout(
      () => {
        show();
        arm();
      },
      isTerminal ? REWRITE_MS : LINE_MS,
    );
  };
  arm();
  return () => {
    scheduler.clearTimeout(timer);
    if (isTerminal) stream.write(ERASE_LINE);
  };
}

export function progressLine(simulation: Simulation, updatesPerSecond: number): string {
  const { measurements, divergence, phase, elapsedMs, connected } = simulation;
  const latency = measurements.latencyMs.percentiles().p99;
  return [
    `${(elapsedMs / 1000).toFixed(0)} s ${phase}`,
    `${connected} connected`,
    `${Math.round(updatesPerSecond).toLocaleString("en")} updates/s`,
    `latency p99 ${latency === null ? "-" : `${latency.toFixed(1)} ms`}`,
    `${divergence.divergences} divergences`,
    `${measurements.disconnects.total} disconnects`,
    `${measurements.errors.total} errors`,
  ].join(", ");
}

class UpdateRate {
  #updates = 0;
  #atMs = 0;

  /** @returns updates per second since the last call */
  next(updates: number, atMs: number): number {
    const perSecond = ((updates - this.#updates) * 1000) / Math.max(1, atMs - this.#atMs);
    this.#updates = updates;
    this.#atMs = atMs;
    return perSecond;
  }
}
