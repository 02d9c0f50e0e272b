/** When written files are synced to the disk, in simulated time, on a file system whose syncs end when told. */
import { expect, test, vi } from "vitest";
import { type JournalFs, nodeFs } from "../../../server/journal/journal-fs.ts";
import { JournalSync } from "../../../server/journal/journal-sync.ts";
import { RoomJournal } from "../../../server/journal/room-journal.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import {
  appendSteps,
  checkpointBytes,
  makeTemporaryDirectory,
  originOf,
  systemError,
} from "./journal-harness.ts";

const INTERVAL_MS = 100;

function setUp(intervalMs = INTERVAL_MS) {
  const time = new SimulatedTime();
  const started: number[] = [];
  const closed: number[] = [];
  const callbacks: ((error: Error | null) => void)[] = [];
  const fs: JournalFs = {
    ...nodeFs,
    openDirectory: () => 99,
    close: (fd) => void closed.push(fd),
    fsync: (fd, callback) => {
      started.push(fd);
      callbacks.push(callback);
    },
  };
  const finish = (error: Error | null = null) => callbacks.shift()?.(error);
  const onFailed = vi.fn<(error: Error) => void>();
  return { time, started, closed, finish, onFailed, sync: new JournalSync(fs, intervalMs, time) };
}

test("with 0 nothing is synced, and files close at once", async () => {
  const { sync, time, started, closed, onFailed } = setUp(0);
  sync.markDirty(1, onFailed);
  sync.directoryChanged("/rooms", onFailed);
  sync.close(1);
  await sync.flush();
  expect(time.pendingTimers).toBe(0);
  expect({ started, closed }).toEqual({ started: [], closed: [1] });
});

test("a file is synced once per interval, however often it is written to", async () => {
  const { sync, time, started, finish, onFailed } = setUp();
  for (let i = 0; i < 5; i += 1) sync.markDirty(1, onFailed);
  await time.advance(INTERVAL_MS - 1);
  expect(started).toEqual([]);
  await time.advance(1);
  expect(started).toEqual([1]);
  // Written to while the sync is under way: that write is for the next one.
  sync.markDirty(1, onFailed);
  finish();
  await time.advance(INTERVAL_MS - 1);
  expect(started).toEqual([1]);
  await time.advance(1);
  expect(started).toEqual([1, 1]);
  finish();
  await time.advance(INTERVAL_MS * 5);
  expect(started).toEqual([1, 1]);
});

test("a disk that is slower than the interval is not asked again before it has answered", async () => {
  const { sync, time, started, finish, onFailed } = setUp();
  sync.markDirty(1, onFailed);
  await time.advance(INTERVAL_MS);
  sync.markDirty(1, onFailed);
  await time.advance(INTERVAL_MS * 10);
  expect(started).toEqual([1]);
  finish();
  await time.advance(INTERVAL_MS);
  expect(started).toEqual([1, 1]);
});

test("two syncs at most are under way at once", async () => {
  const { sync, time, started, finish, onFailed } = setUp();
  for (let fd = 1; fd <= 5; fd += 1) sync.markDirty(fd, onFailed);
  await time.advance(INTERVAL_MS);
  expect(started).toEqual([1, 2]);
  finish();
  expect(started).toEqual([1, 2, 3]);
});

test("a file that is closed stays open until it is synced, whenever that is", async () => {
  const { sync, time, closed, finish, onFailed } = setUp();
  for (const fd of [1, 2, 3]) sync.markDirty(fd, onFailed);
  sync.close(3);
  await time.advance(INTERVAL_MS);
  sync.close(1);
  sync.markDirty(2, onFailed);
  sync.close(2);
  expect(closed).toEqual([]);
  finish();
  finish();
  expect(closed).toEqual([1]);
  finish();
  expect(closed).toEqual([1, 3]);
  await time.advance(INTERVAL_MS);
  finish();
  expect(closed).toEqual([1, 3, 2]);
});

test("flush syncs at once and waits for all of it", async () => {
  const { sync, time, started, finish, onFailed } = setUp();
  for (const fd of [1, 2, 3]) sync.markDirty(fd, onFailed);
  const flushed = vi.fn();
  const done = sync.flush().then(flushed);
  finish();
  sync.markDirty(1, onFailed);
  finish();
  finish();
  await time.settle();
  expect(started).toEqual([1, 2, 3, 1]);
  expect(flushed).not.toHaveBeenCalled();
  finish();
  await done;
  expect(time.pendingTimers).toBe(0);
});

test("a sync that fails is told to whoever wrote", async () => {
  const { sync, time, finish, onFailed } = setUp();
  sync.markDirty(1, onFailed);
  await time.advance(INTERVAL_MS);
  finish(systemError("EIO"));
  expect(onFailed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "EIO" }));
});

test("a journal whose file cannot be synced has failed, and its next checkpoint makes it good", async () => {
  const time = new SimulatedTime();
  let error: Error | null = systemError("EIO");
  const fs: JournalFs = { ...nodeFs, fsync: (_, callback) => callback(error) };
  const sync = new JournalSync(fs, INTERVAL_MS, time);
  const onFailure = vi.fn<(error: Error) => void>();
  const journal = RoomJournal.create({
    directory: makeTemporaryDirectory(),
    origin: originOf(1),
    recovered: undefined,
    keepAll: false,
    services: { fs, sync, writer: new ValueWriter() },
    onFailure,
  });
  appendSteps(journal, 3);
  await time.advance(INTERVAL_MS);
  expect(journal.state).toBe("failed");
  expect(onFailure).toHaveBeenCalledOnce();
  error = null;
  journal.checkpoint(checkpointBytes(3));
  appendSteps(journal, 3);
  await time.advance(INTERVAL_MS);
  expect(journal.state).toBe("good");
  journal.close();
  await sync.flush();
});
