/**
 * Durability "checkpoint": the room is saved now and then, and what happens in between is not written down. A checkpoint
 * comes often enough that a step back is short, and at once when somebody has come, gone or been lost: so sessions and
 * their resume tokens are never set back. The same for effects, whose keys must not mean something else later.
 */
import type { RoomJournal } from "../journal/room-journal.ts";
import { LIMITS } from "../limits.ts";
import type { RoomEvent, StepResult } from "../room/room-events.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { AppliedStep, RoomRecorder, Saved } from "./recorder.ts";

export class CheckpointRecorder implements RoomRecorder {
  readonly savesLater = true;
  readonly #journal: RoomJournal;
  readonly #checkpoints: Checkpoints;
  /** Room time of the last checkpoint that was tried. */
  #savedMs = 0;
  /** Something has happened since. */
  #isBehind = false;

  constructor(journal: RoomJournal, checkpoints: Checkpoints) {
    this.#journal = journal;
    this.#checkpoints = checkpoints;
  }

  get dueMs(): number | undefined {
    return this.#isBehind ? this.#savedMs + LIMITS.checkpointIntervalMs : undefined;
  }

  /** Only how the room began: killed before its first checkpoint, it is created again. */
  append(nowMs: number, events: readonly RoomEvent[]): void {
    if (events.some(({ type }) => type === "created")) this.#journal.append(nowMs, events);
  }

  applied({ nowMs, isEmpty, result }: AppliedStep, save: () => Uint8Array): Saved {
    if (!isEmpty) this.#isBehind = true;
    const { dueMs } = this;
    if (dueMs === undefined) return "before";
    if (nowMs < dueMs && !isUrgent(result)) return "no";
    this.saveNow(nowMs, save);
    return "now";
  }

  sent(): void {}

  /**
   * If it fails the room goes on without, and so do its clients: they would have to stop as soon as their buffers are full.
   * The next one is tried as usual.
   */
  saveNow(nowMs: number, save: () => Uint8Array): boolean {
    this.#savedMs = nowMs;
    this.#isBehind = false;
    // A checkpoint is named by the step that it is of.
    this.#journal.append(nowMs, []);
    return this.#checkpoints.write(save);
  }

  dispose(): void {
    this.#checkpoints.dispose();
  }

  close(): void {
    this.#checkpoints.close();
  }
}

function isUrgent({ arrived, dropped, left, effects }: StepResult): boolean {
  return arrived.length + dropped.length + left.length + effects.length > 0;
}
