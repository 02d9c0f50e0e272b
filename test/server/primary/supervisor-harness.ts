/**
 * A supervisor on simulated time over processes that are simulated too: by default they become ready, send heartbeats
 * and die when they are killed, as real ones do.
 */
import assert from "node:assert/strict";
import type { PrimaryToWorker, WorkerStats } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { Supervisor } from "../../../server/primary/supervisor.ts";
import type { WorkerProcess } from "../../../server/primary/worker-slot.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

export const HANG_TIMEOUT_MS = 3_000;
export const DRAIN_TIMEOUT_MS = 10_000;

const STATS: WorkerStats = {
  rooms: 3,
  clients: 12,
  tickLoad: 0.25,
  eventLoopDelayMs: 1,
  roomsUnrecorded: 0,
  heapBytes: 1e6,
  rssBytes: 5e7,
  cpuMs: 100,
};

/** How a process behaves; a test changes it before or after the process starts. */
export type Behaviour = {
  /** Undefined: never ready. */
  readyAfterMs: number | undefined;
  /** From being told to drain to `drained`; undefined: never. */
  drainedAfterMs: number | undefined;
  /** Ends by itself when it has drained. */
  exitsWhenDrained: boolean;
  /** Ends on SIGTERM. */
  obeysSigterm: boolean;
  /** From a signal to its death. */
  dyingMs: number;
  /** Which of the two signs of death comes first, and how much later the other; undefined: never. */
  disconnectsFirst: boolean;
  secondSignAfterMs: number | undefined;
};

export const WELL_BEHAVED: Behaviour = {
  readyAfterMs: 200,
  drainedAfterMs: 100,
  exitsWhenDrained: false,
  obeysSigterm: true,
  dyingMs: 5,
  disconnectsFirst: false,
  secondSignAfterMs: 2,
};

export class SimulatedProcess implements WorkerProcess {
  readonly id: number;
  readonly pid: number | undefined;
  readonly slot: number;
  readonly behaviour: Behaviour;
  readonly forkedAtMs: number;
  readonly received: string[] = [];
  readonly signals: { readonly signal: string; readonly atMs: number }[] = [];
  /** Runs, and could do something. */
  isAlive = true;
  hasExited = false;
  wasReady = false;
  /** By its own doing. */
  hasCrashed = false;
  /** Since then it does nothing at all. */
  hungSinceMs: number | undefined;
  readonly #world: SupervisorWorld;

  constructor(world: SupervisorWorld, id: number, slot: number, behaviour: Behaviour) {
    this.#world = world;
    this.id = id;
    this.pid = world.isOutOfProcesses ? undefined : 1_000 + id;
    this.slot = slot;
    this.behaviour = behaviour;
    this.forkedAtMs = world.time.now();
    if (behaviour.readyAfterMs !== undefined) this.#after(behaviour.readyAfterMs, () => this.#becomeReady());
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.signals.push({ signal, atMs: this.#world.time.now() });
    if (!this.isAlive || (signal === "SIGTERM" && !this.behaviour.obeysSigterm)) return;
    this.die(null, signal);
  }

  send(message: PrimaryToWorker): void {
    this.received.push(message.type);
    if (message.type !== "drain" || this.behaviour.drainedAfterMs === undefined) return;
    this.#after(this.behaviour.drainedAfterMs, () => {
      this.#world.supervisor.onMessage(this.id, { type: "drained" });
      if (this.behaviour.exitsWhenDrained) this.die(0, null);
    });
  }

  die(code: number | null = 1, signal: string | null = null): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    const { time, supervisor } = this.#world;
    const { dyingMs, disconnectsFirst, secondSignAfterMs } = this.behaviour;
    const exit = (): void => {
      this.hasExited = true;
      supervisor.onExit(this.id, code, signal);
    };
    const disconnect = (): void => supervisor.onDisconnect(this.id);
    const [first, second] = disconnectsFirst ? [disconnect, exit] : [exit, disconnect];
    time.setTimeout(first, dyingMs);
    // A process always ends; only its channel may stay open, held by another process.
    const secondMs = secondSignAfterMs ?? (disconnectsFirst ? 0 : undefined);
    if (secondMs !== undefined) time.setTimeout(second, dyingMs + secondMs);
  }

  crash(): void {
    this.hasCrashed = true;
    this.die();
  }

  hang(): void {
    this.hungSinceMs ??= this.#world.time.now();
  }

  #becomeReady(): void {
    this.wasReady = true;
    this.#world.supervisor.onMessage(this.id, { type: "ready", roomTypes: [] });
    this.#beat();
  }

  #beat(): void {
    this.#world.supervisor.onMessage(this.id, { type: "heartbeat", stats: STATS });
    this.#after(LIMITS.heartbeatMs, () => this.#beat());
  }

  #after(ms: number, act: () => void): void {
    this.#world.time.setTimeout(() => {
      if (this.isAlive && this.hungSinceMs === undefined) act();
    }, ms);
  }
}

export class SupervisorWorld {
  readonly time = new SimulatedTime();
  readonly supervisor: Supervisor;
  readonly processes: SimulatedProcess[] = [];
  /** Of each process, whether it was told to rehearse. */
  readonly rehearsing: boolean[] = [];
  readonly ready: number[] = [];
  readonly ending: number[] = [];
  readonly lost: { readonly id: number; readonly atMs: number }[] = [];
  giveUps = 0;
  /** Of the processes that start from now on. */
  behaviour: Behaviour;
  forkFails = false;
  readonly forkFailuresAtMs: number[] = [];
  isOutOfProcesses = false;

  constructor(workers: number, behaviour = WELL_BEHAVED, seed = 1) {
    this.behaviour = behaviour;
    this.supervisor = new Supervisor({
      workers,
      scheduler: this.time,
      random: createRandom(seed).next,
      hangTimeoutMs: HANG_TIMEOUT_MS,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      fork: (slot, rehearses) => this.#fork(slot, rehearses),
      onReady: (workerId) => this.ready.push(workerId),
      onEnding: (id) => void this.ending.push(id),
      onLost: (id) => this.lost.push({ id, atMs: this.time.now() }),
      onGiveUp: () => this.giveUps++,
      log: { warn: () => undefined },
    });
    this.supervisor.start();
  }

  #fork(slot: number, rehearses: boolean): SimulatedProcess {
    if (this.forkFails) {
      this.forkFailuresAtMs.push(this.time.now());
      throw new Error("no process can be created");
    }
    for (const each of this.processes) {
      assert(each.slot !== slot || each.hasExited, "a slot never has two processes");
    }
    const process = new SimulatedProcess(this, this.processes.length + 1, slot, { ...this.behaviour });
    this.processes.push(process);
    this.rehearsing.push(rehearses);
    return process;
  }

  /** The process of a slot that was started last. */
  process(slot: number): SimulatedProcess {
    const process = this.processes.findLast((each) => each.slot === slot);
    assert(process !== undefined, "the slot has had a process");
    return process;
  }

  states(): string[] {
    return this.supervisor.status().workers.map(({ state }) => state);
  }
}
