/**
 * Timers in room time. They are declared by name and set with plain data, so that a restored room has the same
 * timers as the one that was lost. Due timers come into the room as events, in the order in which they are due.
 */
import assert from "node:assert/strict";
import { LIMITS } from "../limits.ts";

/** What a room's `timers` may hold: a timer of any payload. */
export type AnyTimer = {
  readonly callback: (payload: never) => unknown;
  bind(name: string, timers: RoomTimers): void;
};

/** The payload may be left out when there is none. */
type PayloadArgument<Payload> = [Payload] extends [undefined] ? [payload?: undefined] : [payload: Payload];

export class TimerDefinition<Payload> implements AnyTimer {
  readonly callback: (payload: Payload) => unknown;
  #bound: { readonly name: string; readonly timers: RoomTimers } | undefined;

  constructor(callback: (payload: Payload) => unknown) {
    this.callback = callback;
  }

  /** @internal */
  bind(name: string, timers: RoomTimers): void {
    this.#bound = { name, timers };
  }

  /**
   * Runs the callback once.
   *
   * @param delayMs milliseconds of room time; at the first step that is not earlier
   * @returns an id for `cancel`
   */
  after(delayMs: number, ...[payload]: PayloadArgument<Payload>): number {
    return this.#owner().timers.set(this.#owner().name, delayMs, undefined, payload);
  }

  /**
   * Runs the callback every `intervalMs` milliseconds of room time, for the first time after one interval. When a
   * step is late by several intervals, it runs once for all of them.
   */
  every(intervalMs: number, ...[payload]: PayloadArgument<Payload>): number {
    return this.#owner().timers.set(this.#owner().name, intervalMs, intervalMs, payload);
  }

  /** @returns false when the timer has fired or was cancelled before */
  cancel(id: number): boolean {
    return this.#owner().timers.cancel(id);
  }

  #owner(): { readonly name: string; readonly timers: RoomTimers } {
    assert(this.#bound, "timers can be set from onCreate on, not in the constructor");
    return this.#bound;
  }
}

/**
 * Declares a timer of a room, as a member of its `timers`.
 *
 * @param callback runs within a step of the room, with the payload the timer was set with
 */
export function timer<Payload = undefined>(callback: (payload: Payload) => void): TimerDefinition<Payload> {
  return new TimerDefinition(callback);
}

/** A timer that is set. */
type Entry = {
  readonly id: number;
  readonly name: string;
  readonly dueMs: number;
  readonly intervalMs: number | undefined;
  readonly payload: unknown;
};

export type SavedTimers = { readonly nextId: number; readonly entries: readonly Entry[] };

/** The timers one room has set. */
export class RoomTimers {
  readonly #entries = new Map<number, Entry>();
  readonly #nowMs: () => number;
  #nextId = 1;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  save(): SavedTimers {
    return { nextId: this.#nextId, entries: [...this.#entries.values()] };
  }

  restore({ nextId, entries }: SavedTimers): void {
    this.#nextId = nextId;
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.id, entry);
  }

  set(name: string, delayMs: number, intervalMs: number | undefined, payload: unknown): number {
    if (!Number.isFinite(delayMs) || delayMs < 0)
      throw new RangeError(`A timer's delay must be 0 or more, not ${delayMs}.`);
    if (intervalMs === 0) throw new RangeError("A timer's interval must be more than 0.");
    if (this.#entries.size >= LIMITS.roomTimersMax)
      throw new RangeError(`A room has at most ${LIMITS.roomTimersMax} timers.`);
    const id = this.#nextId++;
    this.#entries.set(id, {
      id,
      name,
      dueMs: this.#nowMs() + delayMs,
      intervalMs,
      payload,
    });
    return id;
  }

  cancel(id: number): boolean {
    return this.#entries.delete(id);
  }

  /** Room time of the earliest timer, in milliseconds. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#entries.values()) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  /** @returns the ids of the timers due at `atMs`, earliest first, among equals the one set first */
  due(atMs: number): number[] {
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) if (entry.dueMs <= atMs) due.push(entry);
    return due.sort((a, b) => a.dueMs - b.dueMs || a.id - b.id).map((entry) => entry.id);
  }

  /** Takes a due timer out; a repeating one is set again. Undefined when it was cancelled meanwhile. */
  take(id: number): { readonly name: string; readonly payload: unknown } | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const { dueMs, intervalMs } = entry;
    if (intervalMs === undefined) {
      this.#entries.delete(id);
    } else {
      const intervals = Math.floor((this.#nowMs() - dueMs) / intervalMs) + 1;
      this.#entries.set(id, { ...entry, dueMs: dueMs + intervals * intervalMs });
    }
    return entry;
  }
}
