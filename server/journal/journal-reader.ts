/**
 * Reads a room back from its directory, and changes nothing there: the newest checkpoint that is whole, and the steps
 * after it. Gives the longest prefix of what was written that a crash can have left, or refuses.
 *
 *   segment 1-0  [1 2 3 4 5 6]            the steps in effect are 1 2 3 4 5' 6' 7':
 *   segment 2-0          [5' 6' 7']       an epoch is cut where a later one begins
 *
 * The rule: segments are in effect in the order of (epoch, number), each up to the first index of any later one. What
 * an owner wrote after the next had taken over, checkpoints included, is ignored. What is left must be consecutive.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readCheckpoint } from "./checkpoint-file.ts";
import { JournalDamaged } from "./journal-errors.ts";
import { errorCode, readBounded } from "./journal-fs.ts";
import { frameAt, RecordKind } from "./records.ts";
import { latestEpoch, parseCheckpointName, SEGMENT_BYTES_MAX, type SegmentHeader } from "./segment-format.ts";
import { readHeader, type SegmentFile } from "./segment-header.ts";
import { decodeStep, type JournalStep } from "./step-codec.ts";
import { BadValue, ValueReader } from "./value-reader.ts";

export type Checkpoint = {
  readonly name: string;
  /** Of the last step that it contains. */
  readonly index: number;
  readonly bytes: Uint8Array;
};

export type RecoveredRoom = {
  /** Of the newest segment. */
  readonly header: SegmentHeader;
  /** The newest that is whole; none: the steps begin with the first. */
  readonly checkpoint: Checkpoint | undefined;
  /**
   * The steps after the checkpoint, decoded as they are taken; can be gone through again.
   * @throws JournalDamaged if a record is whole and yet not one that this version writes
   */
  readonly steps: Iterable<JournalStep>;
  /** The segments that these steps are from; the code that wrote one may be another than that of the next. */
  readonly replayed: readonly SegmentHeader[];
  /** Of the last step; the next owner goes on with the one after. 0: the room was never created. */
  readonly lastIndex: number;
  /** Larger than that of every file in the directory. */
  readonly nextEpoch: number;
  /** The room had ended; its files are only left to be deleted. */
  readonly isDisposed: boolean;
  /** What a crash had begun to write and is ignored. */
  readonly cutBytes: number;
  /** All segments that are in effect, oldest first. */
  readonly segments: readonly SegmentFile[];
};

export type ReadOptions = {
  /** Ignore checkpoints: every step from the first, which only a recorded room still has. */
  readonly fromStart?: boolean;
};

/**
 * @returns undefined if there is no room: no directory, or none of its segments was begun
 * @throws JournalDamaged when what is there cannot be what was written; and what the file system throws
 */
export function readRoom(directory: string, options: ReadOptions = {}): RecoveredRoom | undefined {
  const names = listFiles(directory);
  const headers = names.flatMap((name) => readHeader(directory, name) ?? []);
  const begun = headers.filter((file) => "header" in file).sort(byOwner);
  const newest = begun.at(-1);
  const checkpointNames = names.flatMap((name) => parseCheckpointName(name) ?? []);
  if (newest === undefined) {
    const orphan = checkpointNames[0];
    if (orphan === undefined) return undefined;
    throw new JournalDamaged(join(directory, orphan.name), 0, "there is no segment beside this checkpoint");
  }
  const { roomId } = newest.header.create;
  const stranger = begun.find(({ header }) => header.create.roomId !== roomId);
  if (stranger !== undefined)
    throw new JournalDamaged(join(directory, stranger.name), 0, `the segment is not of the room ${roomId}`);

  const segments = inEffect(begun);
  const isInEffect = ({ epoch, index }: { epoch: number; index: number }) =>
    begun.every(({ header }) => header.create.epoch <= epoch || header.firstIndex > index);
  let checkpoint: Checkpoint | undefined;
  for (const file of checkpointNames
    .filter(isInEffect)
    .sort((a, b) => b.index - a.index || b.epoch - a.epoch)) {
    if (options.fromStart) break;
    const bytes = readCheckpoint(directory, file, roomId);
    if (bytes === undefined) continue;
    checkpoint = { name: file.name, index: file.index, bytes };
    break;
  }

  const read = readSteps(directory, segments, checkpoint?.index ?? 0);
  return {
    header: newest.header,
    checkpoint,
    steps: { [Symbol.iterator]: () => decodeSteps(read.spans) },
    replayed: read.replayed,
    lastIndex: read.lastIndex,
    nextEpoch: (latestEpoch(names) ?? 0) + 1,
    isDisposed: read.isDisposed,
    cutBytes: read.cutBytes + headers.reduce((sum, file) => sum + ("header" in file ? 0 : file.cutBytes), 0),
    segments,
  };
}

/** Where a step's payload is. */
type Span = { readonly path: string; readonly bytes: Buffer; readonly start: number; readonly end: number };

type StepsRead = {
  spans: Span[];
  replayed: SegmentHeader[];
  lastIndex: number;
  isDisposed: boolean;
  cutBytes: number;
};

/** Checks every record after `fromIndex`: framing, checksum, and that its index is the next. */
function readSteps(directory: string, segments: readonly SegmentFile[], fromIndex: number): StepsRead {
  const read: StepsRead = {
    spans: [],
    replayed: [],
    lastIndex: fromIndex,
    isDisposed: false,
    cutBytes: 0,
  };
  for (const [i, segment] of segments.entries()) {
    const endIndex = segments[i + 1]?.header.firstIndex ?? Number.POSITIVE_INFINITY;
    // All of it is in the checkpoint.
    if (endIndex <= read.lastIndex + 1) continue;
    const path = join(directory, segment.name);
    if (segment.header.firstIndex > read.lastIndex + 1)
      throw new JournalDamaged(path, 0, `the steps from ${read.lastIndex + 1} on are missing before it`);
    readSegment(path, segment, endIndex, read);
  }
  return read;
}

function readSegment(path: string, segment: SegmentFile, endIndex: number, read: StepsRead): void {
  const bytes = readBounded(path, SEGMENT_BYTES_MAX);
  if (bytes === undefined) throw new JournalDamaged(path, SEGMENT_BYTES_MAX, "the segment is too large");
  const spansBefore = read.spans.length;
  let index = segment.header.firstIndex;
  for (let at = segment.headerEnd; at < bytes.length && index < endIndex; index += 1) {
    const frame = frameAt(bytes, at, segment.salt);
    if (frame.kind === "torn") {
      read.cutBytes += bytes.length - at;
      break;
    }
    if (frame.kind === "damaged") throw new JournalDamaged(path, at, frame.reason);
    if (read.isDisposed) throw new JournalDamaged(path, at, "a record follows the end of the room");
    const { start, end } = frame;
    const kind = readKind(path, bytes, start, end, index);
    if (index > read.lastIndex) {
      read.lastIndex = index;
      if (kind === RecordKind.DISPOSED) read.isDisposed = true;
      else read.spans.push({ path, bytes, start, end });
    }
    at = end;
  }
  if (read.spans.length > spansBefore) read.replayed.push(segment.header);
}

function readKind(path: string, bytes: Buffer, start: number, end: number, index: number): number {
  return refusing(path, start, () => {
    const reader = new ValueReader(bytes, start, end);
    const kind = reader.uint();
    if (kind !== RecordKind.STEP && kind !== RecordKind.DISPOSED)
      throw new BadValue(`a record of the kind ${kind}`);
    const found = reader.uint();
    if (found !== index) throw new BadValue(`the record has the index ${found}, not ${index}`);
    if (kind === RecordKind.DISPOSED && !reader.isAtEnd)
      throw new BadValue("bytes follow the end of the room");
    return kind;
  });
}

function* decodeSteps(spans: readonly Span[]): Generator<JournalStep, void, undefined> {
  for (const { path, bytes, start, end } of spans) {
    yield refusing(path, start, () => {
      const reader = new ValueReader(bytes, start, end);
      // The kind, which has been checked.
      reader.uint();
      return decodeStep(reader);
    });
  }
}

/** @throws JournalDamaged for a BadValue */
function refusing<T>(path: string, offset: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof BadValue) throw new JournalDamaged(path, offset, error.message);
    throw error;
  }
}

function byOwner(a: SegmentFile, b: SegmentFile): number {
  return a.header.create.epoch - b.header.create.epoch || a.header.number - b.header.number;
}

/** Those that begin before every later one does. */
function inEffect(segments: readonly SegmentFile[]): SegmentFile[] {
  const kept: SegmentFile[] = [];
  let endIndex = Number.POSITIVE_INFINITY;
  for (const segment of segments.toReversed()) {
    if (segment.header.firstIndex >= endIndex) continue;
    endIndex = segment.header.firstIndex;
    kept.unshift(segment);
  }
  return kept;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
