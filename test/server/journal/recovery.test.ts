/** What a restart makes of files that were cut, changed, or written by two owners. */
import { appendFileSync, readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { JournalDamaged, JournalSuperseded } from "../../../server/journal/journal-errors.ts";
import { nodeFs } from "../../../server/journal/journal-fs.ts";
import { readRoom } from "../../../server/journal/journal-reader.ts";
import { FRAME_BYTES, frameAt } from "../../../server/journal/records.ts";
import { RoomJournal } from "../../../server/journal/room-journal.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import {
  appendSteps,
  checkpointBytes,
  makeTemporaryDirectory,
  originOf,
  restore,
  servicesOn,
  stepOf,
  stepsBetween,
  takeOver,
} from "./journal-harness.ts";

/** Offsets of the records of a file, the header first, and its end. */
function boundaries(file: Buffer): number[] {
  const offsets = [0];
  let salt = 0;
  for (let at = 0; at < file.length; ) {
    const frame = frameAt(file, at, salt);
    if (frame.kind !== "record") throw new Error(`the file is ${frame.kind} at ${at}`);
    if (at === 0) salt = frame.checksum;
    at = frame.end;
    offsets.push(at);
  }
  return offsets;
}

test("a room that was never begun is not there", () => {
  const directory = makeTemporaryDirectory();
  expect(readRoom(join(directory, "none"))).toBeUndefined();
  expect(readRoom(directory)).toBeUndefined();
  // Its creator was stopped between creating the file and writing to it.
  writeFileSync(join(directory, "1-0.journal"), "");
  expect(readRoom(directory)).toBeUndefined();
});

test("a room comes back with its header, its checkpoint and the steps after it", () => {
  const directory = makeTemporaryDirectory();
  const journal = takeOver(directory);
  appendSteps(journal, 10);
  journal.checkpoint(checkpointBytes(10));
  appendSteps(journal, 5);
  const room = readRoom(directory);
  expect(room).toMatchObject({
    header: { ...originOf(1), number: 1, firstIndex: 11 },
    checkpoint: { index: 10, bytes: checkpointBytes(10) },
    lastIndex: 15,
    nextEpoch: 2,
    isDisposed: false,
    cutBytes: 0,
  });
  expect([...(room?.steps ?? [])]).toStrictEqual(stepsBetween(10, 15));
  expect([...(room?.steps ?? [])]).toHaveLength(5);
});

test("cut at every byte of its last 4 KiB, the longest whole prefix comes back", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 80);
  const path = join(directory, "1-0.journal");
  const file = readFileSync(path);
  const offsets = boundaries(file);
  expect(file.length).toBeGreaterThan(4_096);
  const all = stepsBetween(0, 80);
  for (let length = file.length - 1; length >= file.length - 4_096; length -= 1) {
    truncateSync(path, length);
    const room = readRoom(directory);
    // The first two offsets are the header's.
    const count = offsets.findLastIndex((offset) => offset <= length) - 1;
    expect(room?.lastIndex).toBe(count);
    expect(room?.cutBytes).toBe(length - (offsets[count + 1] ?? 0));
    if (length % 64 === 0) expect([...(room?.steps ?? [])]).toStrictEqual(all.slice(0, count));
  }
});

test("cut anywhere in its header, the room was never begun", () => {
  const directory = makeTemporaryDirectory();
  takeOver(directory);
  const path = join(directory, "1-0.journal");
  const file = readFileSync(path);
  for (let length = file.length - 1; length >= 0; length -= 1) {
    truncateSync(path, length);
    expect(readRoom(directory)).toBeUndefined();
  }
});

test("zeros where a power loss has left nothing written are cut", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 5);
  const path = join(directory, "1-0.journal");
  const file = readFileSync(path);
  const lastAt = boundaries(file)[5] as number;
  for (let from = lastAt; from < file.length; from += 1) {
    replaceFile(path, Buffer.concat([file.subarray(0, from), Buffer.alloc(5_000)]));
    expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 4));
  }
});

test("a bad checksum is cut at the end, and refused anywhere before", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 5);
  const path = join(directory, "1-0.journal");
  const file = readFileSync(path);
  const offsets = boundaries(file);
  for (let record = 0; record < 6; record += 1) {
    const at = offsets[record] as number;
    const changed = Buffer.from(file);
    changed[at + FRAME_BYTES] = 0xff;
    replaceFile(path, changed);
    if (record === 5) expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 4));
    else {
      const refusal = { name: "JournalDamaged", file: path, offset: at };
      expect(() => readRoom(directory)).toThrow(expect.objectContaining(refusal));
    }
  }
});

test("a length in the middle that was changed to reach past the end is no torn tail", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 5);
  const path = join(directory, "1-0.journal");
  const file = readFileSync(path);
  file.writeUInt32LE(file.length, boundaries(file)[2] as number);
  writeFileSync(path, file);
  expect(() => readRoom(directory)).toThrow("the length is not one");
});

test("a record of another segment is not taken for one of this, though it is whole", () => {
  const directory = makeTemporaryDirectory();
  const other = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 5);
  appendSteps(
    RoomJournal.create({
      directory: other,
      origin: originOf(2),
      recovered: undefined,
      keepAll: false,
      services: servicesOn(nodeFs),
      onFailure: () => undefined,
    }),
    5,
    2,
  );
  const path = join(directory, "1-0.journal");
  const mine = readFileSync(path);
  const theirs = readFileSync(join(other, "2-0.journal"));
  const from = boundaries(mine)[3] as number;
  writeFileSync(path, Buffer.concat([mine.subarray(0, from), theirs.subarray(boundaries(theirs)[3])]));
  expect(() => readRoom(directory)).toThrow(JournalDamaged);
});

/** As a new file: some file systems write a file that is emptied and filled again to the disk at once. */
function replaceFile(path: string, content: Buffer): void {
  unlinkSync(path);
  writeFileSync(path, content);
}

/** One random change of a file. */
function mutate(file: Buffer, pick: (below: number) => number): Buffer {
  const at = pick(file.length);
  const length = 1 + pick(pick(2) === 0 ? 8 : 200);
  const before = file.subarray(0, at);
  const range = file.subarray(at, at + length);
  const after = file.subarray(at + length);
  switch (pick(6)) {
    case 0: {
      const flipped = Buffer.from(file);
      flipped[at] = (flipped[at] as number) ^ (1 << pick(8));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, Buffer.from(Array.from({ length }, () => pick(256))), file.subarray(at)]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, range, range, after]);
    case 4:
      return Buffer.concat([before, Buffer.alloc(range.length), after]);
    default:
      return mutateRecords(file, pick);
  }
}

/** Whole records out of place: swapped, doubled or left out. */
function mutateRecords(file: Buffer, pick: (below: number) => number): Buffer {
  const offsets = boundaries(file);
  const records = offsets.slice(1).map((end, i) => file.subarray(offsets[i], end));
  const [a, b] = [pick(records.length), pick(records.length)];
  const [recordA, recordB] = [records[a] as Buffer, records[b] as Buffer];
  const way = pick(3);
  if (way === 0) {
    records[a] = recordB;
    records[b] = recordA;
  } else if (way === 1) records.splice(b, 0, recordA);
  else records.splice(a, 1);
  return Buffer.concat(records);
}

test("10,000 random changes give a prefix of the steps that were written, or are refused", () => {
  const directory = makeTemporaryDirectory();
  const journal = takeOver(directory);
  appendSteps(journal, 6);
  journal.checkpoint(checkpointBytes(6));
  appendSteps(journal, 6);
  journal.checkpoint(checkpointBytes(12));
  appendSteps(journal, 6);
  journal.close();
  appendSteps(takeOver(directory), 6);
  const last = 24;
  const steps = stepsBetween(0, last);
  const originals = new Map(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]),
  );
  const names = [...originals.keys()].sort();
  expect(names).toEqual(["1-1.journal", "1-12.checkpoint", "1-2.journal", "1-6.checkpoint", "2-0.journal"]);

  const random = createRandom(20_260);
  const pick = (below: number) => Math.floor(random.next() * below);
  const outcomes = { whole: 0, prefix: 0, refused: 0 };
  for (let run = 0; run < 10_000; run += 1) {
    const name = names[pick(names.length)] as string;
    const original = originals.get(name) as Buffer;
    const path = join(directory, name);
    const changed = name.endsWith(".journal")
      ? mutate(original, pick)
      : mutate(original, (n) => pick(Math.min(n, 5)) % n);
    replaceFile(path, changed);
    try {
      const room = readRoom(directory);
      const from = room?.checkpoint?.index ?? 0;
      const found = [...(room?.steps ?? [])];
      expect([6, 12]).toContain(from);
      if (room?.checkpoint !== undefined) expect(room.checkpoint.bytes).toEqual(checkpointBytes(from));
      expect(room?.lastIndex ?? 0).toBe(from + found.length);
      if (!isDeepStrictEqual(found, steps.slice(from, from + found.length)))
        throw new Error(`run ${run}: wrong steps from a change of ${name}`);
      outcomes[from + found.length === last ? "whole" : "prefix"] += 1;
    } catch (error) {
      if (!(error instanceof JournalDamaged)) throw error;
      outcomes.refused += 1;
    }
    replaceFile(path, original);
  }
  // Each of the three happens: a test in which nothing is ever refused would show nothing.
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
});

test("the next owner goes on in its own segment, behind the last whole record", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 5);
  const path = join(directory, "1-0.journal");
  truncateSync(path, readFileSync(path).length - 1);
  appendSteps(takeOver(directory), 3, 2);
  expect(restore(directory).steps).toStrictEqual([...stepsBetween(0, 4), ...stepsBetween(4, 7, 2)]);
  expect(readRoom(directory)?.nextEpoch).toBe(3);
});

test("what an owner still writes after the next has begun is ignored, whole or torn", () => {
  const directory = makeTemporaryDirectory();
  const slow = takeOver(directory);
  appendSteps(slow, 5);
  appendSteps(takeOver(directory), 3, 2);
  appendSteps(slow, 4);
  appendFileSync(join(directory, "1-0.journal"), "torn");
  const expected = [...stepsBetween(0, 5), ...stepsBetween(5, 8, 2)];
  expect(restore(directory).steps).toStrictEqual(expected);
  expect(() => slow.checkpoint(checkpointBytes(9))).toThrow(JournalSuperseded);
  expect(slow.state).toBe("failed");
  expect(restore(directory).steps).toStrictEqual(expected);
});

test("a checkpoint and a segment of an owner that was too late are ignored", () => {
  const directory = makeTemporaryDirectory();
  const aside = makeTemporaryDirectory();
  const slow = takeOver(directory);
  appendSteps(slow, 5);
  // It does not see the next owner's files, as if it had looked just before.
  for (const name of readdirSync(directory))
    writeFileSync(join(aside, name), readFileSync(join(directory, name)));
  appendSteps(takeOver(aside), 3, 2);
  appendSteps(slow, 4);
  slow.checkpoint(checkpointBytes(9));
  appendSteps(slow, 2);
  for (const name of ["1-0.journal", "1-1.journal", "1-9.checkpoint"])
    writeFileSync(join(aside, name), readFileSync(join(directory, name)));
  expect(restore(aside)).toStrictEqual({
    from: 0,
    steps: [...stepsBetween(0, 5), ...stepsBetween(5, 8, 2)],
    lastIndex: 8,
  });
});

test("two owners of one epoch: the second is refused", () => {
  const directory = makeTemporaryDirectory();
  const recovered = readRoom(directory);
  const options = {
    directory,
    origin: originOf(1),
    recovered,
    keepAll: false,
    services: servicesOn(nodeFs),
    onFailure: () => undefined,
  };
  appendSteps(RoomJournal.create(options), 3);
  expect(() => RoomJournal.create(options)).toThrow(JournalSuperseded);
  // The same, when its look at the directory was a moment too early.
  const blind = { ...nodeFs, list: () => [] };
  expect(() => RoomJournal.create({ ...options, services: servicesOn(blind) })).toThrow(JournalSuperseded);
  expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 3));
});

test("a room whose newest checkpoint is damaged comes back from the elder", () => {
  const directory = makeTemporaryDirectory();
  const journal = takeOver(directory);
  for (const _ of [1, 2, 3]) {
    appendSteps(journal, 4);
    journal.checkpoint(checkpointBytes(journal.index));
  }
  appendSteps(journal, 2);
  const newest = join(directory, "1-12.checkpoint");
  const file = readFileSync(newest);
  for (let length = 0; length < file.length; length += 1) {
    truncateSync(newest, length);
    expect(restore(directory)).toStrictEqual({ from: 8, steps: stepsBetween(8, 14), lastIndex: 14 });
    writeFileSync(newest, file);
  }
  truncateSync(newest, 10);
  truncateSync(join(directory, "1-8.checkpoint"), 10);
  expect(() => readRoom(directory)).toThrow("are missing before it");
});

test("a whole record is not enough: a missing segment and a missing step are refused", () => {
  const directory = makeTemporaryDirectory();
  appendSteps(takeOver(directory), 3);
  appendSteps(takeOver(directory), 3);
  appendSteps(takeOver(directory), 3);
  unlinkSync(join(directory, "2-0.journal"));
  expect(() => readRoom(directory)).toThrow("the steps from 4 on are missing");
});

test("the end of a room is read as such, and nothing may follow it", () => {
  const directory = makeTemporaryDirectory();
  const journal = takeOver(directory);
  appendSteps(journal, 3);
  journal.dispose();
  expect(readRoom(directory)).toMatchObject({ isDisposed: true, lastIndex: 4 });
  expect(restore(directory).steps).toStrictEqual(stepsBetween(0, 3));
  expect(() => journal.append(1, stepOf(5).events)).toThrow("no step follows");
  appendSteps(takeOver(directory), 1);
  expect(() => readRoom(directory)).toThrow("a record follows the end of the room");
});
