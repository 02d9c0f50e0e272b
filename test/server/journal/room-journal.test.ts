/** What an owner writes: failed writes, checkpoints and the moments between their stages, what is deleted and when. */
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { JournalTooLarge } from "../../../server/journal/journal-errors.ts";
import { readRoom } from "../../../server/journal/journal-reader.ts";
import type { RoomJournalOptions } from "../../../server/journal/room-journal.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import {
  appendSteps,
  Crash,
  checkpointBytes,
  FaultyFs,
  makeTemporaryDirectory,
  originOf,
  restore,
  servicesOn,
  stepsBetween,
  systemError,
  takeOver,
} from "./journal-harness.ts";

function openOn(fs: FaultyFs, options: Partial<RoomJournalOptions> = {}) {
  const directory = join(makeTemporaryDirectory(), "room1");
  const onFailure = vi.fn<(error: Error) => void>();
  return {
    directory,
    onFailure,
    journal: takeOver(directory, { services: servicesOn(fs), onFailure, ...options }),
  };
}

function failing(...calls: string[]): FaultyFs["before"] {
  return (call) => {
    if (calls.includes(call)) throw systemError("ENOSPC");
  };
}

test("a step is one write, whatever is in it", () => {
  const fs = new FaultyFs();
  const { journal } = openOn(fs);
  fs.calls.length = 0;
  appendSteps(journal, 3);
  expect(fs.calls).toEqual(["write", "write", "write"]);
});

test("files are the owner's alone", () => {
  const { directory, journal } = openOn(new FaultyFs());
  appendSteps(journal, 1);
  journal.checkpoint(checkpointBytes(1));
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
});

test("a write that takes only a part is gone on with", () => {
  const fs = new FaultyFs();
  fs.writeBytesMax = 7;
  const { directory, journal } = openOn(fs);
  appendSteps(journal, 3);
  journal.checkpoint(checkpointBytes(3));
  appendSteps(journal, 3);
  expect(restore(directory)).toStrictEqual({ from: 3, steps: stepsBetween(3, 6), lastIndex: 6 });
});

test("a full disk: the journal fails once, counts on, and is good again with the next checkpoint", () => {
  const fs = new FaultyFs();
  const { directory, journal, onFailure } = openOn(fs);
  appendSteps(journal, 4);
  fs.before = failing("write");
  appendSteps(journal, 3);
  expect(journal).toMatchObject({ state: "failed", index: 7 });
  expect(onFailure).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "ENOSPC" }));
  expect(() => journal.checkpoint(checkpointBytes(7))).toThrow("ENOSPC");
  expect(journal.state).toBe("failed");
  // There is room again, and steps are still not written: they would not follow the last one that was.
  fs.before = () => undefined;
  appendSteps(journal, 1);
  expect(restore(directory)).toStrictEqual({ from: 0, steps: stepsBetween(0, 4), lastIndex: 4 });

  journal.checkpoint(checkpointBytes(8));
  appendSteps(journal, 2);
  expect(journal.state).toBe("good");
  expect(restore(directory)).toStrictEqual({ from: 8, steps: stepsBetween(8, 10), lastIndex: 10 });
  fs.before = failing("write");
  appendSteps(journal, 1);
  expect(onFailure).toHaveBeenCalledTimes(2);
});

test("a disk that is full in the middle of a record leaves a torn one", () => {
  const fs = new FaultyFs();
  const { directory, journal } = openOn(fs);
  appendSteps(journal, 4);
  fs.writeBytesMax = 20;
  let writes = 0;
  fs.before = (call) => {
    if (call === "write" && ++writes > 1) throw systemError("ENOSPC");
  };
  appendSteps(journal, 1);
  expect(journal.state).toBe("failed");
  expect(readRoom(directory)).toMatchObject({ lastIndex: 4, cutBytes: 20 });
});

test("a room that begins on a full disk runs unjournaled until its first checkpoint", () => {
  for (const call of ["makeDirectory", "createFile", "write"]) {
    const fs = new FaultyFs();
    fs.before = failing(call);
    const { directory, journal, onFailure } = openOn(fs);
    expect(journal.state).toBe("failed");
    expect(onFailure).toHaveBeenCalledOnce();
    appendSteps(journal, 5);
    expect(readRoom(directory)).toBeUndefined();
    fs.before = () => undefined;
    journal.checkpoint(checkpointBytes(5));
    appendSteps(journal, 1);
    expect(restore(directory)).toStrictEqual({ from: 5, steps: stepsBetween(5, 6), lastIndex: 6 });
  }
});

test("a checkpoint that fails at any stage leaves the journal going on where it was", () => {
  for (const call of ["makeDirectory", "list", "replaceFile", "write", "rename", "createFile"]) {
    const fs = new FaultyFs();
    const { directory, journal, onFailure } = openOn(fs);
    appendSteps(journal, 4);
    fs.before = failing(call);
    expect(() => journal.checkpoint(checkpointBytes(4))).toThrow("ENOSPC");
    fs.before = () => undefined;
    expect(journal.state).toBe("good");
    expect(onFailure).not.toHaveBeenCalled();
    appendSteps(journal, 2);
    const { from, steps, lastIndex } = restore(directory);
    expect(steps).toStrictEqual(stepsBetween(from, 6));
    expect(lastIndex).toBe(6);
    journal.checkpoint(checkpointBytes(6));
    appendSteps(journal, 1);
    expect(restore(directory)).toStrictEqual({ from: 6, steps: stepsBetween(6, 7), lastIndex: 7 });
  }
});

// Listing, writing beside, renaming, deleting; and where each checkpoint begins a segment, that, and deleting more.
test.each([
  [0, 10],
  [1024 * 1024, 7],
])(
  "a crash before any single call of a checkpoint loses nothing, and the next owner goes on (segments from %i bytes)",
  (segmentBytesMin, crashesMin) => {
    let crashes = 0;
    for (let at = 0; ; at += 1) {
      const fs = new FaultyFs();
      const { directory, journal } = openOn(fs, { segmentBytesMin });
      for (const _ of [1, 2]) {
        appendSteps(journal, 4);
        journal.checkpoint(checkpointBytes(journal.index));
      }
      appendSteps(journal, 4);
      let calls = 0;
      let hasCrashed = false;
      fs.before = () => {
        if (calls++ >= at) {
          hasCrashed = true;
          throw new Crash();
        }
      };
      try {
        journal.checkpoint(checkpointBytes(12));
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      const found = restore(directory);
      expect([8, 12]).toContain(found.from);
      expect(found).toStrictEqual({ from: found.from, steps: stepsBetween(found.from, 12), lastIndex: 12 });
      const next = takeOver(directory, { segmentBytesMin });
      appendSteps(next, 4);
      next.checkpoint(checkpointBytes(16));
      appendSteps(next, 1);
      expect(restore(directory)).toStrictEqual({ from: 16, steps: stepsBetween(16, 17), lastIndex: 17 });
      if (!hasCrashed) break;
      crashes += 1;
    }
    expect(crashes).toBeGreaterThan(crashesMin);
  },
);

test("a segment goes on behind checkpoints until it is long, and goes when all of it is in both", () => {
  const { directory, journal } = openOn(new FaultyFs(), { segmentBytesMin: 2_000 });
  const segments = () => readdirSync(directory).filter((name) => name.endsWith(".journal"));
  const bytesOf = (name: string) => statSync(join(directory, name)).size;
  const seen = new Set<string>();
  for (let steps = 4; steps <= 100; steps += 4) {
    const longBefore = bytesOf(segments().at(-1) as string);
    appendSteps(journal, 4);
    const isLong = bytesOf(segments().at(-1) as string) >= 2_000;
    const before = segments().at(-1);
    journal.checkpoint(checkpointBytes(steps));
    expect(longBefore).toBeLessThan(2_000);
    expect(segments().at(-1) === before).toBe(!isLong);
    expect(segments().length).toBeLessThanOrEqual(2);
    expect(restore(directory)).toStrictEqual({ from: steps, steps: [], lastIndex: steps });
    for (const name of segments()) seen.add(name);
  }
  expect(seen.size).toBeGreaterThan(3);
  truncateSync(join(directory, "1-100.checkpoint"), 10);
  expect(restore(directory)).toStrictEqual({ from: 96, steps: stepsBetween(96, 100), lastIndex: 100 });
});

test("two checkpoints are kept, and the segments since the elder", () => {
  const { directory, journal } = openOn(new FaultyFs());
  for (let i = 0; i < 5; i += 1) {
    appendSteps(journal, 4);
    journal.checkpoint(checkpointBytes(journal.index));
  }
  expect(readdirSync(directory).sort()).toEqual([
    "1-16.checkpoint",
    "1-20.checkpoint",
    "1-4.journal",
    "1-5.journal",
  ]);
});

test("a recorded room keeps every segment, and can be read from its first step", () => {
  const { directory, journal } = openOn(new FaultyFs(), { keepAll: true });
  for (let i = 0; i < 5; i += 1) {
    appendSteps(journal, 4);
    journal.checkpoint(checkpointBytes(journal.index));
  }
  expect(readdirSync(directory).filter((name) => name.endsWith(".checkpoint"))).toHaveLength(2);
  const recording = readRoom(directory, { fromStart: true });
  expect([...(recording?.steps ?? [])]).toStrictEqual(stepsBetween(0, 20));
  expect(restore(directory).from).toBe(20);
});

test("a checkpoint that was found damaged does not count as one of the two", () => {
  const { directory, journal } = openOn(new FaultyFs());
  for (let i = 0; i < 3; i += 1) {
    appendSteps(journal, 4);
    journal.checkpoint(checkpointBytes(journal.index));
  }
  truncateSync(join(directory, "1-12.checkpoint"), 10);
  const next = takeOver(directory);
  appendSteps(next, 4);
  next.checkpoint(checkpointBytes(16));
  appendSteps(next, 1);
  truncateSync(join(directory, "2-16.checkpoint"), 10);
  expect(restore(directory)).toStrictEqual({ from: 8, steps: stepsBetween(8, 17), lastIndex: 17 });
  expect(readdirSync(directory)).not.toContain("1-12.checkpoint");
});

test("the same index can be saved twice, with no step between", () => {
  const { directory, journal } = openOn(new FaultyFs());
  appendSteps(journal, 4);
  journal.checkpoint(checkpointBytes(4));
  journal.checkpoint(checkpointBytes(4));
  journal.checkpoint(checkpointBytes(4));
  appendSteps(journal, 2);
  expect(restore(directory)).toStrictEqual({ from: 4, steps: stepsBetween(4, 6), lastIndex: 6 });
});

test("an event that cannot be journaled was never a step", () => {
  const { directory, journal } = openOn(new FaultyFs());
  appendSteps(journal, 2);
  const bad: RoomEvent = { type: "effect", key: "room1:1", result: { value: new Map() } };
  expect(() => journal.append(1, [bad])).toThrow("of the kind Map");
  appendSteps(journal, 2);
  expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 4));
});

test("a step beyond the largest record fails the journal, not the room", () => {
  const { directory, journal, onFailure } = openOn(new FaultyFs());
  appendSteps(journal, 2);
  const huge: RoomEvent = {
    type: "effect",
    key: "room1:1",
    result: { value: new Uint8Array(65 * 1024 * 1024) },
  };
  journal.append(1, [huge]);
  expect(onFailure).toHaveBeenCalledExactlyOnceWith(expect.any(JournalTooLarge));
  expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 2));
});

test("options that are no use in a header are refused when the room is created", () => {
  const create = (options: Record<string, unknown>) => () => {
    const origin = originOf(1);
    takeOver(makeTemporaryDirectory(), { origin: { ...origin, create: { ...origin.create, options } } });
  };
  expect(create({ big: "x".repeat(70_000) })).toThrow(JournalTooLarge);
  expect(create({ when: new Date() })).toThrow(TypeError);
});

test("the cost of a step: 32 inputs of 12 bytes and a tick", () => {
  const journal = takeOver(makeTemporaryDirectory());
  const payload = new Uint8Array(12);
  const events: RoomEvent[] = Array.from({ length: 32 }, (_, i) => ({
    type: "message",
    sessionId: `aBcDeFgHiJkLmN${10 + i}`,
    seq: 1_000 + i,
    message: 0,
    payload,
  }));
  events.push({ type: "tick", dtMs: 50 });
  const rounds: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    const tookMs = cpuMs(() => {
      for (let i = 0; i < 1_000; i += 1) journal.append(i, events);
    });
    rounds.push(tookMs);
  }
  // Of a thousand: so many milliseconds are microseconds each.
  const microseconds = Math.min(...rounds);
  // About 5 us on an idle machine; the bound only catches a change of kind on a busy one.
  expect(microseconds).toBeLessThan(50);
});
