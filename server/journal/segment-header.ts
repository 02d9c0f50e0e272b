/** Reads the beginning of a segment, and no more of it: a restart looks at the headers of all that a room has. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { JournalDamaged } from "./journal-errors.ts";
import { readBounded } from "./journal-fs.ts";
import { FRAME_BYTES, type Frame, frameAt } from "./records.ts";
import {
  decodeHeader,
  HEADER_BYTES_MAX,
  parseSegmentName,
  SEGMENT_BYTES_MAX,
  type SegmentHeader,
} from "./segment-format.ts";
import { BadValue, ValueReader } from "./value-reader.ts";

export type SegmentFile = {
  readonly name: string;
  readonly header: SegmentHeader;
  /** Offset of the first step. */
  readonly headerEnd: number;
  /** What the checksums of its steps start from. */
  readonly salt: number;
};

/** A segment whose owner was stopped before its header was written: it has no steps. */
export type UnbegunSegment = { readonly name: string; readonly cutBytes: number };

/**
 * @returns undefined for a file that is no segment by its name
 * @throws JournalDamaged
 */
export function readHeader(directory: string, name: string): SegmentFile | UnbegunSegment | undefined {
  const parsed = parseSegmentName(name);
  if (parsed === undefined) return undefined;
  const path = join(directory, name);
  const beginning = readBeginning(path, FRAME_BYTES + HEADER_BYTES_MAX);
  let frame = frameAt(beginning, 0, 0);
  if (frame.kind !== "record") {
    // Whether a crash can have left it, only the whole file tells.
    const whole = readBounded(path, SEGMENT_BYTES_MAX);
    if (whole === undefined) throw new JournalDamaged(path, SEGMENT_BYTES_MAX, "the segment is too large");
    frame = frameAt(whole, 0, 0);
    if (frame.kind === "torn") return { name, cutBytes: whole.length };
    throw new JournalDamaged(path, 0, frame.kind === "damaged" ? frame.reason : "the header is too large");
  }
  const header = decode(path, beginning, frame);
  if (header.create.epoch !== parsed.epoch || header.number !== parsed.number)
    throw new JournalDamaged(path, 0, "the header is that of another segment");
  return { name, header, headerEnd: frame.end, salt: frame.checksum };
}

function decode(path: string, bytes: Buffer, frame: Extract<Frame, { kind: "record" }>): SegmentHeader {
  try {
    return decodeHeader(new ValueReader(bytes, frame.start, frame.end));
  } catch (error) {
    if (error instanceof BadValue) throw new JournalDamaged(path, frame.start, error.message);
    throw error;
  }
}

function readBeginning(path: string, bytesMax: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(Math.min(bytesMax, fstatSync(fd).size));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(fd, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
