/**
 * The course of a load test. It takes clock, bots and the order to end as parameters, so that it runs in simulated
 * time as well.
 *
 *     ramp: join one by one -> settle: clocks converge -> steady: measure -> rest: compare -> leave
 */
import type { Scheduler } from "../../shared/time.ts";
import { Bot } from "./bot.ts";
import { DivergenceDetector } from "./divergence.ts";
import { InputPacer } from "./input-pacer.ts";
import { watchLoopDelay } from "./loop-delay.ts";
import { Measurements } from "./measurements.ts";
import type { Player } from "./strategies/strategy.ts";
import { wait } from "./wait.ts";

export const SIMULATION_LIMITS = {
  /** Joins under way at once; the others wait, which counts as time to join. */
  joinsPendingMax: 256,
  /** Between the last join and the steady window: the bots' clocks converge with their first pings. */
  settleMs: 1_000,
  /** Until nothing is on its way any more in rooms without ticks; added to the simulated round trip. */
  restMs: 500,
  /** For all clients to leave. */
  leaveMs: 5_000,
} as const;

export type SimulationPhase = "ramp" | "steady" | "leave";

export type SimulationSetup = {
  readonly clients: number;
  /** Over which the joins are spread. */
  readonly rampMs: number;
  /** Length of the steady window. */
  readonly durationMs: number;
  /** Of each bot. */
  readonly inputsPerSecond: number;
  /** The longest round trip that the network conditions add. */
  readonly addedRoundTripMs: number;
  readonly scheduler: Scheduler;
  /** Lets the bot of this number join. */
  readonly join: (bot: number) => Promise<Player>;
  /** Ends the simulation early. */
  readonly signal: AbortSignal;
};

export class Simulation {
  readonly measurements = new Measurements();
  readonly divergence = new DivergenceDetector();
  readonly #setup: SimulationSetup;
  readonly #bots: readonly Bot[];
  readonly #pacer: InputPacer;
  readonly #startMs: number;
  #phase: SimulationPhase = "ramp";

  constructor(setup: SimulationSetup) {
    this.#setup = setup;
    const { scheduler, clients, inputsPerSecond } = setup;
    const { measurements, divergence } = this;
    this.#bots = Array.from(
      { length: clients },
      (_, index) => new Bot({ join: () => setup.join(index), scheduler, measurements, divergence }),
    );
    this.#pacer = new InputPacer({
      scheduler,
      bots: clients,
      inputsPerSecond,
      act: (index) => this.#bots[index]?.act(),
      onSkip: (turns) => measurements.recordSkippedInputs(turns),
    });
    this.#startMs = scheduler.now();
  }

  get phase(): SimulationPhase {
    return this.#phase;
  }

  get elapsedMs(): number {
    return this.#setup.scheduler.now() - this.#startMs;
  }

  /** Bots with a live connection. */
  get connected(): number {
    return this.#bots.reduce((count, bot) => count + Number(bot.isConnected), 0);
  }

  /** Settles when all bots have left or have had time enough to; never rejects for what a server does. */
  async run(): Promise<void> {
    const { scheduler } = this.#setup;
    const stopWatching = watchLoopDelay(scheduler, (ms) => this.measurements.recordLoopDelay(ms));
    this.#pacer.start();
    await this.#ramp();
    if (this.measurements.joined > 0) await this.#measure();
    this.#pacer.stop();
    stopWatching();
    this.#phase = "leave";
    await this.#compareAtRest();
    await this.#leave();
  }

  async #ramp(): Promise<void> {
    const { clients, rampMs, scheduler, signal } = this.#setup;
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const pending = new Set<Promise<void>>();
    for (const [index, bot] of this.#bots.entries()) {
      const dueMs = this.#startMs + (index * rampMs) / clients;
      if (scheduler.now() < dueMs) await wait(scheduler, dueMs - scheduler.now(), signal);
      if (pending.size >= SIMULATION_LIMITS.joinsPendingMax) await Promise.race([aborted, ...pending]);
      if (signal.aborted) return;
      const joining = bot.join(dueMs).then(() => {
        pending.delete(joining);
      });
      pending.add(joining);
    }
    await Promise.race([aborted, Promise.all(pending)]);
  }

  async #measure(): Promise<void> {
    const { scheduler, durationMs, signal } = this.#setup;
    await wait(scheduler, SIMULATION_LIMITS.settleMs, signal);
    if (signal.aborted) return;
    this.#phase = "steady";
    this.measurements.beginSteady(scheduler.now());
    await wait(scheduler, durationMs, signal);
    this.measurements.endSteady(scheduler.now());
  }

  async #compareAtRest(): Promise<void> {
    const { scheduler, signal, addedRoundTripMs } = this.#setup;
    if (signal.aborted || !this.#bots.some((bot) => bot.isUnticked)) return;
    await wait(scheduler, SIMULATION_LIMITS.restMs + addedRoundTripMs, signal);
    for (const bot of this.#bots) bot.compareAtRest();
  }

  async #leave(): Promise<void> {
    const finished = new AbortController();
    const everybody = Promise.all(this.#bots.map((bot) => bot.leave())).then(() => finished.abort());
    await Promise.race([everybody, wait(this.#setup.scheduler, SIMULATION_LIMITS.leaveMs, finished.signal)]);
  }
}
