import { describe, expect, it } from "vitest";
import { follow, Sequence } from "./numbers.ts";

describe("a number", () => {
  it("that is the next says nothing", () => {
    expect(follow(4, 5)).toEqual({ last: 5, lost: 0, doubled: 0 });
  });

  it("that is further on says how many are missing", () => {
    expect(follow(4, 8)).toEqual({ last: 8, lost: 3, doubled: 0 });
  });

  it.each([4, 1])("that was there before is doubled (%i after 4)", (next) => {
    expect(follow(4, next)).toEqual({ last: 4, lost: 0, doubled: 1 });
  });
});

describe("a sequence", () => {
  it("adds up what it has missed and what came twice", () => {
    const sequence = new Sequence(0);
    for (const number of [1, 2, 5, 5, 4, 6, 8]) sequence.take(number);
    expect(sequence).toMatchObject({ last: 8, lost: 3, doubled: 2 });
  });

  it("begins with any number, unless it is said which one is the first", () => {
    const [any, fromOne] = [new Sequence(), new Sequence(0)];
    for (const sequence of [any, fromOne]) sequence.take(7);
    expect(any.lost).toBe(0);
    expect(fromOne.lost).toBe(6);
  });
});
