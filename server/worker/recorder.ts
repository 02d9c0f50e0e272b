/** How a hosted room is written down: before a step is applied, and again when it has been. */
import type { RoomEvent, StepResult } from "../room/room-events.ts";

/**
 * What of a room is in a checkpoint after a step, where clients must know it: "now", all of it since this step; "before",
 * all of it, and nothing has happened since; or "no".
 */
export type Saved = "now" | "before" | "no";

/** A step that has been applied. */
export type AppliedStep = {
  /** Room time. */
  readonly nowMs: number;
  /** Nothing has come in: only those are served who were skipped. */
  readonly isEmpty: boolean;
  readonly result: StepResult;
  /** The room was once set back, so that what its clients say when they arrive is known from them alone. */
  readonly hasSteppedBack: boolean;
};

export interface RoomRecorder {
  /** What a client is told to have been applied may be lost until it is told that it is saved. */
  readonly savesLater: boolean;
  /**
   * Writes a step down, if it is to survive this process as soon as this returns.
   *
   * @throws TypeError when an event holds what is not plain data; then there was no such step
   */
  append(nowMs: number, events: readonly RoomEvent[]): void;
  /**
   * A step has been applied, and nothing of it has been sent.
   *
   * @param save the room as it is now
   */
  applied(step: AppliedStep, save: () => Uint8Array): Saved;
  /**
   * What came of the step has been sent: time for what can wait.
   *
   * @param tookMs how long the step took, and about how long it would take again
   * @param save the room as it is now
   */
  sent(tookMs: number, save: () => Uint8Array): void;
  /** The room is to be saved now, whatever has happened in it. @returns whether it is */
  saveNow(nowMs: number, save: () => Uint8Array): boolean;
  /** Room time of the next checkpoint if nothing happens until then; undefined: there will be none. */
  readonly dueMs: number | undefined;
  /** The room has ended. */
  dispose(): void;
  /** The room goes on elsewhere, from what is written. */
  close(): void;
}
