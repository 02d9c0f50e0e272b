/**
 * Who may use a data directory: one server at a time, whoever holds its lease. The lease is a file that its holder
 * keeps open and touches; it is free when its holder's process is gone, or has not touched it for LEASE_STALE_MS (the
 * holder may run in another container or on another machine, where its process cannot be seen).
 *
 * A holder that was stopped for too long learns at its next touch that another has taken over: the name then leads to
 * another file. It touches its own open file and never the name, so it cannot take the lease back by accident.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { errorCode, FILE_MODE, readBounded } from "./journal-fs.ts";

export const LEASE_RENEW_MS = 2_000;
/** Not touched for this long: the holder is taken for gone. Several renewals must fit. */
export const LEASE_STALE_MS = 10_000;
const LEASE_FILE_BYTES_MAX = 4 * 1024;
const TOKEN_BYTES = 16;

/** What tells processes apart. */
export type ProcessProbe = {
  readonly pid: number;
  /** Names the boot and the process-id namespace; pids mean something only where it is the same. */
  readonly host: string;
  /** @returns when the process began, in any unit; undefined if there is none of this pid */
  startOf(pid: number): string | undefined;
  /** Milliseconds since 1970, comparable to the time stamps of files. */
  wallMs(): number;
};

/** From /proc; where there is none, only time tells whether a holder is gone. */
export const systemProbe: ProcessProbe = {
  pid: process.pid,
  host: readHost(),
  startOf: readStart,
  wallMs: Date.now,
};

/** The directory is in use; the message is the sentence to print. */
export class DataDirectoryInUse extends Error {
  constructor(directory: string, holder: string) {
    super(`DATA_DIR ${directory} is in use by another server (${holder}); two servers cannot share one.`);
    this.name = "DataDirectoryInUse";
  }
}

export type LeaseOptions = {
  readonly directory: string;
  readonly scheduler: Scheduler;
  readonly probe: ProcessProbe;
  /** Another server has taken over, or the lease cannot be renewed: this one must stop at once. */
  readonly onLost: (error: Error) => void;
};

type Holder = {
  readonly pid: number;
  readonly host: string;
  readonly start: string;
  readonly token: string;
};

export class Lease {
  readonly #options: LeaseOptions;
  readonly #path: string;
  readonly #fd: number;
  #timer: TimerHandle | undefined;

  /** @throws DataDirectoryInUse, or what the file system throws */
  static acquire(options: LeaseOptions): Lease {
    const path = join(options.directory, "lease");
    // Only one of several servers that find the lease free at the same time may go on.
    const lockPath = `${path}.lock`;
    const lockFd = lock(lockPath, options);
    try {
      const holder = readHolder(path);
      if (holder !== undefined && isHeld(path, holder, options.probe))
        throw new DataDirectoryInUse(options.directory, `process ${holder.pid}`);
      return new Lease(options, path);
    } finally {
      closeSync(lockFd);
      unlinkSync(lockPath);
    }
  }

  private constructor(options: LeaseOptions, path: string) {
    this.#options = options;
    this.#path = path;
    const { probe } = options;
    const token = randomBytes(TOKEN_BYTES).toString("hex");
    const holder: Holder = { pid: probe.pid, host: probe.host, start: probe.startOf(probe.pid) ?? "", token };
    const beside = `${path}.${token}`;
    this.#fd = openSync(beside, "wx", FILE_MODE);
    writeSync(this.#fd, JSON.stringify(holder));
    this.#touch();
    renameSync(beside, path);
    this.#arm();
  }

  /** Gives the directory free. */
  release(): void {
    if (this.#timer === undefined) return;
    this.#options.scheduler.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isOwn()) unlinkSync(this.#path);
    closeSync(this.#fd);
  }

  #arm(): void {
    this.#timer = this.#options.scheduler.setTimeout(() => this.#renew(), LEASE_RENEW_MS);
  }

  #renew(): void {
    try {
      this.#touch();
      if (!this.#isOwn())
        throw new DataDirectoryInUse(this.#options.directory, "which has taken over from this one");
      this.#arm();
    } catch (error) {
      this.#timer = undefined;
      closeSync(this.#fd);
      this.#options.onLost(error as Error);
    }
  }

  #touch(): void {
    const seconds = this.#options.probe.wallMs() / 1_000;
    futimesSync(this.#fd, seconds, seconds);
  }

  #isOwn(): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const own = fstatSync(this.#fd);
    return there?.ino === own.ino && there.dev === own.dev;
  }
}

/**
 * The lock is held for about a millisecond: an old one was left behind by a server that died meanwhile. Should two
 * servers break the same old lock at once, the one that was overtaken learns of it at its first renewal.
 */
function lock(lockPath: string, { directory, probe }: LeaseOptions): number {
  const there = statSync(lockPath, { throwIfNoEntry: false });
  if (there !== undefined && probe.wallMs() - there.mtimeMs > LEASE_STALE_MS) unlinkSync(lockPath);
  try {
    return openSync(lockPath, "wx", FILE_MODE);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    throw new DataDirectoryInUse(directory, "which is starting");
  }
}

function isHeld(path: string, holder: Holder, probe: ProcessProbe): boolean {
  const isSameHost = holder.host === probe.host && holder.host !== "";
  if (isSameHost && probe.startOf(holder.pid) !== holder.start) return false;
  // A clock that was set back makes the time stamp one of the future: that says nothing for longer than usual.
  const file = statSync(path, { throwIfNoEntry: false });
  return file !== undefined && Math.abs(probe.wallMs() - file.mtimeMs) <= LEASE_STALE_MS;
}

/** @returns undefined if there is no lease, or not a whole one: it is renamed into place when it is whole */
function readHolder(path: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readBounded(path, LEASE_FILE_BYTES_MAX)?.toString() ?? "null");
    return isHolder(holder) ? holder : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host, start, token } = value as Record<keyof Holder, unknown>;
  return Number.isSafeInteger(pid) && [host, start, token].every((field) => typeof field === "string");
}

function readHost(): string {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

/** Of /proc/<pid>/stat, field 22, behind the second: a name in parentheses that may hold anything. A zombie is gone. */
function readStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
