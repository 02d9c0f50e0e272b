/**
 * Which room a worker is stepping, in a file that outlives the worker: a crash in the middle of a step is that room's
 * doing, one between steps is nobody's. Two small writes a step, into the page cache.
 */
import { openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errorCode, FILE_MODE, nodeFs } from "./journal-fs.ts";

const DIRECTORY = "marks";
const NONE = Buffer.alloc(1);
const END = 0;
/** A room's id, of 64 characters at most, and its end. */
const MARK_BYTES_MAX = 65;

export class StepMark {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns undefined when it cannot be written, on a full disk for instance: then a crash blames nobody */
  static open(dataDirectory: string, pid: number): StepMark | undefined {
    try {
      const directory = join(dataDirectory, DIRECTORY);
      nodeFs.makeDirectory(directory);
      const fd = openSync(join(directory, String(pid)), "w", FILE_MODE);
      // What is there can be written again even when the disk is full.
      writeSync(fd, Buffer.alloc(MARK_BYTES_MAX), 0, MARK_BYTES_MAX, 0);
      return new StepMark(fd);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /** @param mark of `markOf` */
  begin(mark: Uint8Array): void {
    writeSync(this.#fd, mark, 0, mark.length, 0);
  }

  end(): void {
    writeSync(this.#fd, NONE, 0, NONE.length, 0);
  }
}

/** @returns what stands for a room in the file; made once, for it is written at every step */
export function markOf(roomId: string): Uint8Array {
  return Buffer.from(`${roomId}\0`);
}

/** @returns the room that a worker which is gone was stepping, if it was; the file is deleted */
export function takeMark(dataDirectory: string, pid: number): string | undefined {
  const file = join(dataDirectory, DIRECTORY, String(pid));
  try {
    const bytes = readFileSync(file);
    rmSync(file);
    const end = bytes.indexOf(END);
    return end > 0 ? bytes.toString("latin1", 0, end) : undefined;
  } catch {
    // A worker that has never stepped a room, or had no disk to write to.
    return undefined;
  }
}
