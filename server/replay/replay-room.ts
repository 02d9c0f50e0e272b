/**
 * Runs a room's steps again through the runtime that ran them first: the same events give the same states. Effects
 * never run, and nothing is sent.
 */
import type { RecoveredRoom } from "../journal/journal-reader.ts";
import type { JournalStep } from "../journal/step-codec.ts";
import { decodeCheckpoint } from "../room/checkpoint.ts";
import { plainState, SILENT } from "../room/determinism.ts";
import type { RoomClass } from "../room/room-class.ts";
import { type RoomEvent, RoomFailure } from "../room/room-events.ts";
import { RoomRuntime } from "../room/room-runtime.ts";
import type { HostedCheckpoint } from "../worker/recovery.ts";
import { ReplayError } from "./open-journal.ts";

export type ReplayOptions = {
  /** Stop after the step with this tick; undefined: at the journal's end. */
  readonly untilTick: number | undefined;
  /** Stop in the debugger before each event of the last step. */
  readonly isInspected: boolean;
  /** The last step is about to be applied: of a room that crashed its process, the one that does so again. */
  readonly onLastStep: (step: JournalStep) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

export type EventCounts = { readonly [type in RoomEvent["type"]]?: number };

/** Where a replay has come to. */
export type Replay = {
  /** Of steps, ticks and events that were applied, one that failed included. */
  readonly steps: number;
  readonly ticks: number;
  readonly events: EventCounts;
  /** Room time at the beginning and at the end. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Index of the last step, and number of the last tick since the room was created. */
  readonly step: number;
  readonly tick: number;
  /** In real time, with what was spent in a debugger. */
  readonly tookMs: number;
  readonly end: ReplayEnd;
};

export type ReplayEnd =
  | {
      readonly kind: "done";
      /** That of `StateEncoder.hash`. */
      readonly hash: number;
      readonly state: object;
    }
  | {
      readonly kind: "failed";
      /** In which the room's code threw. */
      readonly event: RoomFailure["event"];
      readonly cause: unknown;
    };

/**
 * @throws ReplayError if the checkpoint is past `untilTick`; SchemaError if it has a state of another schema;
 * JournalDamaged; RoomFailure if the room cannot even be constructed
 */
export function replayRoom(room: RecoveredRoom, roomClass: RoomClass, options: ReplayOptions): Replay {
  const { untilTick = Number.POSITIVE_INFINITY, now } = options;
  const startedAt = now();
  const runtime = new RoomRuntime(roomClass, room.header.create, SILENT);
  if (room.checkpoint !== undefined)
    runtime.restore(decodeCheckpoint<HostedCheckpoint>(room.checkpoint.bytes).runtime);
  const { nowMs: fromMs, tick: fromTick } = runtime.clock;
  if (fromTick >= untilTick)
    throw new ReplayError(
      `The replay can only begin after tick ${fromTick}, with the checkpoint ${room.checkpoint?.name}.`,
    );

  // The end of a room is a record as well, but no step.
  const endIndex = room.isDisposed ? room.lastIndex - 1 : room.lastIndex;
  const events: { [type in RoomEvent["type"]]?: number } = {};
  let steps = 0;
  let failure: RoomFailure | undefined;
  try {
    for (const step of room.steps) {
      steps += 1;
      count(step.events, events);
      const isLast = step.index === endIndex || fromTick + (events.tick ?? 0) >= untilTick;
      if (isLast) options.onLastStep(step);
      if (isLast && options.isInspected) stepInDebugger(runtime, step);
      else runtime.step(step.atMs, step.events);
      if (isLast) break;
    }
  } catch (error) {
    if (!(error instanceof RoomFailure)) throw error;
    failure = error;
  }
  return {
    steps,
    ticks: events.tick ?? 0,
    events,
    fromMs,
    toMs: runtime.clock.nowMs,
    step: (room.checkpoint?.index ?? 0) + steps,
    tick: runtime.clock.tick,
    tookMs: now() - startedAt,
    end:
      failure === undefined
        ? {
            kind: "done",
            hash: runtime.encoder.hash(),
            state: plainState(runtime.schema, runtime.state),
          }
        : { kind: "failed", event: failure.event, cause: failure.cause },
  };
}

/** "Step into" leads from each stop to the room's code. */
function stepInDebugger(runtime: RoomRuntime, { atMs, events }: JournalStep): void {
  for (const event of events) {
    // biome-ignore lint/suspicious/noDebugger: it is what --inspect is for
    debugger;
    runtime.step(atMs, [event]);
  }
}

/** Counts events by type. */
export function count(
  events: readonly RoomEvent[],
  counts: { [type in RoomEvent["type"]]?: number } = {},
): EventCounts {
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
