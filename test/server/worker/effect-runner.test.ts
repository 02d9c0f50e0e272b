/** Effects run outside the step, come back once, and end with their room. */
import { beforeEach, expect, test } from "vitest";
import type { AnyEffect, EffectContext } from "../../../server/room/effects.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { EffectRunner } from "../../../server/worker/effect-runner.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

let time: SimulatedTime;
let results: RoomEvent[];
let runner: EffectRunner;

beforeEach(() => {
  time = new SimulatedTime();
  results = [];
  runner = new EffectRunner(time, (event) => void results.push(event));
});

function start(
  key: string,
  run: (input: unknown, context: EffectContext) => unknown,
  input: unknown = null,
): void {
  const hooks = { run } as AnyEffect["hooks"];
  runner.start({ key, name: "effect", input }, hooks);
}

function resultOf(key: string, result: { value: unknown } | { error: string }): RoomEvent {
  return { type: "effect", key, result };
}

test("an effect gets its input and key, runs after the step, and its result comes back", async () => {
  const seen: unknown[] = [];
  start(
    "room:1",
    async (input, { key, signal }) => {
      seen.push(input, key, signal.aborted);
      return "saved";
    },
    { score: 3 },
  );
  expect(seen).toEqual([]);
  expect(runner.pendingCount).toBe(1);
  await time.settle();
  expect(seen).toEqual([{ score: 3 }, "room:1", false]);
  expect(results).toEqual([resultOf("room:1", { value: "saved" })]);
  expect(runner.pendingCount).toBe(0);
});

test.each([
  ["rejects", () => Promise.reject(new Error("no database")), "no database"],
  [
    "throws",
    () => {
      throw new Error("at once");
    },
    "at once",
  ],
  ["rejects with no error", () => Promise.reject("just text"), "just text"],
])("an effect that %s has failed", async (_how, run, error) => {
  start("k", run);
  await time.settle();
  expect(results).toEqual([resultOf("k", { error })]);
});

test("a result that is no promise is a result", async () => {
  start("k", () => 7);
  await time.settle();
  expect(results).toEqual([resultOf("k", { value: 7 })]);
});

test("aborting ends what heeds the signal and what does not, each once", async () => {
  const late = Promise.withResolvers<string>();
  start(
    "heeds",
    (_input, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new Error("stopped by itself"))),
      ),
  );
  start("does not", () => late.promise);
  await time.settle();
  runner.abort();
  await time.settle();
  late.resolve("too late");
  await time.settle();
  expect(results).toHaveLength(2);
  expect(results).toContainEqual(resultOf("does not", { error: "The room has ended." }));
  expect(results.map((event) => event.type === "effect" && event.key).toSorted()).toEqual([
    "does not",
    "heeds",
  ]);
  expect(runner.pendingCount).toBe(0);
});

test("one that was started and has not begun is aborted, too", async () => {
  start("k", (_input, { signal }) => (signal.aborted ? new Promise(() => undefined) : "ran"));
  runner.abort();
  await time.settle();
  expect(results).toEqual([resultOf("k", { error: "The room has ended." })]);
});

test("the time for what is under way is given once, and its timer does not stay", async () => {
  start("slow", () => new Promise(() => undefined));
  runner.abortAfter(1_000);
  await time.advance(600);
  runner.abortAfter(1_000);
  expect(time.pendingTimers).toBe(1);
  await time.advance(399);
  expect(results).toEqual([]);
  await time.advance(1);
  expect(results).toEqual([resultOf("slow", { error: "The room has ended." })]);

  const other = new EffectRunner(time, () => undefined);
  other.abortAfter(1_000);
  other.abort();
  expect(time.pendingTimers).toBe(0);
});

test("nothing starts once it is aborted", async () => {
  runner.abort();
  let hasRun = false;
  start("k", () => {
    hasRun = true;
  });
  await time.settle();
  expect(hasRun).toBe(false);
  expect(results).toEqual([]);
  expect(runner.pendingCount).toBe(0);
});
