/** One server per data directory, and what is where in it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  listQuarantine,
  listRooms,
  openDataDirectory,
  quarantineRoom,
  removeRoomFiles,
  roomDirectory,
} from "../../../server/journal/data-directory.ts";
import {
  DataDirectoryInUse,
  LEASE_RENEW_MS,
  LEASE_STALE_MS,
  type ProcessProbe,
  systemProbe,
} from "../../../server/journal/lease.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { makeTemporaryDirectory } from "./journal-harness.ts";

const START_MS = 1_700_000_000_000;

/** Processes on simulated time: which pids there are, and when each began. */
function setUp() {
  const directory = join(makeTemporaryDirectory(), "data");
  const time = new SimulatedTime(START_MS);
  const processes = new Map<number, string>();
  const server = (pid: number, host = "boot-1") => {
    if (!processes.has(pid)) processes.set(pid, `start-${pid}`);
    const probe: ProcessProbe = {
      pid,
      host,
      startOf: (other) => processes.get(other),
      wallMs: () => time.now(),
    };
    const onLost = vi.fn<(error: Error) => void>();
    return { onLost, open: () => openDataDirectory({ directory, scheduler: time, probe, onLost }) };
  };
  return { directory, time, processes, server };
}

test("a lease that is held refuses every other server, with a sentence that names the directory", async () => {
  const { directory, time, server } = setUp();
  server(1).open();
  for (const other of [server(2), server(1), server(3, "boot-2")]) {
    expect(other.open).toThrow(DataDirectoryInUse);
    expect(other.open).toThrow(`DATA_DIR ${directory} is in use by another server (process 1)`);
  }
  // It is renewed for as long as its holder lives.
  await time.advance(LEASE_STALE_MS * 3);
  expect(server(3, "boot-2").open).toThrow(DataDirectoryInUse);
});

test("a released lease is free at once, and is renewed no more", () => {
  const { directory, time, server } = setUp();
  server(1).open().release();
  expect(time.pendingTimers).toBe(0);
  expect(existsSync(join(directory, "lease"))).toBe(false);
  server(2).open();
});

test("the lease of a process that is gone is free at once, on the same host only", () => {
  const { processes, server } = setUp();
  server(1).open();
  processes.delete(1);
  expect(server(2, "boot-2").open).toThrow(DataDirectoryInUse);
  server(2).open();
});

test("another process that has got the pid of the holder is not the holder", () => {
  const { processes, server } = setUp();
  server(1).open();
  processes.set(1, "start-later");
  server(1).open();
});

test("a holder that cannot be seen loses its lease when it has not renewed it in time, and learns of it", async () => {
  const { time, server } = setUp();
  const frozen = server(1);
  const lease = frozen.open();
  time.stall(LEASE_STALE_MS);
  const next = server(7, "boot-2");
  expect(next.open).toThrow(DataDirectoryInUse);
  time.stall(1);
  next.open();
  // It thaws, and must not take back what it has lost.
  await time.advance(LEASE_RENEW_MS);
  expect(frozen.onLost).toHaveBeenCalledExactlyOnceWith(expect.any(DataDirectoryInUse));
  lease.release();
  await time.advance(LEASE_STALE_MS * 2);
  expect(next.onLost).not.toHaveBeenCalled();
  expect(server(3, "boot-3").open).toThrow(DataDirectoryInUse);
});

test("a lease file that is gone is a lost lease", async () => {
  const { directory, time, server } = setUp();
  const one = server(1);
  one.open();
  renameSync(join(directory, "lease"), join(directory, "elsewhere"));
  await time.advance(LEASE_RENEW_MS);
  expect(one.onLost).toHaveBeenCalledOnce();
});

test("a lease file that says nothing is no lease", () => {
  const { directory, server } = setUp();
  mkdirSync(directory);
  for (const content of ["", "{", "null", "[]", '{"pid":"1"}', "x".repeat(10_000)]) {
    writeFileSync(join(directory, "lease"), content);
    server(1).open().release();
  }
});

test("of two servers that start at once, one waits its turn; a lock left behind does not last", () => {
  const { directory, time, server } = setUp();
  mkdirSync(directory);
  const lock = join(directory, "lease.lock");
  writeFileSync(lock, "");
  utimesSync(lock, START_MS / 1_000, START_MS / 1_000);
  expect(server(1).open).toThrow("which is starting");
  time.stall(LEASE_STALE_MS + 1);
  server(1).open();
  expect(existsSync(lock)).toBe(false);
});

test("a real process that was killed is seen to be gone", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const pid = child.pid as number;
  const start = systemProbe.startOf(pid);
  expect(start).toMatch(/^\d+$/);
  expect(systemProbe.startOf(process.pid)).not.toBeUndefined();
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(systemProbe.startOf(pid)).toBeUndefined();
});

test("directories and the lease are for the server's user alone", () => {
  const { directory, server } = setUp();
  server(1).open();
  for (const name of ["", "rooms", "quarantine", "removed"])
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "lease")).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory).sort()).toEqual(["lease", "quarantine", "removed", "rooms"]);
});

test("rooms are listed, put aside and removed", () => {
  const { directory, server } = setUp();
  server(1).open();
  for (const roomId of ["a-1", "b_2", "c3"]) {
    mkdirSync(roomDirectory(directory, roomId));
    writeFileSync(join(roomDirectory(directory, roomId), "1-0.journal"), roomId);
  }
  writeFileSync(join(directory, "rooms", "file"), "");
  mkdirSync(join(directory, "rooms", "not.a.room"));
  symlinkSync(roomDirectory(directory, "a-1"), join(directory, "rooms", "link"));
  expect(listRooms(directory).sort()).toEqual(["a-1", "b_2", "c3"]);

  quarantineRoom(directory, "a-1");
  expect(listRooms(directory).sort()).toEqual(["b_2", "c3"]);
  expect(listQuarantine(directory)).toEqual(["a-1"]);
  expect(readFileSync(join(directory, "quarantine", "a-1", "1-0.journal"), "utf8")).toBe("a-1");

  removeRoomFiles(directory, "b_2");
  removeRoomFiles(directory, "b_2");
  expect(listRooms(directory)).toEqual(["c3"]);
  expect(readdirSync(join(directory, "removed"))).toEqual([]);
});

test("a removal that was broken off is ended by the next start", () => {
  const { directory, server } = setUp();
  server(1).open().release();
  mkdirSync(join(directory, "removed", "a-1"));
  writeFileSync(join(directory, "removed", "a-1", "1-0.journal"), "");
  server(1).open();
  expect(listRooms(directory)).toEqual([]);
  expect(readdirSync(join(directory, "removed"))).toEqual([]);
});

test("an id that is a path is refused everywhere", () => {
  const { directory, server } = setUp();
  server(1).open();
  for (const roomId of [
    "",
    ".",
    "..",
    "../rooms",
    "a/b",
    "a\\b",
    "a\0",
    "a b",
    "a.b",
    "é",
    "x".repeat(65),
    "a\n",
  ]) {
    for (const use of [roomDirectory, quarantineRoom, removeRoomFiles])
      expect(() => use(directory, roomId)).toThrow(RangeError);
  }
});
