/**
 * Framing: a file is a row of records, each with its length and checksum, so that what a crash has cut off can be told
 * from what has been damaged.
 *
 *   u32 length of the payload | u32 the same, inverted | u32 CRC-32 of the payload | payload      (little-endian)
 *
 * The inverted length makes the difference exact: a record whose header is whole and which reaches past the end of
 * the file was cut while it was written; a length that has been changed never looks like that. Checksums start from
 * a salt of their file's own, so that a record of another file is never taken for one of this.
 */
import { crc32 } from "node:zlib";
import { RECORD_BYTES_MAX } from "./value-writer.ts";

/** Space for the header, in front of the payload. */
export const FRAME_BYTES = 12;

/** First value of every payload. The numbers are part of the file format. */
export const RecordKind = { HEADER: 0, STEP: 1, DISPOSED: 2, CHECKPOINT: 3 } as const;

export type Frame =
  | { readonly kind: "record"; readonly start: number; readonly end: number; readonly checksum: number }
  /** From here on there is nothing but what a crash may leave. */
  | { readonly kind: "torn" }
  | { readonly kind: "damaged"; readonly reason: string };

/**
 * Writes the header of a record whose payload is in `bytes` from FRAME_BYTES on.
 *
 * @returns the checksum
 */
export function sealRecord(bytes: Buffer, end: number, salt: number): number {
  const checksum = crc32(bytes.subarray(FRAME_BYTES, end), salt);
  writeFrame(bytes, end - FRAME_BYTES, checksum);
  return checksum;
}

export function writeFrame(header: Buffer, payloadBytes: number, checksum: number): void {
  header.writeUInt32LE(payloadBytes, 0);
  header.writeUInt32LE(~payloadBytes >>> 0, 4);
  header.writeUInt32LE(checksum, 8);
}

/**
 * Reads the record at `at`. Torn is: a header or a payload that the file is too
 * short for; and, since a power loss may leave a file longer than what was written to it, a header or payload that
 * does not fit its checksum and is followed by nothing or only zeros.
 */
export function frameAt(bytes: Buffer, at: number, salt: number): Frame {
  const start = at + FRAME_BYTES;
  if (start > bytes.length) return { kind: "torn" };
  const length = bytes.readUInt32LE(at);
  if (bytes.readUInt32LE(at + 4) !== ~length >>> 0) return cutOr("the length is not one", bytes, start);
  if (length > RECORD_BYTES_MAX) return { kind: "damaged", reason: `a record of ${length} bytes` };
  const end = start + length;
  if (end > bytes.length) return { kind: "torn" };
  const checksum = crc32(bytes.subarray(start, end), salt);
  if (checksum !== bytes.readUInt32LE(at + 8)) return cutOr("the checksum does not fit", bytes, end);
  return { kind: "record", start, end, checksum };
}

function cutOr(reason: string, bytes: Buffer, from: number): Frame {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] !== 0) return { kind: "damaged", reason };
  return { kind: "torn" };
}
