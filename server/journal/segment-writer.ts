/**
 * One segment file, from its creation to its close. The file is made with O_EXCL: an epoch and number that has been
 * taken fails, so two owners never append to the same file. Each record is one write, from one buffer that all
 * segments of a process share.
 */
import { join } from "node:path";
import type { RoomEvent } from "../room/room-events.ts";
import { JournalTooLarge } from "./journal-errors.ts";
import { type JournalFs, writeAll } from "./journal-fs.ts";
import type { JournalSync, OnSyncFailed } from "./journal-sync.ts";
import { FRAME_BYTES, RecordKind, sealRecord } from "./records.ts";
import {
  encodeHeader,
  HEADER_BYTES_MAX,
  SEGMENT_BYTES_MAX,
  type SegmentHeader,
  segmentName,
} from "./segment-format.ts";
import { encodeStep } from "./step-codec.ts";
import type { ValueWriter } from "./value-writer.ts";

/** What all journals of a process share. */
export type JournalServices = {
  readonly fs: JournalFs;
  readonly sync: JournalSync;
  readonly writer: ValueWriter;
};

export class SegmentWriter {
  readonly header: SegmentHeader;
  readonly #services: JournalServices;
  readonly #fd: number;
  readonly #onSyncFailed: OnSyncFailed;
  /** The header's checksum: what those of the steps start from. */
  #salt = 0;
  #fileBytes = 0;

  /** @throws TypeError for options that are not plain, JournalTooLarge, and what the file system throws */
  constructor(
    directory: string,
    header: SegmentHeader,
    services: JournalServices,
    onSyncFailed: OnSyncFailed,
  ) {
    const { fs, sync, writer } = services;
    this.header = header;
    this.#services = services;
    this.#onSyncFailed = onSyncFailed;
    writer.restart(FRAME_BYTES);
    encodeHeader(writer, header);
    if (writer.length - FRAME_BYTES > HEADER_BYTES_MAX)
      throw new JournalTooLarge("The header of a journal, with the room's options,", HEADER_BYTES_MAX);
    this.#fd = fs.createFile(join(directory, segmentName(header.create.epoch, header.number)));
    try {
      this.#salt = this.#write();
      sync.directoryChanged(directory, onSyncFailed);
    } catch (error) {
      sync.close(this.#fd);
      throw error;
    }
  }

  /** @throws TypeError for events that are not plain; JournalTooLarge; what the file system throws */
  appendStep(index: number, atMs: number, events: readonly RoomEvent[]): void {
    const { writer } = this.#services;
    writer.restart(FRAME_BYTES);
    encodeStep(writer, index, atMs, events);
    this.#write();
  }

  appendDisposed(index: number): void {
    const { writer } = this.#services;
    writer.restart(FRAME_BYTES);
    writer.number(RecordKind.DISPOSED);
    writer.number(index);
    this.#write();
  }

  /** Of all that is in it. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  close(): void {
    this.#services.sync.close(this.#fd);
  }

  #write(): number {
    const { fs, sync, writer } = this.#services;
    const { bytes, length } = writer;
    if (this.#fileBytes + length > SEGMENT_BYTES_MAX)
      throw new JournalTooLarge("A segment", SEGMENT_BYTES_MAX);
    const checksum = sealRecord(bytes, length, this.#salt);
    writeAll(fs, this.#fd, bytes, length);
    this.#fileBytes += length;
    sync.markDirty(this.#fd, this.#onSyncFailed);
    return checksum;
  }
}
