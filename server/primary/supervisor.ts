/**
 * Keeps one worker process alive per slot: starts it, watches its heartbeats, kills it when it hangs, starts another
 * when it dies, and lets it finish when the server stops. A slot never has two processes.
 *
 *   starting --ready--> ready --drain--> draining
 *      |                  |                  |
 *      +------------------+---------+--------+     killed, exited or disconnected
 *                                   v
 *                                 ending           until it has exited *and* disconnected
 *                                   |
 *                        +----------+---------+
 *                        v                    v
 *   starting <--backoff-- crashed          stopped  (while the server drains)
 */
import assert from "node:assert/strict";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import type { RoomTypeInfo, WorkerStats, WorkerToPrimary } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import { backoffMs } from "./backoff.ts";
import {
  type Death,
  type Ending,
  newSlot,
  type Serving,
  type Slot,
  type SlotState,
  type Starting,
  type WorkerProcess,
} from "./worker-slot.ts";

export type SupervisorMessage = Extract<
  WorkerToPrimary,
  { readonly type: "ready" | "heartbeat" | "drained" }
>;

export type SupervisorOptions = {
  /** Worker processes to keep alive. */
  readonly workers: number;
  readonly scheduler: Scheduler;
  /** Gives numbers at least 0 and below 1. */
  readonly random: () => number;
  readonly hangTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /**
   * Starts a process. That it throws, or that the process has no pid, counts as a start that failed.
   *
   * @param rehearses it may replay the rooms of others first; not after a crash, which that may have been
   */
  readonly fork: (slot: number, rehearses: boolean) => WorkerProcess;
  readonly onReady: (workerId: number, roomTypes: readonly RoomTypeInfo[]) => void;
  /** The first sign of its death: it serves nothing any more, and what it has sent may still come. `onLost` follows. */
  readonly onEnding: (workerId: number) => void;
  /** The process is gone, and all it sent has been read. */
  readonly onLost: (workerId: number, death: Death) => void;
  /** No worker can be started: the server has no reason to go on. */
  readonly onGiveUp: () => void;
  readonly log: { warn(fields: object, message: string): void };
};

export type WorkerStatus = {
  readonly slot: number;
  /** Runs one room alone, beside the workers there are always. */
  readonly isIsolated: boolean;
  readonly state: SlotState["kind"];
  readonly workerId: number | undefined;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** As of the last heartbeat. */
  readonly stats: WorkerStats | undefined;
};

export type SupervisorStatus = {
  /** False while workers die more often than `LIMITS.restartIntensityDeaths` in the window. */
  readonly isHealthy: boolean;
  /** Joins can be served: a worker is ready, and the server is healthy and not draining. */
  readonly isReady: boolean;
  readonly workers: readonly WorkerStatus[];
};

/** How often deadlines are looked at; hence how much later than its timeout a hung worker may be noticed. */
const CHECK_INTERVAL_MS = LIMITS.heartbeatMs;
/** After its first sign of death a process has this long for the rest, and so has one that is told to end. */
export const END_GRACE_MS = 1_000;
/** A worker that was ready for this long starts its successor with the shortest backoff again. */
export const STABLE_AFTER_MS = 30_000;
const RESTART_BACKOFF = { minMs: LIMITS.restartBackoffMinMs, maxMs: LIMITS.restartBackoffMaxMs };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  /** Slots by the id of the process they have; ids of processes that are gone are unknown. */
  readonly #slotById = new Map<number, Slot>();
  /** Times of the last deaths, at most one more than the intensity allows. */
  readonly #deathsAtMs: number[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #phase: "running" | "draining" | "givenUp" = "running";
  #checkTimer: TimerHandle | undefined;
  #drainTimer: TimerHandle | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => newSlot(index, false));
  }

  /** Starts all workers; to be called once. */
  start(): void {
    this.#scheduleCheck();
    for (const slot of this.#slots) this.#startWorker(slot);
  }

  /**
   * Starts a worker beside the others, for one room that has crashed its worker and may do so again. It is not
   * replaced when it dies, and its death says nothing of the others.
   *
   * @returns its id; `onReady` or `onLost` follows. Undefined when there are too many of them, or none can be started
   */
  isolate(): number | undefined {
    const isolated = this.#slots.filter((slot) => slot.isIsolated);
    if (this.#phase !== "running" || isolated.length >= LIMITS.isolatedWorkersMax) return undefined;
    const taken = new Set(isolated.map(({ index }) => index));
    let index = this.#options.workers;
    while (taken.has(index)) index++;
    const slot = newSlot(index, true);
    this.#slots.push(slot);
    this.#startWorker(slot);
    return slot.state.kind === "starting" ? slot.state.process.id : undefined;
  }

  /** The worker's last room is gone: an isolated one ends. */
  retire(workerId: number): void {
    const slot = this.#slotById.get(workerId);
    if (slot?.isIsolated && slot.state.kind === "ready") this.#drain(slot, slot.state);
  }

  /** Workers that take rooms. */
  ready(): { workerId: number; stats: WorkerStats | undefined }[] {
    return this.#regularSlots().flatMap(({ state }) =>
      state.kind === "ready" ? [{ workerId: state.process.id, stats: state.stats }] : [],
    );
  }

  status(): SupervisorStatus {
    const isHealthy = this.#isHealthy();
    return {
      isHealthy,
      isReady: isHealthy && this.#regularSlots().some(({ state }) => state.kind === "ready"),
      workers: this.#slots.map(({ index, isIsolated, state, restarts }) => {
        const process = "process" in state ? state.process : undefined;
        const stats = "stats" in state ? state.stats : undefined;
        return {
          slot: index,
          isIsolated,
          state: state.kind,
          workerId: process?.id,
          pid: process?.pid,
          restarts,
          stats,
        };
      }),
    };
  }

  /**
   * Tells every worker to finish and starts no more. Workers that have not finished after `drainTimeoutMs` are
   * killed.
   *
   * @returns when all processes are gone; the same promise to every caller
   */
  drain(): Promise<void> {
    if (this.#phase === "draining") return this.#drained.promise;
    this.#phase = "draining";
    this.#cancelRestarts();
    for (const slot of this.#slots) {
      const { state } = slot;
      if (state.kind === "ready") this.#drain(slot, state);
      else if (state.kind === "starting") this.#end(slot, state, "SIGKILL");
    }
    const { scheduler, drainTimeoutMs } = this.#options;
    this.#drainTimer = scheduler.setTimeout(() => this.#killDraining(), drainTimeoutMs);
    this.#resolveIfDrained();
    return this.#drained.promise;
  }

  onMessage(workerId: number, message: SupervisorMessage): void {
    const slot = this.#slotById.get(workerId);
    if (slot === undefined) return;
    const { state } = slot;
    switch (message.type) {
      case "ready":
        if (state.kind === "starting") this.#becomeReady(slot, state.process, message.roomTypes);
        break;
      case "heartbeat":
        if (state.kind !== "ready" && state.kind !== "draining") break;
        state.stats = message.stats;
        state.deadlineMs = this.#options.scheduler.now() + this.#options.hangTimeoutMs;
        break;
      case "drained":
        if (state.kind === "draining") this.#end(slot, state, "SIGTERM");
        break;
    }
  }

  onExit(workerId: number, code: number | null, signal: string | null): void {
    const slot = this.#slotById.get(workerId);
    if (slot === undefined) return;
    if (this.#phase === "running") this.#options.log.warn({ workerId, code, signal }, "worker exited");
    const ending = this.#ending(slot);
    ending.exit = { code, signal };
    if (ending.hasDisconnected) this.#gone(slot, ending);
    else this.#guard(slot, ending);
  }

  onDisconnect(workerId: number): void {
    const slot = this.#slotById.get(workerId);
    if (slot === undefined) return;
    const ending = this.#ending(slot);
    ending.hasDisconnected = true;
    if (ending.exit !== undefined) this.#gone(slot, ending);
  }

  #startWorker(slot: Slot): void {
    const { fork, scheduler, log } = this.#options;
    let process: WorkerProcess;
    try {
      process = fork(slot.index, !slot.isIsolated && slot.deathsInRow === 0);
    } catch (error) {
      log.warn({ slot: slot.index, err: error }, "worker process could not be created");
      return this.#afterDeath(slot, undefined);
    }
    slot.state = { kind: "starting", process, deadlineMs: scheduler.now() + LIMITS.workerStartMs };
    this.#slotById.set(process.id, slot);
    // The system had no process to give: there is none whose exit would tell.
    if (process.pid === undefined) this.#gone(slot, this.#ending(slot));
  }

  #becomeReady(slot: Slot, process: WorkerProcess, roomTypes: readonly RoomTypeInfo[]): void {
    const nowMs = this.#options.scheduler.now();
    const deadlineMs = nowMs + this.#options.hangTimeoutMs;
    slot.state = { kind: "ready", process, readySinceMs: nowMs, deadlineMs, stats: undefined };
    for (const each of this.#slots) each.startFailures = 0;
    this.#options.onReady(process.id, roomTypes);
  }

  /** A check that runs late says that the primary was busy and has heartbeats to read: deadlines move with it. */
  #scheduleCheck(): void {
    const { scheduler } = this.#options;
    const dueMs = scheduler.now() + CHECK_INTERVAL_MS;
    this.#checkTimer = scheduler.setTimeout(() => {
      this.#checkDeadlines(Math.max(0, scheduler.now() - dueMs));
      this.#scheduleCheck();
    }, CHECK_INTERVAL_MS);
  }

  #checkDeadlines(lagMs: number): void {
    for (const slot of this.#slots) {
      const { state } = slot;
      if (!("deadlineMs" in state)) continue;
      state.deadlineMs += lagMs;
      if (this.#options.scheduler.now() < state.deadlineMs) continue;
      const { id, pid } = state.process;
      this.#options.log.warn({ workerId: id, pid, state: state.kind }, "worker is silent and is killed");
      this.#ending(slot).wasSilent = true;
      state.process.kill("SIGKILL");
    }
  }

  #drain(slot: Slot, state: Serving): void {
    slot.state = { ...state, kind: "draining" };
    state.process.send({ type: "drain" });
  }

  #killDraining(): void {
    for (const slot of this.#slots) {
      const { state } = slot;
      if (state.kind !== "draining") continue;
      this.#options.log.warn({ workerId: state.process.id }, "worker has not finished in time and is killed");
      this.#end(slot, state, "SIGKILL");
    }
  }

  #end(slot: Slot, { process }: Starting | Serving, signal: "SIGTERM" | "SIGKILL"): void {
    this.#ending(slot);
    process.kill(signal);
  }

  /** From its first sign of death on, a process serves nothing any more; it is gone when both have come. */
  #ending(slot: Slot): Ending {
    const { state } = slot;
    if (state.kind === "ending") return state;
    assert("process" in state, "only a slot with a process is found by a process id");
    const ending: Ending = {
      kind: "ending",
      process: state.process,
      readySinceMs: state.kind === "starting" ? undefined : state.readySinceMs,
      exit: undefined,
      wasSilent: false,
      isEndedHere: false,
      hasDisconnected: false,
      guard: undefined,
    };
    slot.state = ending;
    this.#guard(slot, ending);
    this.#options.onEnding(ending.process.id);
    return ending;
  }

  /** Some signs of death never come: a channel that stays open, a process that does not end. */
  #guard(slot: Slot, ending: Ending): void {
    const { scheduler } = this.#options;
    if (ending.guard !== undefined) scheduler.clearTimeout(ending.guard);
    ending.guard = scheduler.setTimeout(() => {
      if (ending.exit !== undefined) this.#gone(slot, ending);
      else {
        ending.isEndedHere = true;
        ending.process.kill("SIGKILL");
      }
    }, END_GRACE_MS);
  }

  #gone(slot: Slot, ending: Ending): void {
    const { process, readySinceMs, guard, exit, wasSilent, isEndedHere } = ending;
    const { scheduler, onLost } = this.#options;
    if (guard !== undefined) scheduler.clearTimeout(guard);
    this.#slotById.delete(process.id);
    const death: Death = { code: exit?.code ?? null, signal: exit?.signal ?? null, wasSilent };
    onLost(process.id, death);
    // One that served and was killed by somebody does not fail by itself: there is nothing to wait for.
    const isKilled = readySinceMs !== undefined && death.signal === "SIGKILL" && !wasSilent && !isEndedHere;
    this.#afterDeath(slot, readySinceMs, isKilled);
  }

  #afterDeath(slot: Slot, readySinceMs: number | undefined, isKilled = false): void {
    if (slot.isIsolated) {
      this.#slots.splice(this.#slots.indexOf(slot), 1);
      return this.#resolveIfDrained();
    }
    if (this.#phase !== "running") {
      slot.state = { kind: "stopped" };
      this.#resolveIfDrained();
      return;
    }
    const { scheduler, random } = this.#options;
    const nowMs = scheduler.now();
    this.#deathsAtMs.push(nowMs);
    if (this.#deathsAtMs.length > LIMITS.restartIntensityDeaths + 1) this.#deathsAtMs.shift();
    const isStable = readySinceMs !== undefined && nowMs - readySinceMs >= STABLE_AFTER_MS;
    if (isStable || isKilled) slot.deathsInRow = 0;
    if (readySinceMs === undefined && !this.#regularSlots().some(({ state }) => state.kind === "ready")) {
      slot.startFailures++;
    }

    const delayMs = isKilled
      ? this.#delayAfterKillMs()
      : backoffMs(slot.deathsInRow++, RESTART_BACKOFF, random);
    const restart = scheduler.setTimeout(() => {
      slot.restarts++;
      this.#startWorker(slot);
    }, delayMs);
    slot.state = { kind: "crashed", restart };
    if (this.#isHopeless()) this.#giveUp();
  }

  /** Others first take up what the dead one had, and are not to share the cores with a process that starts. */
  #delayAfterKillMs(): number {
    return this.ready().length > 0 ? LIMITS.replaceAfterMs : 0;
  }

  /** Every slot has failed to start since a worker was last ready, and together they did so often enough. */
  #isHopeless(): boolean {
    const slots = this.#regularSlots();
    const failures = slots.reduce((sum, slot) => sum + slot.startFailures, 0);
    return failures >= LIMITS.startFailuresMax && slots.every((slot) => slot.startFailures > 0);
  }

  #regularSlots(): Slot[] {
    return this.#slots.filter(({ isIsolated }) => !isIsolated);
  }

  #giveUp(): void {
    this.#phase = "givenUp";
    this.#cancelRestarts();
    this.#options.onGiveUp();
  }

  #cancelRestarts(): void {
    for (const slot of this.#slots) {
      if (slot.state.kind !== "crashed") continue;
      this.#options.scheduler.clearTimeout(slot.state.restart);
      slot.state = { kind: "stopped" };
    }
  }

  #isHealthy(): boolean {
    if (this.#phase === "givenUp") return false;
    const [oldestMs] = this.#deathsAtMs;
    if (oldestMs === undefined || this.#deathsAtMs.length <= LIMITS.restartIntensityDeaths) return true;
    return this.#options.scheduler.now() - oldestMs >= LIMITS.restartIntensityWindowMs;
  }

  #resolveIfDrained(): void {
    if (this.#phase !== "draining" || this.#slots.some(({ state }) => state.kind !== "stopped")) return;
    for (const timer of [this.#checkTimer, this.#drainTimer]) {
      if (timer !== undefined) this.#options.scheduler.clearTimeout(timer);
    }
    this.#drained.resolve();
  }
}
