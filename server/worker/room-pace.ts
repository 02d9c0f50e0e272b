/**
 * When a room steps, and what its clock says: at its ticks, or, in a room without ticks, once in each turn of the
 * event loop in which something has come in, and when a timer is due.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { stepMsMax, type TickScheduler } from "./tick-scheduler.ts";

export type PaceServices = {
  readonly scheduler: Scheduler;
  readonly ticks: TickScheduler;
  /** Runs a callback after what is in flight now, such as setImmediate. */
  readonly defer: (callback: () => void) => void;
};

/** What the room does when its time has come. */
export interface Paced {
  onTick(nowMs: number, dtMs: number): void;
  onWake(nowMs: number): void;
  /** Room time at which a room without ticks has something to do, if it has. */
  nextWakeMs(): number | undefined;
}

export class RoomPace {
  readonly #tickRate: number;
  readonly #services: PaceServices;
  readonly #room: Paced;
  /** Scheduler time at which the room's clock stood at 0. */
  #startMs: number;
  #nowMs: number;
  #stopTicks: () => void = () => undefined;
  #wake: { readonly handle: TimerHandle; readonly dueMs: number } | undefined;
  #isDeferred = false;

  /** @param nowMs the room's clock; it goes on from there */
  constructor(tickRate: number, nowMs: number, services: PaceServices, room: Paced) {
    this.#tickRate = tickRate;
    this.#services = services;
    this.#room = room;
    this.#nowMs = nowMs;
    this.#startMs = services.scheduler.now() - nowMs;
  }

  start(): void {
    if (this.#tickRate > 0) {
      this.#stopTicks = this.#services.ticks.add(this.#tickRate, (dtMs, dueMs) => this.#tick(dtMs, dueMs));
    } else this.armWake();
  }

  stop(): void {
    this.#stopTicks();
    this.#disarm();
  }

  /** The room's clock now, in milliseconds: between steps it goes on, but not beyond the longest step. */
  get roomTimeMs(): number {
    const runningMs = this.#services.scheduler.now() - this.#startMs;
    return Math.max(this.#nowMs, Math.min(runningMs, this.#nowMs + stepMsMax(this.#tickRate)));
  }

  /** The time of a step that is no tick. */
  get stepTimeMs(): number {
    return Math.max(this.#nowMs, Math.floor(this.roomTimeMs));
  }

  /** A step of this time is about to be applied. */
  stepsAt(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Something has come in for a room without ticks: all of this turn of the event loop makes one step. */
  deferStep(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#services.defer(() => {
      this.#isDeferred = false;
      this.#room.onWake(this.stepTimeMs);
      this.armWake();
    });
  }

  /** Wakes a room without ticks when it next has something to do. */
  armWake(): void {
    const dueMs = this.#tickRate === 0 ? this.#room.nextWakeMs() : undefined;
    if (this.#wake?.dueMs === dueMs) return;
    this.#disarm();
    if (dueMs === undefined) return;
    const wake = () => {
      this.#wake = undefined;
      this.deferStep();
    };
    const delayMs = Math.max(1, Math.ceil(dueMs - this.roomTimeMs));
    this.#wake = { dueMs, handle: this.#services.scheduler.setTimeout(wake, delayMs) };
  }

  #disarm(): void {
    if (this.#wake !== undefined) this.#services.scheduler.clearTimeout(this.#wake.handle);
    this.#wake = undefined;
  }

  #tick(dtMs: number, dueMs: number): void {
    const nowMs = this.#nowMs + dtMs;
    this.#startMs = dueMs - nowMs;
    this.#room.onTick(nowMs, dtMs);
  }
}
