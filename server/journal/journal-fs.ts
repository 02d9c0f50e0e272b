/**
 * The few calls of the file system by which journals are written, as a parameter: tests put faults between them.
 * Synchronous, because a write that has returned survives the process, and one that is under way does not.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";

export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

export interface JournalFs {
  makeDirectory(path: string): void;
  /** @returns a descriptor that appends to a file that did not exist; fails with EEXIST if it did */
  createFile(path: string): number;
  /** @returns a descriptor of an emptied or new file */
  replaceFile(path: string): number;
  openDirectory(path: string): number;
  /** @returns how many bytes were written, which may be fewer than asked for */
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  close(fd: number): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  list(directory: string): string[];
  fsync(fd: number, callback: (error: Error | null) => void): void;
}

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

export const nodeFs: JournalFs = {
  makeDirectory: (path) => void mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE }),
  createFile: (path) => openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, FILE_MODE),
  replaceFile: (path) => openSync(path, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE),
  openDirectory: (path) => openSync(path, O_RDONLY | O_DIRECTORY),
  write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, length),
  close: closeSync,
  rename: renameSync,
  unlink: unlinkSync,
  list: (directory) => readdirSync(directory),
  fsync,
};

/** Writes the first `length` bytes; one system call unless the file system takes only a part of them. */
export function writeAll(fs: JournalFs, fd: number, bytes: Uint8Array, length: number): void {
  for (let at = 0; at < length; ) at += fs.write(fd, bytes, at, length - at);
}

/** @returns the whole file, or undefined if it has more than `bytesMax`: that is known before anything is allocated */
export function readBounded(path: string, bytesMax: number): Buffer | undefined {
  const fd = openSync(path, O_RDONLY);
  try {
    return fstatSync(fd).size > bytesMax ? undefined : readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @returns the code of a failed system call, such as "ENOENT"; undefined for any other error, Node's own included */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "ERR_";
  return code.startsWith("ERR_") ? undefined : code;
}
