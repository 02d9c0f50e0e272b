import { beforeEach, describe, expect, it } from "vitest";
import { StreamCheck } from "./stream-check.ts";
import { Tally } from "./tally.ts";

let tally: Tally;
let check: StreamCheck;

beforeEach(() => {
  tally = new Tally();
  check = new StreamCheck(tally);
});

function ticks(...numbers: number[]): void {
  for (const tick of numbers) check.tick(tick);
}

describe("the ticks a client is told of", () => {
  it("go forward, from any on, and several may come as one state", () => {
    ticks(17, 18, 19, 21, 30);
    expect(tally).toMatchObject({ ticksLost: 0 });
    expect(tally.violations.sentences).toEqual([]);
  });

  it("are lost when the room itself has not counted them", () => {
    check.state({ tick: 20, ticks: 18, ack: 0, counted: 0 });
    expect(tally.ticksLost).toBe(2);
  });

  it("are never taken back, not even while a client was away", () => {
    ticks(17);
    check.restart();
    ticks(14);
    expect(tally.ticksLost).toBe(3);
  });

  it("come once, unless the client was away", () => {
    ticks(17);
    check.restart();
    ticks(17);
    expect(tally.violations.sentences).toEqual([]);
    ticks(17);
    expect(tally.violations.sentences).toEqual(["A tick came twice."]);
  });
});

describe("a state", () => {
  it("has what it acknowledges", () => {
    check.sent(3, 1);
    check.sent(5, 2);
    check.state({ tick: 1, ticks: 1, ack: 0, counted: 0 });
    check.state({ tick: 2, ticks: 2, ack: 4, counted: 1 });
    check.state({ tick: 3, ticks: 3, ack: 9, counted: 2 });
    expect(tally.violations.sentences).toEqual([]);
  });

  it.each([
    ["has less than it acknowledges", 5, 1],
    ["has more than it acknowledges", 4, 2],
    ["has no entry of the client", 0, undefined],
  ])("that %s is a violation", (_, ack, counted) => {
    check.sent(3, 1);
    check.sent(5, 2);
    check.state({ tick: 1, ticks: 1, ack, counted });
    expect(tally.violations.sentences).toEqual([expect.stringMatching("acknowledges")]);
  });

  it("of another tick than the room has counted is a violation", () => {
    check.state({ tick: 2, ticks: 1, ack: 0, counted: 0 });
    expect(tally.violations.sentences).toEqual([expect.stringMatching("own count of its ticks")]);
  });
});
