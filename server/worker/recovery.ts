/**
 * Takes a room up from its journal: the newest checkpoint, then the steps after it, applied again. Their events give
 * the sessions the same messages with the same numbers. It reads only, and sends nothing.
 *
 * Where steps are not written down, or cannot be trusted to give the same again, the room steps back: to its newest
 * checkpoint, or without one to its creation.
 */
import { schemaHash } from "../../shared/schema/index.ts";
import type { RecoveredRoom } from "../journal/journal-reader.ts";
import type { JournalStep } from "../journal/step-codec.ts";
import { decodeCheckpoint, type OtherCode, type RuntimeCheckpoint } from "../room/checkpoint.ts";
import type { StepResult } from "../room/room-events.ts";
import type { RoomRuntime } from "../room/room-runtime.ts";
import type { LeftRoom } from "./room-recorder.ts";
import type { RoomSessions } from "./room-sessions.ts";
import type { SavedSession, Session } from "./session.ts";

/** A hosted room's checkpoint. */
export type HostedCheckpoint = {
  /** What has saved it. */
  readonly code: OtherCode;
  /** The last epoch that began with a step back; 0: none. */
  readonly stepBackEpoch: number;
  readonly runtime: RuntimeCheckpoint;
  readonly sessions: readonly SavedSession[];
};

/** Who takes a room up. */
export type NewOwner = {
  readonly epoch: number;
  readonly codeVersion: string;
  readonly schemaHash: string;
};

/** A room as it was found. */
export type RestoredRoom = {
  readonly stepBackEpoch: number;
  /** What is on the disk does not lead here: it must be saved before anything else happens. */
  readonly isUnwritten: boolean;
  /** The room had asked to end. */
  readonly isDisconnected: boolean;
  /** Its `onDispose` has run. */
  readonly isDisposing: boolean;
};

/**
 * @param sessions gets the room's sessions, all of them away
 * @throws RoomFailure when the room's code fails again; JournalDamaged; SchemaError
 */
export function restoreRoom(
  { recovered, isExact }: LeftRoom,
  runtime: RoomRuntime,
  sessions: RoomSessions,
  owner: NewOwner,
): RestoredRoom {
  const bytes = recovered.checkpoint?.bytes;
  const saved = bytes && decodeCheckpoint<HostedCheckpoint>(bytes);
  const isOfOtherCode =
    saved !== undefined &&
    (saved.code.codeVersion !== owner.codeVersion || schemaHash(saved.code.schema) !== owner.schemaHash);
  if (saved !== undefined) {
    runtime.restore(saved.runtime, isOfOtherCode ? saved.code : undefined);
    for (const session of saved.sessions) sessions.restore(session);
  }
  let isDisconnected = false;
  let isDisposing = false;
  for (const { atMs, events } of isExact ? recovered.steps : creationOf(recovered)) {
    for (const event of events) sessions.repeat(event);
    const result = runtime.step(atMs, events);
    repeat(result, runtime, sessions.all);
    sessions.note(result);
    for (const { sessionId } of result.left) sessions.repeatLeft(sessionId);
    isDisconnected ||= result.disconnected;
    isDisposing ||= events.some(({ type }) => type === "dispose");
  }
  for (const client of runtime.clients) sessions.all.get(client.sessionId)?.takeUp(client.lastMessageSeq);
  return {
    stepBackEpoch: isExact ? (saved?.stepBackEpoch ?? 0) : owner.epoch,
    isUnwritten: isOfOtherCode || !isExact,
    isDisconnected,
    isDisposing,
  };
}

/** The one step of which nothing is lost when it is taken again; none if there is a checkpoint after it. */
function* creationOf({ checkpoint, steps }: RecoveredRoom): Generator<JournalStep> {
  if (checkpoint !== undefined) return;
  for (const step of steps) {
    yield step;
    return;
  }
}

/** What the publisher did at the time, but for the sending. */
function repeat(result: StepResult, runtime: RoomRuntime, sessions: ReadonlyMap<string, Session>): void {
  const arrivals = new Map(result.arrived.map((arrival) => [arrival.client, arrival]));
  for (const client of runtime.clients) {
    const session = sessions.get(client.sessionId);
    if (session === undefined) continue;
    const arrival = arrivals.get(client);
    for (const { part, to } of result.emissions.slice(arrival?.emissionsFrom ?? 0)) {
      if (to?.has(client) !== false) keep(session, part);
    }
    if (arrival !== undefined) session.tokens.issue(arrival.tokenGeneration);
  }
}

/** The outbox was never full at the time, so what does not fit now had been acknowledged then. */
function keep({ outbox }: Session, part: Uint8Array): void {
  while (outbox.push(part) === undefined && outbox.size > 0)
    outbox.acknowledge(outbox.last - outbox.size + 1);
}
