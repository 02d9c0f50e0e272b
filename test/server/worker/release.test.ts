/** A room that leaves a worker that lives on, in simulated time, with connections in memory. */
import { beforeEach, expect, test } from "vitest";
import type { RoomClass } from "../../../server/room/room-class.ts";
import type { Transport } from "../../../server/transport/transport.ts";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import { decodeServerMessage } from "../../../shared/protocol/codec.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { systemError } from "../journal/journal-harness.ts";
import { Owners } from "./owners.ts";
import { say, TICK_MS } from "./room-harness.ts";
import { Desk, Table } from "./rooms.ts";

const NONCE = 7;

let owners: Owners;
beforeEach(() => {
  Table.onHook = () => undefined;
  owners = new Owners();
});

function join(room: HostedRoom, sessionId: string): MemoryTransport {
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  room.accept(transport, sessionId, { kind: "join", options: { name: sessionId }, auth: undefined }, upgrade);
  return transport;
}

/** The connection goes on at the room's next owner. @returns the client's end of it, and what RESUME has acknowledged */
function goOn(room: HostedRoom, sessionId: string, eventsReceived: number) {
  const [resume] = decodeServerMessage(room.resumeMessage(sessionId, NONCE) ?? new Uint8Array(0), undefined);
  if (resume?.[0] !== ServerMessage.RESUME) throw new Error("no RESUME");
  const transport = new MemoryTransport();
  room.adopt(transport, sessionId, { eventsReceived, schemaHash: "" });
  return { transport, ack: resume[3] };
}

/** What becomes of a room that is asked to leave, in time enough. */
async function release(room: HostedRoom): Promise<readonly Transport[] | "stays" | "says nothing"> {
  let outcome: readonly Transport[] | "stays" | "says nothing" = "says nothing";
  room.release((connections) => {
    outcome = connections ?? "stays";
  });
  await owners.time.advance(2 * TICK_MS);
  return outcome;
}

async function seated(roomClass: RoomClass = Table) {
  const room = owners.next(roomClass);
  const [a, b] = [join(room, "a"), join(room, "b")];
  await owners.time.advance(2 * TICK_MS);
  return { room, a, b };
}

test.each([
  ["with ticks", Table],
  ["without ticks", Desk],
])("a room %s goes with all that has come to it, and says no more", async (_what, roomClass) => {
  const { room, a, b } = await seated(roomClass);
  say(a, 1, "add", 5);
  say(b, 1, "tell", "goodbye");
  const connections = await release(room);
  expect(connections).toEqual([a, b]);
  expect(a.events.at(-1)).toEqual(["told", "goodbye"]);
  expect(room.hasEnded).toBe(true);
  await room.ended;
  const sent = a.sent.length;
  say(a, 2, "tell", "too late");
  await owners.time.advance(10 * TICK_MS);
  expect(a.sent).toHaveLength(sent);

  const next = owners.next(roomClass, { survivors: ["a", "b"] });
  expect(Table.last.state.members.get("a")?.score).toBe(5);
  const back = goOn(next, "a", a.events.length);
  expect(back.ack).toBe(1);
  say(back.transport, 2, "tell", "again");
  await owners.time.advance(2 * TICK_MS);
  // What it has had does not come again, and what it has sent again is taken once.
  expect(back.transport.events).toEqual([["told", "again"]]);
  expect(back.transport.welcome).toMatchObject({ resumed: true, epoch: 2, nextEvent: a.events.length + 1 });
});

test("it is saved as it leaves, so that there is nothing to apply again", async () => {
  const { room, a } = await seated();
  say(a, 1, "grow", 3);
  await release(room);
  const [checkpoint = ""] = owners.checkpoints;
  expect(checkpoint).toMatch(/^1-\d+\.checkpoint$/);
  let ticks = 0;
  Table.onHook = (hook) => {
    if (hook === "onTick") ticks += 1;
  };
  owners.next(Table, { survivors: ["a", "b"] });
  expect(ticks).toBe(0);
  expect(Table.last.state.things.size).toBe(3);
});

test("a connection that is closing stays where it is, so that it is closed in order", async () => {
  const { room, a, b } = await seated();
  b.isClosing = true;
  expect(await release(room)).toEqual([a]);
  expect(b.isTerminated).toBe(false);
  const next = owners.next(Table, { survivors: ["a"] });
  await owners.time.advance(TICK_MS);
  expect(Table.last.notes).toEqual(["onDrop b"]);
  expect([...next.sessionIds]).toEqual(["a", "b"]);
  b.lose();
  await owners.time.advance(TICK_MS);
  expect(Table.last.notes).toEqual(["onDrop b"]);
});

test("a room without ticks takes along the time that has passed since its last step", async () => {
  const { room, a } = await seated(Desk);
  say(a, 1, "later", 60_000);
  await owners.time.advance(50_000);
  const leftAtMs = room.roomTimeMs();
  expect(await release(room)).toHaveLength(2);
  const next = owners.next(Desk, { survivors: ["a", "b"] });
  expect(next.roomTimeMs()).toBeGreaterThanOrEqual(leftAtMs);
  const { transport } = goOn(next, "a", a.events.length);
  await owners.time.advance(9_000);
  expect(transport.events).toEqual([]);
  await owners.time.advance(1_000);
  expect(transport.events).toMatchObject([["later", expect.any(Number)]]);
});

test("a client that is away stays so, with its seat kept", async () => {
  const { room, a, b } = await seated();
  b.lose();
  await owners.time.advance(TICK_MS);
  expect(await release(room)).toEqual([a]);
  const next = owners.next(Table, { survivors: ["a"] });
  await owners.time.advance(Table.reconnectMs - TICK_MS);
  expect([...next.sessionIds]).toEqual(["a", "b"]);
  await owners.time.advance(3 * TICK_MS);
  expect([...next.sessionIds]).toEqual(["a"]);
});

test("a room stays, and goes on, as long as something is under way that cannot be taken along", async () => {
  const { room, a, b } = await seated();
  say(a, 1, "save", "it");
  await owners.time.advance(TICK_MS);
  expect(await release(room)).toBe("stays");
  Table.last.answers[0]?.resolve("done");
  await owners.time.advance(2 * TICK_MS);
  expect(a.events.at(-1)).toEqual(["saved", "done"]);
  // What has not been sent would be lost in the middle of a message.
  b.bufferedBytes = 1;
  expect(await release(room)).toBe("stays");
  b.bufferedBytes = 0;
  await owners.time.advance(TICK_MS);
  // Clients who are still on their way from its last owner.
  expect(await release(room)).toEqual([a, b]);
  const next = owners.next(Table, { survivors: ["a", "b"] });
  expect(await release(next)).toBe("stays");
  goOn(next, "a", a.events.length);
  next.adoptionFailed("b");
  expect(await release(next)).toHaveLength(1);
});

test("a room that is not written down stays", async () => {
  class Saved extends Table {
    static override durability = "checkpoint" as const;
  }
  expect(await release((await seated(Saved)).room)).toBe("stays");
  owners = new Owners();
  const { room, a } = await seated();
  owners.failed.add(room.id);
  expect(await release(room)).toBe("stays");
  owners.failed.clear();
  // Nor does one that would have to be made again of all its steps.
  owners.fs.before = (call) => {
    if (call === "rename") throw systemError("EIO");
  };
  expect(await release(room)).toBe("stays");
  expect([a.isOpen, room.hasEnded]).toEqual([true, false]);
});

test("a room that ends before it can leave only ends", async () => {
  const { room, a } = await seated();
  say(a, 1, "disconnect");
  expect(await release(room)).toBe("says nothing");
  expect([room.hasEnded, a.closeCode]).toEqual([true, "ROOM_CLOSED"]);
});
