/** Handles on their way to one worker: a few at once, in order, each accounted for when the worker dies. */
import { expect, test } from "vitest";
import type { SocketHandle } from "../../../server/ipc/channel.ts";
import type { PrimaryToWorker } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { type Accept, Handoff } from "../../../server/primary/handoff.ts";

type Sent = {
  readonly id: number;
  readonly type: PrimaryToWorker["type"];
  readonly handle: SocketHandle | undefined;
};

function setUp() {
  const sent: Sent[] = [];
  const closed: number[] = [];
  const accepted: { readonly message: Accept; readonly handle: SocketHandle }[] = [];
  const handles = new Map<number, SocketHandle>();
  const send = (message: PrimaryToWorker, handle?: SocketHandle) => {
    if ("connectionId" in message) sent.push({ id: message.connectionId, type: message.type, handle });
  };
  const handoff = new Handoff({ send }, (message, handle) => void accepted.push({ message, handle }));
  const handleOf = (id: number): SocketHandle => {
    const handle = { close: () => void closed.push(id) };
    handles.set(id, handle);
    return handle;
  };
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  const passenger = { kind: "resume", resumeToken: "s.1.x" } as const;
  const identity = (connectionId: number) => ({ connectionId, roomId: "r", sessionId: `s${connectionId}` });
  return {
    handoff,
    sent,
    closed,
    accepted,
    handles,
    sentIds: () => sent.map(({ id }) => id),
    pass: (id: number, roomId = "r") =>
      handoff.pass({ type: "accept", ...identity(id), roomId, upgrade, passenger }, handleOf(id)),
    passOn: (id: number) => handoff.passOn({ type: "adopt", ...identity(id) }, handleOf(id)),
  };
}

/** from, from + 1, ... */
function ids(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

test("new connections go with their handles, a few at once, and in order", () => {
  const { handoff, pass, sent, sentIds, handles } = setUp();
  for (const id of ids(20)) expect(pass(id)).toBe(true);
  expect(sentIds()).toEqual(ids(LIMITS.handoffWindow));
  expect(sent.every(({ id, handle }) => handle === handles.get(id))).toBe(true);
  handoff.accepted(3);
  expect(sentIds()).toEqual(ids(LIMITS.handoffWindow + 1));
  for (const id of ids(20)) handoff.accepted(id);
  expect(sentIds()).toEqual(ids(20));
});

test("one that has arrived is told of once, with this side's copy, which stays open", () => {
  const { handoff, pass, accepted, handles, closed } = setUp();
  pass(1);
  handoff.accepted(1);
  handoff.accepted(1);
  handoff.accepted(9);
  expect(accepted).toEqual([
    { message: expect.objectContaining({ connectionId: 1 }), handle: handles.get(1) },
  ]);
  expect([closed, handoff.lost()]).toEqual([[], []]);
});

test("too many that wait are refused, and remain the caller's", () => {
  const { pass, closed, sentIds, handoff } = setUp();
  const taken = LIMITS.handoffWindow + LIMITS.handoffQueueMax;
  for (const id of ids(taken)) expect(pass(id)).toBe(true);
  expect(pass(taken + 1)).toBe(false);
  expect(closed).toEqual([]);
  handoff.accepted(1);
  expect(pass(taken + 2)).toBe(true);
  expect(sentIds()).not.toContain(taken + 1);
});

test("sockets of a dead worker go in larger numbers, are never refused, and are nobody's news", () => {
  const { handoff, passOn, sentIds, sent, accepted } = setUp();
  const count = LIMITS.handoffWindow + LIMITS.handoffQueueMax + 10;
  for (const id of ids(count)) passOn(id);
  expect(sentIds()).toEqual(ids(LIMITS.adoptionWindow));
  for (const id of ids(count)) handoff.accepted(id);
  expect(sentIds()).toEqual(ids(count));
  expect([sent.every(({ type }) => type === "adopt"), accepted]).toEqual([true, []]);
});

test("a new connection waits behind the sockets before it, and none overtakes it", () => {
  const { handoff, pass, passOn, sentIds } = setUp();
  for (const id of ids(LIMITS.handoffWindow)) passOn(id);
  pass(100);
  passOn(101);
  expect(sentIds()).toEqual(ids(LIMITS.handoffWindow));
  handoff.accepted(1);
  expect(sentIds()).toEqual([...ids(LIMITS.handoffWindow), 100, 101]);
});

test("when the worker dies, new connections that it has not taken are told; those of others are still retained", () => {
  const { handoff, pass, passOn, closed, accepted } = setUp();
  for (const id of [1, 2]) pass(id);
  passOn(3);
  handoff.accepted(1);
  for (const id of ids(20, 10)) (id % 2 === 0 ? pass : passOn)(id);
  const untaken = [2, ...ids(20, 10).filter((id) => id % 2 === 0)];
  expect(handoff.lost().map(({ message }) => message.connectionId)).toEqual(untaken);
  expect(closed).toEqual([]);
  // What it had still said comes too late.
  handoff.accepted(2);
  expect([accepted.length, handoff.lost()]).toEqual([1, []]);
});

test("it is known for which rooms handles are on their way, or wait", () => {
  const { handoff, pass } = setUp();
  const isPassingTo = () => ["first", "second", "another"].map((roomId) => handoff.isPassingTo(roomId));
  for (const id of ids(LIMITS.handoffWindow)) pass(id, "first");
  pass(100, "second");
  expect(isPassingTo()).toEqual([true, true, false]);
  for (const id of ids(LIMITS.handoffWindow)) handoff.accepted(id);
  expect(isPassingTo()).toEqual([false, true, false]);
  handoff.accepted(100);
  expect(isPassingTo()).toEqual([false, false, false]);
});
