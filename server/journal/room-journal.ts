/**
 * The journal of one room, as its owner writes it: every step before it is applied, a checkpoint now and then.
 *
 * A write that fails (a full disk, a broken one) does not stop the room: the journal turns to "failed", says so once,
 * counts further steps without writing them, and is good again with the next checkpoint that can be written.
 *
 * Nothing that recovery may need is ever changed or deleted: a checkpoint is written beside and renamed, a new segment
 * begun when the last one is long, and only then goes what is older than the elder of the two newest checkpoints.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { RoomEvent } from "../room/room-events.ts";
import { writeCheckpoint } from "./checkpoint-file.ts";
import { JournalSuperseded, JournalTooLarge } from "./journal-errors.ts";
import { errorCode } from "./journal-fs.ts";
import type { RecoveredRoom } from "./journal-reader.ts";
import {
  latestEpoch,
  parseCheckpointName,
  parseSegmentName,
  type RoomOrigin,
  segmentName,
  TEMPORARY_SUFFIX,
} from "./segment-format.ts";
import { type JournalServices, SegmentWriter } from "./segment-writer.ts";

/** With more segments there would be more files to make and delete, with fewer more to read that is in a checkpoint. */
const SEGMENT_BYTES_MIN = 128 * 1024;

export type RoomJournalOptions = {
  /** The room's own; made if it is not there. */
  readonly directory: string;
  /** Its epoch is larger than that of every owner before. */
  readonly origin: RoomOrigin;
  /** What was read of the earlier owners; undefined for a new room. */
  readonly recovered: RecoveredRoom | undefined;
  /** The room is recorded: no segment is ever deleted. */
  readonly keepAll: boolean;
  /** The first checkpoint behind so many bytes of steps begins a new segment; 128 KiB unless told. */
  readonly segmentBytesMin?: number;
  readonly services: JournalServices;
  /** Called each time the journal turns from "good" to "failed". */
  readonly onFailure: (error: Error) => void;
};

/** A file, with the index of its first or last step. */
type IndexedFile = { readonly name: string; readonly index: number };

export class RoomJournal {
  readonly #options: Omit<RoomJournalOptions, "recovered">;
  /** Undefined while failed, and when closed. */
  #segment: SegmentWriter | undefined;
  #isClosed = false;
  /** The end of the room stands in what was recovered. */
  readonly #isDisposed: boolean;
  #index: number;
  #nextNumber = 0;
  /** On disk, oldest first, with the index of their first step. */
  #segments: readonly IndexedFile[];
  /** The two newest at most, the elder first. */
  #checkpoints: readonly IndexedFile[] = [];

  /**
   * Begins a segment, for a new room or behind what was recovered. If it cannot be written, the journal is there all
   * the same, in state "failed".
   *
   * @throws JournalSuperseded if the directory has an owner of this epoch or a later one; TypeError for options that
   * are not plain; JournalTooLarge for options that are too many
   */
  static create(options: RoomJournalOptions): RoomJournal {
    const { directory, origin, services } = options;
    const journal = new RoomJournal(options);
    try {
      services.fs.makeDirectory(directory);
      const latest = latestEpoch(services.fs.list(directory));
      if (latest !== undefined && latest >= origin.create.epoch) throw journal.#superseded();
      journal.#beginSegment();
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      options.onFailure(error as Error);
    }
    return journal;
  }

  private constructor({ recovered, ...options }: RoomJournalOptions) {
    this.#options = options;
    this.#index = recovered?.lastIndex ?? 0;
    this.#isDisposed = recovered?.isDisposed ?? false;
    this.#segments = (recovered?.segments ?? []).map(({ name, header }) => ({
      name,
      index: header.firstIndex,
    }));
    if (recovered?.checkpoint !== undefined) {
      const { name, index } = recovered.checkpoint;
      this.#checkpoints = [{ name, index }];
    }
  }

  get state(): "good" | "failed" {
    return this.#segment === undefined ? "failed" : "good";
  }

  /** Of the last step, whether it could be written or not. */
  get index(): number {
    return this.#index;
  }

  /**
   * Writes a step. It survives this process as soon as this returns.
   *
   * @param atMs room time
   * @throws TypeError if an event holds what is not plain; then there was no such step
   */
  append(atMs: number, events: readonly RoomEvent[]): void {
    assert(!this.#isClosed, "no step follows the close of a journal");
    const index = this.#index + 1;
    this.#write((segment) => segment.appendStep(index, atMs, events));
    this.#index = index;
  }

  /**
   * Saves the room as it is after the last step. When it throws, nothing has changed: steps go on where they went.
   *
   * @throws JournalSuperseded, JournalTooLarge, or what the file system throws
   */
  checkpoint(bytes: Uint8Array): void {
    assert(!this.#isClosed, "no checkpoint follows the close of a journal");
    const { directory, origin, services } = this.#options;
    const { roomId, epoch } = origin.create;
    services.fs.makeDirectory(directory);
    const names = services.fs.list(directory);
    if ((latestEpoch(names) ?? 0) > epoch) {
      const error = this.#superseded();
      this.#fail(error);
      throw error;
    }
    const of = { roomId, epoch, index: this.#index };
    const written = writeCheckpoint(directory, of, bytes, services, this.#fail);
    const { segmentBytesMin = SEGMENT_BYTES_MIN } = this.#options;
    if (this.#segment === undefined || this.#segment.fileBytes >= segmentBytesMin) this.#beginSegment();
    const earlier = this.#checkpoints.filter(({ name }) => name !== written.name);
    this.#checkpoints = [...earlier.slice(-1), written];
    this.#deleteOld(names);
  }

  /** Marks the end of the room and closes. Its files are deleted by the primary, once it knows. */
  dispose(): void {
    const index = this.#index + 1;
    if (!this.#isDisposed) this.#write((segment) => segment.appendDisposed(index));
    this.close();
  }

  /** What is written stays, and another owner can go on from there. */
  close(): void {
    this.#isClosed = true;
    this.#segment?.close();
    this.#segment = undefined;
  }

  #write(append: (segment: SegmentWriter) => void): void {
    if (this.#segment === undefined) return;
    try {
      append(this.#segment);
    } catch (error) {
      if (!(error instanceof JournalTooLarge) && errorCode(error) === undefined) throw error;
      this.#fail(error as Error);
    }
  }

  #beginSegment(): void {
    const { directory, origin, services } = this.#options;
    const firstIndex = this.#index + 1;
    const number = this.#nextNumber;
    // A number is used once, even if the file could not be written: it may be there.
    this.#nextNumber += 1;
    let segment: SegmentWriter;
    try {
      segment = new SegmentWriter(directory, { ...origin, number, firstIndex }, services, this.#fail);
    } catch (error) {
      // Another owner has been quicker than this one's look at the directory.
      throw errorCode(error) === "EEXIST" ? this.#superseded() : error;
    }
    this.#segment?.close();
    this.#segment = segment;
    const name = segmentName(origin.create.epoch, number);
    // One that had no steps yet begins at the same index: the later one takes its place.
    const earlier = this.#segments.filter(({ index }) => index < firstIndex);
    this.#segments = [...earlier, { name, index: firstIndex }];
  }

  readonly #fail = (error: Error): void => {
    if (this.#segment === undefined) return;
    this.#segment.close();
    this.#segment = undefined;
    this.#options.onFailure(error);
  };

  #superseded(): JournalSuperseded {
    return new JournalSuperseded(this.#options.directory, this.#options.origin.create.epoch);
  }

  /** @param names what was in the directory before this checkpoint */
  #deleteOld(names: readonly string[]): void {
    const { directory, keepAll, services } = this.#options;
    const [elder, newest] = this.#checkpoints;
    const coveredIndex = newest === undefined ? 0 : (elder?.index ?? 0);
    this.#segments = this.#segments.filter((_, i, segments) => {
      const next = segments[i + 1];
      return keepAll || next === undefined || next.index > coveredIndex + 1;
    });
    const kept = new Set([...this.#segments, ...this.#checkpoints].map(({ name }) => name));
    for (const name of names) {
      const isOurs =
        (parseSegmentName(name) !== undefined && !keepAll) ||
        parseCheckpointName(name) !== undefined ||
        name.endsWith(TEMPORARY_SUFFIX);
      if (!isOurs || kept.has(name)) continue;
      try {
        services.fs.unlink(join(directory, name));
      } catch {
        // It is in nobody's way, and the next checkpoint tries again.
      }
    }
  }
}
