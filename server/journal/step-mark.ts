/**
 * Which room a worker is stepping, in a file that outlives the worker: a crash in the middle of a step is that room's
 * doing, one between steps is nobody's. Two small writes a step, into the page cache.
 */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FILE_MODE, nodeFs } from "./journal-fs.ts";

const DIRECTORY = "marks";
const NONE = Buffer.alloc(1);
const END = 0;

export class StepMark {
  readonly #fd: number;

  constructor(dataDirectory: string, pid: number) {
    const directory = join(dataDirectory, DIRECTORY);
    nodeFs.makeDirectory(directory);
    this.#fd = openSync(join(directory, String(pid)), "w", FILE_MODE);
  }

  /** @param mark of `markOf` */
  begin(mark: Uint8Array): void {
    writeSync(this.#fd, mark, 0, mark.length, 0);
  }

  end(): void {
    writeSync(this.#fd, NONE, 0, NONE.length, 0);
  }

  close(): void {
    closeSync(this.#fd);
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
