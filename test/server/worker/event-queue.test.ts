/** What waits for a room's next step keeps its order, and one client cannot fill a tick. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { EventQueue } from "../../../server/worker/event-queue.ts";

const PER_TICK = LIMITS.messagesPerClientPerTickMax;

function messageOf(sessionId: string, seq: number): RoomEvent {
  return { type: "message", sessionId, seq, message: "m", payload: null };
}

function pushMessages(queue: EventQueue, sessionId: string, count: number, from = 1): void {
  for (let seq = from; seq < from + count; seq++) queue.push(messageOf(sessionId, seq));
}

function countBy(events: readonly RoomEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of events) {
    if (event.type === "message") counts[event.sessionId] = (counts[event.sessionId] ?? 0) + 1;
  }
  return counts;
}

test("one client's messages are capped in a tick, and the rest comes in the next ones", () => {
  const queue = new EventQueue();
  pushMessages(queue, "flood", 2 * PER_TICK + 5);
  pushMessages(queue, "calm", 3);
  expect(countBy(queue.takeForTick())).toEqual({ flood: PER_TICK, calm: 3 });
  pushMessages(queue, "calm", 1, 4);
  expect(countBy(queue.takeForTick())).toEqual({ flood: PER_TICK, calm: 1 });
  expect(countBy(queue.takeForTick())).toEqual({ flood: 5 });
  expect(queue.isEmpty).toBe(true);
});

test("only messages count for the cap", () => {
  const queue = new EventQueue();
  queue.push({ type: "joined", sessionId: "a", options: {}, auth: null });
  queue.push({ type: "dropped", sessionId: "a" });
  queue.push({ type: "returned", sessionId: "a", tokenGeneration: 1 });
  pushMessages(queue, "a", PER_TICK);
  expect(queue.takeForTick()).toHaveLength(3 + PER_TICK);
  expect(queue.isEmpty).toBe(true);
});

test("what happens to a client waits behind its messages, what happens to others does not", () => {
  const queue = new EventQueue();
  pushMessages(queue, "flood", PER_TICK + 1);
  queue.push({ type: "dropped", sessionId: "flood" });
  queue.push({ type: "returned", sessionId: "flood", tokenGeneration: 1 });
  pushMessages(queue, "flood", 1, PER_TICK + 2);
  queue.push({ type: "left", sessionId: "calm", consented: true });
  queue.push({ type: "effect", key: "k", result: { value: 1 } });
  const first = queue.takeForTick().filter(({ type }) => type !== "message");
  expect(first.map(({ type }) => type)).toEqual(["left", "effect"]);
  expect(queue.takeForTick().map(({ type }) => type)).toEqual(["message", "dropped", "returned", "message"]);
});

describe("with any events in any order", () => {
  const sessionId = fc.constantFrom("a", "b", "c");
  const push = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        push: fc.constant("message"),
        sessionId,
        count: fc.integer({ min: 1, max: 50 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        push: fc.constantFrom("joined", "dropped", "returned", "left"),
        sessionId,
        count: fc.constant(1),
      }),
    },
    { weight: 1, arbitrary: fc.record({ push: fc.constant("effect"), sessionId, count: fc.constant(1) }) },
  );
  const command = fc.oneof(
    { weight: 4, arbitrary: push },
    { weight: 1, arbitrary: fc.constant("tick" as const) },
  );

  test("nothing is lost or doubled, and the order of each session stays", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const queue = new EventQueue();
        const pushed: RoomEvent[] = [];
        const taken: RoomEvent[] = [];
        let seq = 0;
        const take = () => {
          const events = queue.takeForTick();
          for (const count of Object.values(countBy(events))) expect(count).toBeLessThanOrEqual(PER_TICK);
          taken.push(...events);
        };
        for (const step of commands) {
          if (step === "tick") {
            take();
            continue;
          }
          for (let index = 0; index < step.count; index++) {
            const event = eventOf(step.push, step.sessionId, ++seq);
            pushed.push(event);
            queue.push(event);
          }
        }
        // The cap is the only reason to wait: so many ticks are enough for whoever sent most.
        const most = Math.max(0, ...Object.values(countBy(pushed)));
        for (let left = Math.ceil(most / PER_TICK) + 1; left > 0; left--) take();
        expect(queue.isEmpty).toBe(true);
        for (const id of ["a", "b", "c", undefined])
          expect(ofSession(taken, id)).toEqual(ofSession(pushed, id));
        expect(taken).toHaveLength(pushed.length);
      }),
      { numRuns: 300 },
    );
  });
});

function eventOf(type: string, sessionId: string, seq: number): RoomEvent {
  if (type === "message") return messageOf(sessionId, seq);
  if (type === "effect") return { type: "effect", key: String(seq), result: { value: null } };
  if (type === "left") return { type: "left", sessionId, consented: seq % 2 === 0 };
  if (type === "joined") return { type: "joined", sessionId, options: { seq }, auth: null };
  if (type === "returned") return { type, sessionId, tokenGeneration: seq };
  return { type: "dropped", sessionId };
}

function ofSession(events: readonly RoomEvent[], sessionId: string | undefined): RoomEvent[] {
  return events.filter((event) => ("sessionId" in event ? event.sessionId : undefined) === sessionId);
}

test("forgetting a session takes out its events alone", () => {
  const queue = new EventQueue();
  queue.push({ type: "joined", sessionId: "a", options: {}, auth: null });
  pushMessages(queue, "b", 2);
  pushMessages(queue, "a", 2);
  queue.push({ type: "effect", key: "k", result: { value: 1 } });
  queue.forget("a");
  expect(queue.takeAll()).toEqual([
    messageOf("b", 1),
    messageOf("b", 2),
    { type: "effect", key: "k", result: { value: 1 } },
  ]);
});

test("it says when it is full", () => {
  const queue = new EventQueue();
  pushMessages(queue, "a", LIMITS.roomQueueEventsMax - 1);
  expect(queue.isFull).toBe(false);
  pushMessages(queue, "a", 1);
  expect(queue.isFull).toBe(true);
  expect(queue.takeAll()).toHaveLength(LIMITS.roomQueueEventsMax);
  expect(queue.isFull).toBe(false);
});
