/**
 * A checkpoint on disk: two records, what it is of and its bytes, the second's checksum salted with the first's.
 * It is written beside and renamed, so under its own name it is either whole or, after a power loss or on a failing
 * disk, fails its checksums.
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { JournalTooLarge } from "./journal-errors.ts";
import { readBounded, writeAll } from "./journal-fs.ts";
import type { OnSyncFailed } from "./journal-sync.ts";
import { FRAME_BYTES, frameAt, RecordKind, sealRecord, writeFrame } from "./records.ts";
import { type CheckpointName, checkpointName, TEMPORARY_SUFFIX } from "./segment-format.ts";
import type { JournalServices } from "./segment-writer.ts";
import { BadValue, ValueReader } from "./value-reader.ts";
import { RECORD_BYTES_MAX } from "./value-writer.ts";

const FORMAT_VERSION = 1;
/** The largest content, with room for what it is of. */
const CHECKPOINT_FILE_BYTES_MAX = RECORD_BYTES_MAX + 4 * 1024;

export type CheckpointOf = {
  readonly roomId: string;
  readonly epoch: number;
  /** Of the last step that it contains. */
  readonly index: number;
};

/** @throws JournalTooLarge, or what the file system throws; under its name there is then what was there before */
export function writeCheckpoint(
  directory: string,
  of: CheckpointOf,
  bytes: Uint8Array,
  services: JournalServices,
  onSyncFailed: OnSyncFailed,
): CheckpointName {
  if (bytes.length > RECORD_BYTES_MAX) throw new JournalTooLarge("A checkpoint", RECORD_BYTES_MAX);
  const { fs, sync, writer } = services;
  const name = checkpointName(of.epoch, of.index);
  const path = join(directory, name);
  const fd = fs.replaceFile(path + TEMPORARY_SUFFIX);
  try {
    writer.restart(FRAME_BYTES);
    writer.number(RecordKind.CHECKPOINT);
    writer.number(FORMAT_VERSION);
    writer.string(of.roomId);
    writer.number(of.epoch);
    writer.number(of.index);
    const salt = sealRecord(writer.bytes, writer.length, 0);
    writeAll(fs, fd, writer.bytes, writer.length);
    const frame = Buffer.allocUnsafe(FRAME_BYTES);
    writeFrame(frame, bytes.length, crc32(bytes, salt));
    writeAll(fs, fd, frame, FRAME_BYTES);
    writeAll(fs, fd, bytes, bytes.length);
    sync.markDirty(fd, onSyncFailed);
  } finally {
    sync.close(fd);
  }
  fs.rename(path + TEMPORARY_SUFFIX, path);
  return { name, epoch: of.epoch, index: of.index };
}

/** @returns undefined if the file is damaged in any way, or is not what its name says */
export function readCheckpoint(
  directory: string,
  { name, epoch, index }: CheckpointName,
  roomId: string,
): Uint8Array | undefined {
  const file = readBounded(join(directory, name), CHECKPOINT_FILE_BYTES_MAX);
  if (file === undefined) return undefined;
  const about = frameAt(file, 0, 0);
  if (about.kind !== "record") return undefined;
  try {
    const reader = new ValueReader(file, about.start, about.end);
    const isThis =
      reader.uint() === RecordKind.CHECKPOINT &&
      reader.uint() === FORMAT_VERSION &&
      reader.string() === roomId &&
      reader.uint() === epoch &&
      reader.uint() === index;
    if (!isThis) return undefined;
  } catch (error) {
    if (error instanceof BadValue) return undefined;
    throw error;
  }
  const content = frameAt(file, about.end, about.checksum);
  if (content.kind !== "record" || content.end !== file.length) return undefined;
  return new Uint8Array(file.subarray(content.start, content.end));
}
