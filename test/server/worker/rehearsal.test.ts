/** A worker that has run nothing yet replays the rooms of others, and nothing comes of it. */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { Room } from "../../../server/room/room.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { type RehearsalOptions, rehearse } from "../../../server/worker/rehearsal.ts";
import { Owners } from "./owners.ts";

/** Ticks of all instances. */
let ticks: number[] = [];

class Counting extends Room {
  static override tickRate = 20;
  override data = { count: 0 };

  override onTick() {
    this.data.count += 1;
    ticks.push(this.data.count);
  }
}

const TICKS = 12;
let owners: Owners;
let nowMs: number;
let turns: number;

beforeEach(async () => {
  owners = new Owners();
  owners.next(Counting as unknown as RoomClass);
  ticks = [];
  await owners.time.advance((TICKS * 1000) / Counting.tickRate);
  expect(ticks).toHaveLength(TICKS);
  ticks = [];
  nowMs = 0;
  turns = 0;
});

/** Each look at the clock takes a millisecond. */
function options(more: Partial<RehearsalOptions> = {}): RehearsalOptions {
  return {
    dataDirectory: owners.dataDirectory,
    roomClasses: new Map([["dice", Counting as unknown as RoomClass]]),
    codeVersion: "1",
    now: () => nowMs++,
    turn: async () => void turns++,
    isOver: () => false,
    ...more,
  };
}

function filesOfTheRoom(): Map<string, string> {
  const names = readdirSync(owners.roomDirectory);
  return new Map(names.map((name) => [name, readFileSync(join(owners.roomDirectory, name), "latin1")]));
}

test("it replays all steps but the last, over and over until its time is over, in short turns", async () => {
  const before = filesOfTheRoom();
  await rehearse(options());
  const once = Array.from({ length: TICKS - 1 }, (_, n) => n + 1);
  expect(ticks.slice(0, 2 * once.length)).toEqual([...once, ...once]);
  expect(nowMs).toBeLessThan(LIMITS.rehearsalMs + 2 * LIMITS.rehearsalTurnMs);
  expect(turns).toBeGreaterThanOrEqual(LIMITS.rehearsalMs / LIMITS.rehearsalTurnMs / 2);
  expect(filesOfTheRoom()).toEqual(before);
});

test("it ends as soon as the worker has something to do by itself", async () => {
  await rehearse(options({ isOver: () => turns >= 2 }));
  expect(turns).toBe(2);
});

test.each<[string, Partial<RehearsalOptions>]>([
  ["of a type that it does not know", { roomClasses: new Map() }],
  ["that other code has written", { codeVersion: "2" }],
])("a room %s is left alone, and without others it is over", async (_what, more) => {
  await rehearse(options(more));
  expect(ticks).toEqual([]);
  expect(turns).toBeLessThan(3);
});

test("a room that cannot be read is left alone", async () => {
  for (const name of readdirSync(owners.roomDirectory)) {
    appendFileSync(
      join(owners.roomDirectory, name),
      "not what a journal ends in, and too long to be torn".repeat(4),
    );
  }
  await rehearse(options());
  expect(turns).toBeLessThan(3);
});
