/**
 * Durability "journal": each step is written down before it is applied, and a checkpoint as soon as replaying the steps
 * since the last one would take long.
 */
import type { RoomJournal } from "../journal/room-journal.ts";
import { LIMITS } from "../limits.ts";
import type { RoomEvent } from "../room/room-events.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { AppliedStep, RoomRecorder, Saved } from "./recorder.ts";

export class JournalRecorder implements RoomRecorder {
  readonly savesLater = false;
  readonly dueMs = undefined;
  readonly #journal: RoomJournal;
  readonly #checkpoints: Checkpoints;
  #replayMs = 0;

  constructor(journal: RoomJournal, checkpoints: Checkpoints) {
    this.#journal = journal;
    this.#checkpoints = checkpoints;
  }

  append(nowMs: number, events: readonly RoomEvent[]): void {
    this.#journal.append(nowMs, events);
  }

  applied({ nowMs, result, hasSteppedBack }: AppliedStep, save: () => Uint8Array): Saved {
    // From where a client goes on that has had more than the room knows, stands in no event.
    if (hasSteppedBack && result.arrived.length > 0) this.saveNow(nowMs, save);
    return "no";
  }

  sent(tookMs: number, save: () => Uint8Array): void {
    this.#replayMs += tookMs;
    if (this.#replayMs >= LIMITS.checkpointStepMs) this.#save(save);
  }

  saveNow(_nowMs: number, save: () => Uint8Array): boolean {
    return this.#save(save);
  }

  /** If it fails nothing is lost: the steps go on in the journal, and the next checkpoint is tried as usual. */
  #save(save: () => Uint8Array): boolean {
    this.#replayMs = 0;
    return this.#checkpoints.write(save);
  }

  dispose(): void {
    this.#checkpoints.dispose();
  }

  close(): void {
    this.#checkpoints.close();
  }
}
