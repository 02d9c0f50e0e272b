/**
 * Takes a room up from its journal: the newest checkpoint, then the steps after it, applied again. Their events give
 * the sessions the same messages with the same numbers. It reads only, and sends nothing.
 */
import type { RecoveredRoom } from "../journal/journal-reader.ts";
import { decodeCheckpoint, type RuntimeCheckpoint } from "../room/checkpoint.ts";
import type { StepResult } from "../room/room-events.ts";
import type { RoomRuntime } from "../room/room-runtime.ts";
import type { RoomSessions } from "./room-sessions.ts";
import type { SavedSession, Session } from "./session.ts";

/** A hosted room's checkpoint. */
export type HostedCheckpoint = {
  readonly runtime: RuntimeCheckpoint;
  readonly sessions: readonly SavedSession[];
};

/** What was under way in the room when its owner died, and has to be taken up. */
export type Unfinished = {
  /** For how long the seats of those who were away are kept, by session. */
  readonly reconnectMs: ReadonlyMap<string, number>;
  /** Sessions that the room had told to leave, and that had not left. */
  readonly kicked: ReadonlySet<string>;
  /** The room had asked to end. */
  readonly isDisconnected: boolean;
};

/**
 * @param sessions gets the room's sessions, all of them away
 * @throws RoomFailure when the room's code fails again; JournalDamaged; SchemaError for a state of another schema
 */
export function replay(
  { checkpoint, steps }: RecoveredRoom,
  runtime: RoomRuntime,
  sessions: RoomSessions,
): Unfinished {
  if (checkpoint !== undefined) {
    const saved = decodeCheckpoint<HostedCheckpoint>(checkpoint.bytes);
    runtime.restore(saved.runtime);
    for (const session of saved.sessions) sessions.restore(session);
  }
  const reconnectMs = new Map<string, number>();
  const kicked = new Set<string>();
  let isDisconnected = false;
  for (const { atMs, events } of steps) {
    for (const event of events) sessions.repeat(event);
    const result = runtime.step(atMs, events);
    repeat(result, runtime, sessions.all);
    for (const { client, reconnectMs: ms } of result.dropped) reconnectMs.set(client.sessionId, ms);
    for (const { sessionId } of result.kicked) kicked.add(sessionId);
    for (const { sessionId } of result.left) {
      sessions.repeatLeft(sessionId);
      kicked.delete(sessionId);
    }
    isDisconnected ||= result.disconnected;
  }
  for (const client of runtime.clients) sessions.all.get(client.sessionId)?.takeUp(client.lastMessageSeq);
  return { reconnectMs, kicked, isDisconnected };
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
    if (arrival !== undefined) session.tokens.issue();
  }
}

/** The outbox was never full at the time, so what does not fit now had been acknowledged then. */
function keep({ outbox }: Session, part: Uint8Array): void {
  while (outbox.push(part) === undefined && outbox.size > 0)
    outbox.acknowledge(outbox.last - outbox.size + 1);
}
