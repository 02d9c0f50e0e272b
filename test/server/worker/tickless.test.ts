/** A room without ticks steps when something comes in, wakes for its timers, and otherwise costs nothing. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { findAck } from "../../../shared/protocol/codec.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { between } from "../../support/between.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say } from "./room-harness.ts";
import { Desk, Table } from "./rooms.ts";

let harness: RoomHarness;
let a: MemoryTransport;
let b: MemoryTransport;
beforeEach(async () => {
  Table.onHook = () => undefined;
  harness = new RoomHarness(Desk);
  a = harness.join("a");
  b = harness.join("b");
  await harness.time.advance(0);
});

test("what comes in during one turn is one step: one write for each client", async () => {
  expect([a.sent.length, b.sent.length]).toEqual([1, 1]);
  say(a, 1, "add", 1);
  say(b, 1, "add", 2);
  say(a, 2, "tell", "hello");
  expect(harness.table.applied).toEqual([]);
  await harness.time.advance(0);
  expect(harness.table.applied.map(({ payload }) => payload)).toEqual([1, 2]);
  expect([a.sent.length, b.sent.length]).toEqual([2, 2]);
  expect(a.sent[1]).toBe(b.sent[1]);
});

test("[A2] more messages than a tick takes are applied at once", async () => {
  for (let seq = 1; seq <= 100; seq++) say(a, seq, "add", seq);
  await harness.time.advance(0);
  expect(harness.table.applied).toHaveLength(100);
});

test("[A5] so many that one byte could not tell them are acknowledged in two", async () => {
  for (let seq = 1; seq <= 100; seq++) say(a, seq, "add", seq);
  await harness.time.advance(0);
  const [near] = b.ofType(ServerMessage.STATE);
  for (let seq = 101; seq <= 230; seq++) say(a, seq, "add", seq);
  await harness.time.advance(0);
  const [, far] = b.ofType(ServerMessage.STATE);
  if (near === undefined || far === undefined) throw new Error("no states");
  expect([near[3].length, far[3].length]).toEqual([3, 4]);
  expect([findAck(near[3], 0, 0), findAck(far[3], 0, 100)]).toEqual([100, 230]);
});

test("[S9] a message that changes nothing is acknowledged; where there is nothing to say, nothing is sent", async () => {
  say(a, 1, "nonsense");
  await harness.time.advance(0);
  const [state, ...others] = b.ofType(ServerMessage.STATE);
  expect(others).toEqual([]);
  if (state === undefined) throw new Error("no state");
  expect(findAck(state[3], 0, 0)).toBe(1);
  expect(state[4]).toHaveLength(0);

  b.lose();
  const sent = a.sent.length;
  await harness.time.advance(100);
  expect(harness.table.notes.at(-1)).toBe("onDrop b");
  expect(a.sent).toHaveLength(sent);
});

test("an event without a change is sent alone", async () => {
  say(a, 1, "later", 300);
  await harness.time.advance(0);
  await harness.time.advance(300);
  expect(b.messages.at(-1)).toEqual([[ServerMessage.EVENT, "later", expect.any(Number)]]);
});

describe("timers", () => {
  function fired(): number[] {
    return harness.table.notes
      .filter((note) => note.startsWith("timer"))
      .map((note) => Number(note.slice(9)));
  }

  test("wake it when they are due, and only then", async () => {
    say(a, 1, "later", 5_000);
    say(a, 2, "later", 200);
    await harness.time.advance(0);
    expect(harness.time.pendingTimers).toBe(1);
    await harness.time.advance(199);
    expect(fired()).toEqual([]);
    await harness.time.advance(1);
    expect(fired()).toEqual([200]);
    await harness.time.advance(4_799);
    expect(fired()).toEqual([200]);
    await harness.time.advance(1);
    expect(fired()).toEqual([200, 5_000]);
    expect(harness.time.pendingTimers).toBe(0);
  });

  test("that come earlier than the one it waits for are not late", async () => {
    say(a, 1, "later", 5_000);
    await harness.time.advance(1_000);
    say(a, 2, "later", 100);
    await harness.time.advance(100);
    expect(fired()).toEqual([1_100]);
  });

  test("that repeat do not drift, and after a delay they run once, not for each interval missed", async () => {
    say(a, 1, "often", 100);
    await harness.time.advance(350);
    expect(fired()).toEqual([100, 200, 300]);
    harness.time.stall(1_000);
    await harness.time.advance(60);
    expect(fired()).toEqual([100, 200, 300, 1_350, 1_400]);
    await harness.time.advance(100);
    expect(fired().at(-1)).toBe(1_500);
  });

  test("a clock that wakes it too early does not make it miss them", async () => {
    say(a, 1, "later", 100.5);
    await harness.time.advance(100);
    expect(fired()).toEqual([]);
    await harness.time.advance(2);
    expect(fired()).toHaveLength(1);
  });
});

test("it leaves no timer behind when it ends", async () => {
  say(a, 1, "later", 3_600_000);
  await harness.time.advance(0);
  expect(harness.time.pendingTimers).toBe(1);
  harness.room.dispose("ROOM_CLOSED");
  expect(harness.time.pendingTimers).toBe(0);
});

describe.each([
  ["with ticks", Table],
  ["without ticks", Desk],
])("the clock of a room %s", (_kind, roomClass) => {
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.record({ advance: between(0, 120) }) },
    { weight: 2, arbitrary: fc.record({ stall: between(0, 900) }) },
    { weight: 2, arbitrary: fc.constantFrom("ping" as const, "message" as const) },
  );

  test("[M5] never goes back, for clients and for its code, whatever is late", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), async (happenings) => {
        const room = new RoomHarness(roomClass);
        const transport = room.join("a");
        await room.time.advance(100);
        let seq = 0;
        for (const step of happenings) {
          if (step === "ping") transport.receive([ClientMessage.PING, 0, 0]);
          else if (step === "message") say(transport, ++seq, "add", 1);
          else if ("stall" in step) room.time.stall(step.stall);
          else await room.time.advance(step.advance);
        }
        await room.time.advance(100);
        room.room.dispose("SERVER_SHUTTING_DOWN");
        let stateMs = 0;
        let pongMs = 0;
        for (const [type, , ms] of transport.values as [number, unknown, number][]) {
          if (type === ServerMessage.PONG) {
            // A state that comes after it may be of a tick that was due before; it is never of a later one.
            expect(ms).toBeGreaterThanOrEqual(Math.max(stateMs, pongMs));
            pongMs = ms;
          } else if (type === ServerMessage.STATE || type === ServerMessage.SNAPSHOT) {
            expect(ms).toBeGreaterThanOrEqual(stateMs);
            stateMs = ms;
          }
        }
        const insideMs = room.table.applied.map(({ nowMs }) => nowMs);
        expect(insideMs).toEqual(insideMs.toSorted((x, y) => x - y));
        expect(insideMs).toHaveLength(seq);
      }),
      { numRuns: 100 },
    );
  });
});

test("the step of its end is not earlier than the one before, though its clock has fractions", async () => {
  const times: number[] = [];
  Table.onHook = (_hook, room) => void times.push(room.clock.nowMs);
  class Sixty extends Table {
    static override tickRate = 60;
  }
  harness = new RoomHarness(Sixty);
  a = harness.join("a");
  await harness.time.advance(100);
  say(a, 1, "save", "x");
  const before = harness.table.clock.tick;
  while (harness.table.clock.tick <= before + 1) await harness.time.advanceToNext();
  expect(harness.table.clock.nowMs % 1).not.toBe(0);
  harness.room.dispose("ROOM_CLOSED");
  times.push(harness.table.clock.nowMs);
  harness.table.answers[0]?.resolve("done");
  await harness.time.advance(0);
  times.push(harness.table.clock.nowMs);
  expect(times).toEqual(times.toSorted((x, y) => x - y));
});

describe("a flush window", () => {
  class Slow extends Desk {
    static override flushMs = 50;
  }

  beforeEach(async () => {
    harness = new RoomHarness(Slow);
    a = harness.join("a");
    b = harness.join("b");
    await harness.time.advance(50);
  });

  test("makes one step and one message of all that comes in during it", async () => {
    const sent = b.sent.length;
    say(a, 1, "add", 1);
    await harness.time.advance(49);
    say(b, 1, "add", 2);
    expect(harness.table.applied).toEqual([]);
    await harness.time.advance(1);
    expect(harness.table.applied.map(({ payload }) => payload)).toEqual([1, 2]);
    expect(b.sent).toHaveLength(sent + 1);
    await harness.time.advance(500);
    expect(b.sent).toHaveLength(sent + 1);
  });

  test("does not hold up timers", async () => {
    say(a, 1, "later", 300);
    await harness.time.advance(50 + 300);
    expect(b.messages.at(-1)).toEqual([[ServerMessage.EVENT, "later", expect.any(Number)]]);
  });
});
