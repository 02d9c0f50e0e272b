/** Writes the checkpoints of one room, and keeps account of whether the room is written down at present. */
import { JournalSuperseded } from "../journal/journal-errors.ts";
import type { RoomJournal } from "../journal/room-journal.ts";
import type { RoomLog } from "../room/room.ts";

export type CheckpointsOptions = {
  readonly journal: RoomJournal;
  readonly roomId: string;
  /** Rooms that are not written down at present. */
  readonly failed: Set<string>;
  /** There are no steps in the journal that would make up for a checkpoint. */
  readonly areAllThereIs: boolean;
  readonly log: RoomLog;
};

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #isFailing = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /**
   * @param save the room as it is now; it may throw, since the room has a part in it
   * @returns whether it is written
   * @throws JournalSuperseded; whatever else goes wrong is logged, and the room goes on
   */
  write(save: () => Uint8Array): boolean {
    const { journal, roomId, failed, areAllThereIs, log } = this.#options;
    try {
      journal.checkpoint(save());
      this.#isFailing = false;
      if (journal.state === "good") failed.delete(roomId);
      return true;
    } catch (error) {
      if (error instanceof JournalSuperseded) throw error;
      if (areAllThereIs) failed.add(roomId);
      if (!this.#isFailing) log.error({ err: error }, "a checkpoint could not be written");
      this.#isFailing = true;
      return false;
    }
  }

  /** The room has ended: nobody needs its journal any more. */
  dispose(): void {
    const { journal, roomId, failed } = this.#options;
    journal.dispose();
    failed.delete(roomId);
  }

  /** Another worker goes on from what is written. */
  close(): void {
    const { journal, roomId, failed } = this.#options;
    journal.close();
    failed.delete(roomId);
  }
}
