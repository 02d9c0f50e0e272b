/**
 * When a room steps, and what its clock says: at its ticks, or, in a room without ticks, when something has come in (at
 * the end of that turn of the event loop, or of the room's flush window), and when a timer is due.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { LIMITS } from "../limits.ts";
import type { Pace } from "./overload.ts";
import type { Survivors } from "./survivors.ts";
import type { TickStats } from "./tick-gauge.ts";
import { stepMsMax, type TickingRoom, type TickScheduler } from "./tick-scheduler.ts";

export type PaceServices = {
  readonly scheduler: Scheduler;
  readonly ticks: TickScheduler;
  /** Of all rooms of the worker. */
  readonly survivors: Survivors;
  /** Runs a callback after what is in flight now, such as setImmediate. */
  readonly defer: (callback: () => void) => void;
};

export type PaceSettings = { readonly tickRate: number; readonly flushMs: number };

/** What the room does when its time has come. */
export interface Paced {
  /** @param sends false: the tick may wait, to be applied and sent with the next */
  onTick(nowMs: number, dtMs: number, sends: boolean): void;
  onWake(nowMs: number): void;
  /** The worker cannot keep up, and the room does less than it should; or it can again. */
  onPace(pace: Pace, stats: TickStats): void;
  /** A tick may not wait to make room for others. */
  isUrgent(): boolean;
  /** Room time at which a room without ticks has something to do, if it has. */
  nextWakeMs(): number | undefined;
}

export class RoomPace {
  readonly #tickRate: number;
  readonly #flushMs: number;
  readonly #services: PaceServices;
  readonly #room: Paced;
  /** Scheduler time at which the room's clock stood at 0. */
  #startMs: number;
  #nowMs: number;
  /** Of ticks that are not applied yet. */
  #heldMs = 0;
  #ticking: TickingRoom | undefined;
  #wake: { readonly handle: TimerHandle; readonly dueMs: number } | undefined;
  #isDeferred = false;

  /** @param nowMs the room's clock; it goes on from there */
  constructor({ tickRate, flushMs }: PaceSettings, nowMs: number, services: PaceServices, room: Paced) {
    this.#tickRate = tickRate;
    this.#flushMs = flushMs;
    this.#services = services;
    this.#room = room;
    this.#nowMs = nowMs;
    this.#startMs = services.scheduler.now() - nowMs;
  }

  start(): void {
    if (this.#tickRate > 0) {
      this.#ticking = this.#services.ticks.add(
        this.#tickRate,
        (dtMs, dueMs, sends) => this.#tick(dtMs, dueMs, sends),
        (pace, stats) => this.#room.onPace(pace, stats),
      );
    } else this.armWake();
  }

  stop(): void {
    this.#ticking?.stop();
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
    this.#heldMs = 0;
  }

  /** Something has come in for a room without ticks: all of one window, or turn of the event loop, makes one step. */
  deferStep(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    const { scheduler, defer } = this.#services;
    const flush = () => {
      this.#isDeferred = false;
      this.#stepNow();
    };
    if (this.#flushMs > 0) scheduler.setTimeout(flush, this.#flushMs);
    else defer(flush);
  }

  #stepNow(): void {
    this.#room.onWake(this.stepTimeMs);
    this.armWake();
  }

  /** Wakes a room without ticks when it next has something to do. */
  armWake(): void {
    const dueMs = this.#tickRate === 0 ? this.#room.nextWakeMs() : undefined;
    if (this.#wake?.dueMs === dueMs) return;
    this.#disarm();
    if (dueMs === undefined) return;
    const wake = () => {
      this.#wake = undefined;
      this.#stepNow();
    };
    const delayMs = Math.max(1, Math.ceil(dueMs - this.roomTimeMs));
    this.#wake = { dueMs, handle: this.#services.scheduler.setTimeout(wake, delayMs) };
  }

  #disarm(): void {
    if (this.#wake !== undefined) this.#services.scheduler.clearTimeout(this.#wake.handle);
    this.#wake = undefined;
  }

  #tick(dtMs: number, dueMs: number, sends: boolean): void {
    this.#heldMs += dtMs;
    const mayWait = this.#heldMs < LIMITS.survivorsTickWaitMs && this.#services.survivors.areMany;
    const isHeld = mayWait && !this.#room.isUrgent();
    const nowMs = this.#nowMs + this.#heldMs;
    this.#startMs = dueMs - nowMs;
    this.#room.onTick(nowMs, dtMs, sends && !isHeld);
  }
}
