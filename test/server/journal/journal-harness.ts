/** Journals in a directory of the test's own, with a file system that fails on demand. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type JournalFs, nodeFs } from "../../../server/journal/journal-fs.ts";
import { readRoom } from "../../../server/journal/journal-reader.ts";
import { JournalSync } from "../../../server/journal/journal-sync.ts";
import { RoomJournal, type RoomJournalOptions } from "../../../server/journal/room-journal.ts";
import type { RoomOrigin } from "../../../server/journal/segment-format.ts";
import type { JournalServices } from "../../../server/journal/segment-writer.ts";
import type { JournalStep } from "../../../server/journal/step-codec.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

export function makeTemporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "rookery-journal-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants`), { code });
}

/** A crash: nothing is thrown like it, so nothing that is written handles it. */
export class Crash extends Error {}

/** The real file system, but for what `before` throws. */
export class FaultyFs implements JournalFs {
  before: (call: keyof JournalFs, path: string) => void = () => undefined;
  /** Bytes of a write that are taken at most. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  readonly calls: string[] = [];

  makeDirectory(path: string): void {
    this.#call("makeDirectory", path);
    nodeFs.makeDirectory(path);
  }
  createFile(path: string): number {
    this.#call("createFile", path);
    return nodeFs.createFile(path);
  }
  replaceFile(path: string): number {
    this.#call("replaceFile", path);
    return nodeFs.replaceFile(path);
  }
  openDirectory(path: string): number {
    this.#call("openDirectory", path);
    return nodeFs.openDirectory(path);
  }
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number {
    this.#call("write", String(fd));
    return nodeFs.write(fd, bytes, offset, Math.min(length, this.writeBytesMax));
  }
  close(fd: number): void {
    this.#call("close", String(fd));
    nodeFs.close(fd);
  }
  rename(from: string, to: string): void {
    this.#call("rename", to);
    nodeFs.rename(from, to);
  }
  unlink(path: string): void {
    this.#call("unlink", path);
    nodeFs.unlink(path);
  }
  list(directory: string): string[] {
    this.#call("list", directory);
    return nodeFs.list(directory);
  }
  fsync(fd: number, callback: (error: Error | null) => void): void {
    this.#call("fsync", String(fd));
    nodeFs.fsync(fd, callback);
  }

  #call(call: keyof JournalFs, path: string): void {
    this.calls.push(call);
    this.before(call, path);
  }
}

export function servicesOn(fs: JournalFs): JournalServices {
  return { fs, sync: new JournalSync(fs, 0, new SimulatedTime()), writer: new ValueWriter() };
}

export function originOf(epoch: number): RoomOrigin {
  return {
    create: { roomId: "room1", roomType: "arena", code: "K7QX", options: { map: "hills" }, seed: 7, epoch },
    codeVersion: "abc",
    nodeVersion: process.version,
    arch: process.arch,
  };
}

/** The step of an index: a few events, different for each owner, so that steps cannot be mistaken for one another. */
export function stepOf(index: number, owner = 1): JournalStep {
  const events: RoomEvent[] = [
    {
      type: "message",
      sessionId: `s${index % 5}`,
      seq: index,
      message: "move",
      payload: { owner, x: index / 8 },
    },
    {
      type: "message",
      sessionId: "s-long-name",
      seq: index,
      message: 1,
      payload: new Uint8Array([index, owner]),
    },
    { type: "tick", dtMs: 50 },
  ];
  return { index, atMs: index * 50, events };
}

/** What a checkpoint holds is opaque here: its index, and some bytes. */
export function checkpointBytes(index: number): Uint8Array {
  return new Uint8Array(64).fill(index);
}

/** Appends the next `count` steps. */
export function appendSteps(journal: RoomJournal, count: number, owner = 1): void {
  for (let i = 0; i < count; i += 1) {
    const { atMs, events } = stepOf(journal.index + 1, owner);
    journal.append(atMs, events);
  }
}

/**
 * An owner of the room in `directory`: the first, or the one that goes on behind what it finds. Each checkpoint begins a
 * segment, unless it is told otherwise.
 */
export function takeOver(directory: string, options: Partial<RoomJournalOptions> = {}): RoomJournal {
  const recovered = readRoom(directory);
  return RoomJournal.create({
    directory,
    origin: originOf(recovered?.nextEpoch ?? 1),
    recovered,
    keepAll: false,
    segmentBytesMin: 0,
    services: servicesOn(nodeFs),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
}

/** @returns what a restart finds: the index of the checkpoint and the steps after it */
export function restore(directory: string): { from: number; steps: JournalStep[]; lastIndex: number } {
  const room = readRoom(directory);
  return {
    from: room?.checkpoint?.index ?? 0,
    steps: [...(room?.steps ?? [])],
    lastIndex: room?.lastIndex ?? 0,
  };
}

/** Steps `from + 1` to `to`. */
export function stepsBetween(from: number, to: number, owner = 1): JournalStep[] {
  return Array.from({ length: to - from }, (_, i) => stepOf(from + 1 + i, owner));
}
