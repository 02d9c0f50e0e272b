/** Random changes of files, as broken disks and careless hands make them. */
import type { Random } from "../../shared/sim/random.ts";

type Change = (file: Buffer, at: number, end: number, random: Random) => Buffer;

const SHORT_BYTES = 8;
const LONG_BYTES = 400;

const CHANGES: readonly Change[] = [
  // A bit flips.
  (file, at, _end, random) => {
    const changed = Buffer.from(file);
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << below(8, random)), at);
    return changed;
  },
  // Cut off.
  (file, at) => file.subarray(0, at),
  // Left out, doubled, never written, in between, overwritten.
  (file, at, end) => Buffer.concat([file.subarray(0, at), file.subarray(end)]),
  (file, at, end) => Buffer.concat([file.subarray(0, end), file.subarray(at)]),
  (file, at, end) => Buffer.concat([file.subarray(0, at), Buffer.alloc(end - at), file.subarray(end)]),
  (file, at, end, random) =>
    Buffer.concat([file.subarray(0, at), noise(end - at, random), file.subarray(at)]),
  (file, at, end, random) =>
    Buffer.concat([file.subarray(0, at), noise(end - at, random), file.subarray(end)]),
  // Moved to another place.
  (file, at, end, random) => {
    const rest = Buffer.concat([file.subarray(0, at), file.subarray(end)]);
    const to = below(rest.length + 1, random);
    return Buffer.concat([rest.subarray(0, to), file.subarray(at, end), rest.subarray(to)]);
  },
];

/** @param file of one byte or more; @returns it with one change, which may happen to make no difference */
export function mutate(file: Buffer, random: Random): Buffer {
  const change = CHANGES[below(CHANGES.length, random)] as Change;
  const at = below(file.length, random);
  const bytes = 1 + below(below(2, random) === 0 ? SHORT_BYTES : LONG_BYTES, random);
  return change(file, at, Math.min(file.length, at + bytes), random);
}

/** @returns a whole number from 0 to `limit` - 1 */
export function below(limit: number, random: Random): number {
  return Math.floor(random.next() * limit);
}

function noise(bytes: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => below(256, random)));
}
