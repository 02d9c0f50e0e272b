/**
 * When written files reach the disk itself. A killed process loses nothing that it wrote, because the kernel has it;
 * a power loss does. With an interval, each file that was written to is synced at most that often, so at most that
 * much (and what a sync takes) is lost with the power; with 0 nothing is ever synced.
 *
 * It also closes the files, since a file must stay open until what was written to it is synced.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import type { JournalFs } from "./journal-fs.ts";

/** Syncs under way at once: they take threads that the rest of the process needs, too. */
const CONCURRENT_SYNCS_MAX = 2;

export type OnSyncFailed = (error: Error) => void;

export class JournalSync {
  readonly #fs: JournalFs;
  readonly #intervalMs: number;
  readonly #scheduler: Scheduler;
  /** Written to since their last sync began. */
  #dirty = new Map<number, OnSyncFailed>();
  /** Of the current round: waiting, and under way. */
  #waiting: [fd: number, onFailed: OnSyncFailed][] = [];
  readonly #syncing = new Set<number>();
  /** To be closed as soon as they are synced. */
  readonly #closing = new Set<number>();
  #timer: TimerHandle | undefined;
  #onIdle: (() => void)[] = [];

  /** @param intervalMs JOURNAL_FSYNC_MS; 0 never syncs */
  constructor(fs: JournalFs, intervalMs: number, scheduler: Scheduler) {
    this.#fs = fs;
    this.#intervalMs = intervalMs;
    this.#scheduler = scheduler;
  }

  /** @param onFailed told when the sync fails: what was written may be lost, whatever later syncs say */
  markDirty(fd: number, onFailed: OnSyncFailed): void {
    if (this.#intervalMs === 0) return;
    this.#dirty.set(fd, onFailed);
    this.#arm();
  }

  /** Closes a file, once it is synced. */
  close(fd: number): void {
    if (this.#dirty.has(fd) || this.#isInRound(fd)) this.#closing.add(fd);
    else this.#fs.close(fd);
  }

  /** Syncs a directory, so that files which have come, gone or changed their names in it did so for good. */
  directoryChanged(path: string, onFailed: OnSyncFailed): void {
    if (this.#intervalMs === 0) return;
    const fd = this.#fs.openDirectory(path);
    this.markDirty(fd, onFailed);
    this.close(fd);
  }

  /** Syncs all that is dirty now, without waiting for the interval. Resolves when nothing is dirty any more. */
  async flush(): Promise<void> {
    if (this.#dirty.size === 0 && !this.#isRunning) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    this.#disarm();
    if (!this.#isRunning) this.#startRound();
    return promise;
  }

  get #isRunning(): boolean {
    return this.#syncing.size > 0 || this.#waiting.length > 0;
  }

  #isInRound(fd: number): boolean {
    return this.#syncing.has(fd) || this.#waiting.some(([waiting]) => waiting === fd);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#isRunning) return;
    this.#timer = this.#scheduler.setTimeout(() => {
      this.#timer = undefined;
      this.#startRound();
    }, this.#intervalMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#scheduler.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #startRound(): void {
    this.#waiting = [...this.#dirty];
    this.#dirty = new Map();
    for (let i = 0; i < CONCURRENT_SYNCS_MAX; i += 1) this.#startNext();
  }

  #startNext(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const [fd, onFailed] = next;
    this.#syncing.add(fd);
    this.#fs.fsync(fd, (error) => {
      this.#syncing.delete(fd);
      if (!this.#dirty.has(fd) && this.#closing.delete(fd)) this.#fs.close(fd);
      if (error !== null) onFailed(error);
      this.#startNext();
      if (!this.#isRunning) this.#endRound();
    });
  }

  #endRound(): void {
    if (this.#dirty.size === 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
    } else if (this.#onIdle.length > 0) this.#startRound();
    else this.#arm();
  }
}
