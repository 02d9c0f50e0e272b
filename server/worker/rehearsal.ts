/**
 * A worker that replaces another has run no room yet, and code that has never run is slow: it would take a room over ten
 * times as slowly as one that has been at it for a while. So as long as it has no rooms it replays those of the others
 * from their journals, in memory and for a short time. A room is a function of its events: nothing comes of it.
 */

import { SchemaError } from "../../shared/schema/index.ts";
import { listRooms, roomDirectory } from "../journal/data-directory.ts";
import { JournalDamaged } from "../journal/journal-errors.ts";
import { errorCode } from "../journal/journal-fs.ts";
import { readRoom } from "../journal/journal-reader.ts";
import type { JournalStep } from "../journal/step-codec.ts";
import { LIMITS } from "../limits.ts";
import { decodeCheckpoint } from "../room/checkpoint.ts";
import { SILENT } from "../room/determinism.ts";
import type { RoomClass } from "../room/room-class.ts";
import { RoomFailure } from "../room/room-events.ts";
import { RoomRuntime } from "../room/room-runtime.ts";
import type { HostedCheckpoint } from "./recovery.ts";

export type RehearsalOptions = {
  readonly dataDirectory: string;
  readonly roomClasses: ReadonlyMap<string, RoomClass>;
  /** Only journals of this version are read. */
  readonly codeVersion: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Lets everything else have its turn. */
  readonly turn: () => Promise<void>;
  /** The worker has something to do by itself. */
  readonly isOver: () => boolean;
};

/** Settles when the time is over, or when there is nothing to rehearse with. */
export async function rehearse(options: RehearsalOptions): Promise<void> {
  const { dataDirectory, now, turn, isOver } = options;
  const endMs = now() + LIMITS.rehearsalMs;
  const roomIds = listRooms(dataDirectory);
  for (let at = 0, replayed = 0; now() < endMs; at += 1) {
    if (at === roomIds.length) {
      if (replayed === 0) return;
      at = 0;
      replayed = 0;
    }
    let turnEndMs = now() + LIMITS.rehearsalTurnMs;
    for (const isStep of replay(roomIds[at] ?? "", options)) {
      if (isStep) replayed += 1;
      if (now() < turnEndMs) continue;
      await turn();
      if (isOver() || now() >= endMs) return;
      turnEndMs = now() + LIMITS.rehearsalTurnMs;
    }
    await turn();
    if (isOver()) return;
  }
}

/** Yields after each step. */
function* replay(
  roomId: string,
  { dataDirectory, roomClasses, codeVersion }: RehearsalOptions,
): Generator<boolean> {
  try {
    const room = readRoom(roomDirectory(dataDirectory, roomId));
    if (room === undefined) return;
    const { create } = room.header;
    const roomClass = roomClasses.get(create.roomType);
    if (roomClass?.durability !== "journal") return;
    if (room.replayed.some((header) => header.codeVersion !== codeVersion)) return;
    const runtime = new RoomRuntime(roomClass, create, SILENT);
    if (room.checkpoint !== undefined)
      runtime.restore(decodeCheckpoint<HostedCheckpoint>(room.checkpoint.bytes).runtime);
    // The last step may be about to crash the room's worker: it is not taken.
    let next: JournalStep | undefined;
    for (const step of room.steps) {
      if (next !== undefined) runtime.step(next.atMs, next.events);
      yield next !== undefined;
      next = step;
    }
  } catch (error) {
    // The room has ended meanwhile, or cannot be read while its owner writes: there are others.
    const isExpected =
      error instanceof JournalDamaged ||
      error instanceof RoomFailure ||
      error instanceof SchemaError ||
      errorCode(error) !== undefined;
    if (!isExpected) throw error;
  }
}
