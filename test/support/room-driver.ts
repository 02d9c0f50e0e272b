/**
 * Drives one room through its runtime, without sockets or a real clock: events in, what came of them out. It keeps
 * all events, so that a test can run them again and compare.
 */
import type { RoomLog } from "../../server/room/room.ts";
import { loadRoomClass, type RoomClass, type RoomSource } from "../../server/room/room-class.ts";
import type { RoomEvent, StepResult } from "../../server/room/room-events.ts";
import { RoomRuntime } from "../../server/room/room-runtime.ts";
import { decodePayload } from "../../shared/protocol/codec.ts";
import type { EntitySchema, Live } from "../../shared/schema/index.ts";

/** A message that a room sent, decoded; `to` holds sessions, undefined for everybody. */
export type Sent = {
  readonly type: string;
  readonly payload: unknown;
  readonly to: readonly string[] | undefined;
};
export type Step = { readonly nowMs: number; readonly events: readonly RoomEvent[] };
export type DriverOptions = { readonly seed?: number; readonly options?: Readonly<Record<string, unknown>> };

const SILENT: RoomLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

export class RoomDriver<S extends EntitySchema> {
  readonly runtime: RoomRuntime;
  /** Every step so far. */
  readonly history: Step[] = [];
  /** For every step, all that left the room, as text. */
  readonly trace: string[] = [];
  nowMs = 0;
  /** Of the last step. */
  sent: readonly Sent[] = [];
  readonly #roomClass: RoomClass;
  readonly #seed: number;
  readonly #seqs = new Map<string, number>();

  constructor(roomClass: RoomClass, seed: number) {
    this.#roomClass = roomClass;
    this.#seed = seed;
    this.runtime = new RoomRuntime(roomClass, { roomId: "room", code: "CODE", seed }, SILENT);
  }

  /** A room that has been created. */
  static async create<S extends EntitySchema>(
    source: RoomSource,
    _schema: S,
    { seed = 1, options = {} }: DriverOptions = {},
  ): Promise<RoomDriver<S>> {
    const driver = new RoomDriver<S>(await loadRoomClass("test", source), seed);
    driver.step({ type: "created", options });
    return driver;
  }

  /** The server's state. */
  get state(): Live<S> {
    return this.runtime.state as Live<S>;
  }

  step(...events: RoomEvent[]): StepResult {
    this.history.push({ nowMs: this.nowMs, events });
    const result = this.runtime.step(this.nowMs, events);
    this.sent = result.emissions.map(({ part, to }) => {
      const [, type, payload] = decodePayload(part) as [number, string, unknown];
      return { type, payload, to: to && Array.from(to, ({ sessionId }) => sessionId) };
    });
    this.trace.push(traceOf(this.runtime, result));
    return result;
  }

  join(sessionId: string, options: Readonly<Record<string, unknown>> = {}, auth: unknown = null): StepResult {
    return this.step({ type: "joined", sessionId, options, auth });
  }

  leave(sessionId: string, consented = true): StepResult {
    return this.step({ type: "left", sessionId, consented });
  }

  /** A message of a client, with its next sequence. */
  message(sessionId: string, message: string, payload: unknown): RoomEvent {
    const seq = (this.#seqs.get(sessionId) ?? 0) + 1;
    this.#seqs.set(sessionId, seq);
    return { type: "message", sessionId, seq, message, payload };
  }

  send(sessionId: string, message: string, payload?: unknown): StepResult {
    return this.step(this.message(sessionId, message, payload ?? null));
  }

  /** One tick, as the host makes it: what has come in, due timers, the tick. */
  tick(incoming: readonly RoomEvent[] = [], dtMs = 1000 / this.#roomClass.tickRate): StepResult {
    this.nowMs += dtMs;
    return this.step(...incoming, ...this.#dueTimers(), { type: "tick", dtMs });
  }

  /** Fires what is due at the present time, as the host does in a room without ticks. */
  fireTimers(): StepResult {
    return this.step(...this.#dueTimers());
  }

  /** @returns the trace of a new room that is given the same events */
  replay(): readonly string[] {
    const again = new RoomDriver<S>(this.#roomClass, this.#seed);
    for (const { nowMs, events } of this.history) {
      again.nowMs = nowMs;
      again.step(...events);
    }
    return again.trace;
  }

  #dueTimers(): RoomEvent[] {
    return this.runtime.timers.due(this.nowMs).map((timerId) => ({ type: "timer", timerId }));
  }
}

function traceOf(runtime: RoomRuntime, { change, emissions, acks, kicked, effects }: StepResult): string {
  return JSON.stringify({
    hash: runtime.encoder.hash(),
    patch: hex(change.patch),
    own: Array.from(change.ownerPatches, ([sessionId, patch]) => [sessionId, hex(patch)]),
    emissions: emissions.map(({ part, to }) => [hex(part), to && Array.from(to, ({ slot }) => slot)]),
    acks,
    kicked: kicked.map(({ sessionId }) => sessionId),
    effects,
    listing: runtime.listing,
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
