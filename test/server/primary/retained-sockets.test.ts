/** The primary's copies of sockets: each is closed once, and found by its room until then. */
import { expect, test } from "vitest";
import { RetainedSockets } from "../../../server/primary/retained-sockets.ts";

function setUp() {
  const sockets = new RetainedSockets();
  const closed: number[] = [];
  const retain = (connectionId: number, roomId: string, sessionId = `s${connectionId}`) =>
    sockets.retain({
      connectionId,
      roomId,
      sessionId,
      handle: { close: () => void closed.push(connectionId) },
    });
  const idsOf = (roomId: string) => sockets.ofRoom(roomId).map(({ connectionId }) => connectionId);
  return { sockets, closed, retain, idsOf };
}

test("sockets are found by their room, and are not closed as long as they are retained", () => {
  const { sockets, closed, retain, idsOf } = setUp();
  retain(1, "a");
  retain(2, "b");
  retain(3, "a");
  expect([idsOf("a"), idsOf("b"), idsOf("c")]).toEqual([[1, 3], [2], []]);
  expect(sockets.ofRoom("b")).toMatchObject([{ connectionId: 2, roomId: "b", sessionId: "s2" }]);
  expect([sockets.size, sockets.roomOf(3), sockets.roomOf(4), closed]).toEqual([3, "a", undefined, []]);
});

test("one that is released is closed, once, and not found any more", () => {
  const { sockets, closed, retain, idsOf } = setUp();
  retain(1, "a");
  retain(2, "a");
  sockets.release(1);
  sockets.release(1);
  sockets.release(7);
  expect([closed, idsOf("a"), sockets.size, sockets.roomOf(1)]).toEqual([[1], [2], 1, undefined]);
  sockets.release(2);
  expect([closed, idsOf("a"), sockets.size]).toEqual([[1, 2], [], 0]);
  // The room is as good as new.
  retain(3, "a");
  expect(idsOf("a")).toEqual([3]);
});

test("a session may have two of them, an old connection and a new one", () => {
  const { sockets, closed, retain, idsOf } = setUp();
  retain(1, "a", "s");
  retain(2, "a", "s");
  sockets.release(1);
  expect([closed, idsOf("a")]).toEqual([[1], [2]]);
});

test("all of a room can be released while they are gone through", () => {
  const { sockets, closed, retain } = setUp();
  for (let id = 1; id <= 100; id++) retain(id, "a");
  for (const { connectionId } of sockets.ofRoom("a")) sockets.release(connectionId);
  expect([closed.length, sockets.size]).toEqual([100, 0]);
});

test("those that a room has left behind are of no room any more, and are closed like others", () => {
  const { sockets, closed, retain, idsOf } = setUp();
  for (const connectionId of [1, 2, 3]) retain(connectionId, "a");
  sockets.keepOnly("a", new Set([2]));
  expect([idsOf("a"), sockets.size]).toEqual([[2], 3]);
  expect([1, 2, 3].map((connectionId) => sockets.roomOf(connectionId))).toEqual([undefined, "a", undefined]);
  sockets.release(1);
  sockets.keepOnly("a", new Set());
  sockets.keepOnly("nowhere", new Set([3]));
  expect([idsOf("a"), sockets.size, closed]).toEqual([[], 2, [1]]);
  sockets.release(2);
  sockets.release(3);
  expect([sockets.size, closed]).toEqual([0, [1, 2, 3]]);
});
