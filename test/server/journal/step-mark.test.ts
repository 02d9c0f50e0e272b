/** The file that tells in whose step a worker crashed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { markOf, StepMark, takeMark } from "../../../server/journal/step-mark.ts";
import { makeTemporaryDirectory } from "./journal-harness.ts";

const PID = 4711;

test("names the room whose step has begun and not ended, once", () => {
  const directory = makeTemporaryDirectory();
  const mark = StepMark.open(directory, PID);
  mark?.begin(markOf("a-long-room-id"));
  mark?.end();
  mark?.begin(markOf("room"));
  expect(takeMark(directory, PID)).toBe("room");
  expect(takeMark(directory, PID)).toBeUndefined();
});

test("names nobody between steps, before the first one, and for a worker that is not known", () => {
  const directory = makeTemporaryDirectory();
  const mark = StepMark.open(directory, PID);
  expect(takeMark(directory, PID)).toBeUndefined();
  const next = StepMark.open(directory, PID + 1);
  next?.begin(markOf("room"));
  next?.end();
  expect(takeMark(directory, PID + 1)).toBeUndefined();
  expect(takeMark(directory, PID + 2)).toBeUndefined();
  expect(mark).toBeDefined();
});

test("is not there, and harms nobody, where it cannot be written", () => {
  const directory = makeTemporaryDirectory();
  writeFileSync(join(directory, "marks"), "a file in the way");
  expect(StepMark.open(directory, PID)).toBeUndefined();
});
