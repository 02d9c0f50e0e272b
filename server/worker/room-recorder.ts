/**
 * Writes a hosted room down: each step before it is applied, and a checkpoint as soon as replaying the steps since
 * the last one would take long.
 */
import { arch, version } from "node:process";
import type { CreateRoom } from "../ipc/messages.ts";
import { roomDirectory } from "../journal/data-directory.ts";
import { JournalSuperseded } from "../journal/journal-errors.ts";
import { type RecoveredRoom, readRoom } from "../journal/journal-reader.ts";
import { RoomJournal } from "../journal/room-journal.ts";
import type { JournalServices } from "../journal/segment-writer.ts";
import { LIMITS } from "../limits.ts";
import type { RoomLog } from "../room/room.ts";
import type { RoomEvent } from "../room/room-events.ts";

/** Where the rooms of a worker are written, and with what. */
export type Journals = {
  readonly dataDirectory: string;
  readonly services: JournalServices;
  readonly codeVersion: string;
  /** Rooms whose journal cannot be written at present. */
  readonly failed: Set<string>;
};

/** What a room is to be recorded with, and what an earlier owner has left of it. */
export type OpenedRoom = { readonly recorder: RoomRecorder; readonly recovered: RecoveredRoom | undefined };

/**
 * Opens a room's journal, behind what an earlier owner has written if the epoch says that there was one.
 *
 * @throws JournalDamaged when what is there cannot be what was written; JournalSuperseded when there is a later owner
 */
export function openRoom(
  create: CreateRoom,
  isRecorded: boolean,
  journals: Journals,
  log: RoomLog,
): OpenedRoom {
  const directory = roomDirectory(journals.dataDirectory, create.roomId);
  const found = create.epoch > 1 ? readRoom(directory) : undefined;
  // Without a step there was no room yet: it is created again, with the same id, seed and options.
  const recovered = found !== undefined && found.lastIndex > 0 ? found : undefined;
  const journal = RoomJournal.create({
    directory,
    origin: { create, codeVersion: journals.codeVersion, nodeVersion: version, arch },
    recovered,
    keepAll: isRecorded,
    services: journals.services,
    onFailure: (error) => {
      journals.failed.add(create.roomId);
      log.error({ err: error }, "the journal cannot be written: the room goes on without");
    },
  });
  // Good again, or not needed any more.
  const onSettled = (isNeeded: boolean) => {
    if (!isNeeded || journal.state === "good") journals.failed.delete(create.roomId);
  };
  return { recorder: new RoomRecorder(journal, onSettled, log), recovered };
}

export class RoomRecorder {
  readonly #journal: RoomJournal;
  readonly #onSettled: (isNeeded: boolean) => void;
  readonly #log: RoomLog;
  #replayMs = 0;

  /** @param onSettled a checkpoint has been tried, or the journal is not needed any more */
  constructor(journal: RoomJournal, onSettled: (isNeeded: boolean) => void, log: RoomLog) {
    this.#journal = journal;
    this.#onSettled = onSettled;
    this.#log = log;
  }

  /**
   * Writes a step down. It survives this process as soon as this returns.
   *
   * @throws TypeError when an event holds what is not plain data; then there was no such step
   */
  append(nowMs: number, events: readonly RoomEvent[]): void {
    this.#journal.append(nowMs, events);
  }

  /**
   * A step has been applied.
   *
   * @param stepMs how long it took, and about how long it would take again
   * @param save the room as it is now
   */
  applied(stepMs: number, save: () => Uint8Array): void {
    this.#replayMs += stepMs;
    if (this.#replayMs < LIMITS.checkpointStepMs) return;
    this.#replayMs = 0;
    try {
      this.#journal.checkpoint(save());
    } catch (error) {
      if (error instanceof JournalSuperseded) throw error;
      // Nothing is lost: the steps go on in the journal, and the next checkpoint is tried as usual.
      this.#log.error({ err: error }, "a checkpoint could not be written");
    }
    this.#onSettled(true);
  }

  /** The room has ended. */
  dispose(): void {
    this.#journal.dispose();
    this.#onSettled(false);
  }
}
