/**
 * [R5] A hosted room that is taken up together with connections that have outlived its last owner: their sessions are
 * neither dropped nor returned for the room, and go on where they were. In simulated time, with connections in memory.
 */
import { describe, expect, test } from "vitest";
import { nodeFs } from "../../../server/journal/journal-fs.ts";
import { JournalSync } from "../../../server/journal/journal-sync.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createHostedRoom } from "../../../server/worker/create-room.ts";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import type { RoomServices } from "../../../server/worker/room-services.ts";
import { decodeServerMessage } from "../../../shared/protocol/codec.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { makeTemporaryDirectory } from "../journal/journal-harness.ts";
import { RoomHarness, say } from "./room-harness.ts";
import { Table } from "./rooms.ts";

const NONCE = 0x8294_0482;
const HEARD_NOTHING = { eventsReceived: 0, schemaHash: "" };

function setUp() {
  const harness = new RoomHarness();
  let tags = 0;
  const services: RoomServices = {
    ...harness.services,
    newTag: () => 0xc0ff_ee00 + ++tags,
    journals: {
      dataDirectory: makeTemporaryDirectory(),
      codeVersion: "1",
      failed: new Set(),
      services: { fs: nodeFs, sync: new JournalSync(nodeFs, 0, harness.time), writer: new ValueWriter() },
    },
  };
  let epoch = 0;
  /** Another owner; the one before is no more. */
  const takeUp = (...survivors: string[]): { room: HostedRoom; table: Table; notesBefore: number } => {
    harness.ticks.stop();
    epoch += 1;
    const create = { roomId: "written", roomType: "table", code: "CODE", seed: 1, epoch, options: {} };
    const room = createHostedRoom(create, Table, services, new Set(survivors));
    return { room, table: Table.last, notesBefore: Table.last.notes.length };
  };
  return { harness, takeUp };
}

function join(room: HostedRoom, sessionId: string): MemoryTransport {
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  room.accept(transport, sessionId, { kind: "join", options: {}, auth: undefined }, upgrade);
  return transport;
}

function resume(room: HostedRoom, sessionId: string, resumeToken: string): MemoryTransport {
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  room.accept(transport, sessionId, { kind: "resume", resumeToken }, upgrade);
  return transport;
}

/** The connection of a client that has answered. */
function adopt(room: HostedRoom, sessionId: string, heard = HEARD_NOTHING): MemoryTransport {
  const transport = new MemoryTransport();
  room.adopt(transport, sessionId, heard);
  return transport;
}

/** Two clients in a room, and then another owner for which those connections survive that are named. */
async function moved(...survivors: string[]) {
  const set = setUp();
  const first = set.takeUp().room;
  const [a, b] = [join(first, "a"), join(first, "b")];
  await set.harness.tick(2);
  for (let seq = 1; seq <= 3; seq++) say(a, seq, "tell", `text ${seq}`);
  await set.harness.tick(2);
  return { ...set, a, b, first, ...set.takeUp(...survivors) };
}

describe("a client is asked where its stream goes on", () => {
  test("by a message that tells the nonce, the new tag, and what the room has of its messages", async () => {
    const { room, a } = await moved("a", "b");
    for (const [sessionId, ack] of [
      ["a", 3],
      ["b", 0],
    ] as const) {
      const bytes = room.resumeMessage(sessionId, NONCE);
      const [value] = decodeServerMessage(bytes ?? new Uint8Array(0), a.welcome.tag);
      expect(value).toEqual([ServerMessage.RESUME, NONCE, 0xc0ff_ee02, ack]);
      expect(bytes?.length).toBeLessThan(126);
    }
  });

  test("unless nobody waits for it", async () => {
    const { harness, room, a } = await moved("a", "nobody");
    expect(room.resumeMessage("b", NONCE)).toBe(undefined);
    expect(room.resumeMessage("nobody", NONCE)).toBe(undefined);
    resume(room, "a", a.welcome.resumeToken);
    expect(room.resumeMessage("a", NONCE)).toBe(undefined);
    await harness.tick();
    expect(room.resumeMessage("a", NONCE)).toBe(undefined);
  });

  test("and not once the room closes", async () => {
    const { room } = await moved("a", "b");
    room.dispose("ROOM_CLOSED");
    expect(room.resumeMessage("a", NONCE)).toBe(undefined);
    expect(adopt(room, "a").closeCode).toBe("ROOM_CLOSED");
    room.adoptionFailed("b");
  });
});

describe("a connection that goes on", () => {
  test("is welcomed with what the client has missed; for the room nobody was away", async () => {
    const { harness, room, table, notesBefore, a, b } = await moved("a", "b");
    // The room does not stand still while it waits.
    await harness.tick(3);
    const [again, other] = [
      adopt(room, "a", { eventsReceived: 1, schemaHash: a.welcome.schemaHash }),
      adopt(room, "b"),
    ];
    say(again, 4, "tell", "text 4");
    await harness.tick(2);
    expect(again.welcome).toMatchObject({
      resumed: true,
      sessionId: "a",
      slot: a.welcome.slot,
      epoch: 2,
      ack: 4,
    });
    expect(again.welcome).toMatchObject({ nextEvent: 2, tag: 0xc0ff_ee02, schema: null });
    // It is told the same one again: the client may still have to be told the last one.
    expect(again.welcome.resumeToken).toBe(a.welcome.resumeToken);
    expect(again.messages[0]?.map(([type]) => type).slice(0, 3)).toEqual([
      ServerMessage.WELCOME,
      ServerMessage.SNAPSHOT,
      ServerMessage.OWN,
    ]);
    const texts = (count: number, from = 1) =>
      Array.from({ length: count }, (_, index) => ["told", `text ${from + index}`]);
    expect(again.events).toEqual(texts(3, 2));
    expect([other.welcome.nextEvent, other.welcome.schema === null]).toEqual([1, false]);
    expect(other.events).toEqual(texts(4));
    expect(b.events).toEqual(texts(3));
    expect(table.notes.slice(notesBefore)).toEqual([]);
    expect(harness.reported("session-left")).toEqual([]);
  });

  test("brings again what the room has, which is dropped, and what it has not, in order", async () => {
    const { harness, room } = await moved("a", "b");
    const again = adopt(room, "a");
    for (const seq of [2, 3, 4, 5]) say(again, seq, "tell", `text ${seq}`);
    await harness.tick(2);
    expect(again.events.map(([, text]) => text)).toEqual([1, 2, 3, 4, 5].map((seq) => `text ${seq}`));
    // A gap is what it always is.
    say(again, 7, "tell", "too far");
    expect(again.closeCode).toBe("PROTOCOL_ERROR");
  });

  test("may send all again that a client keeps, at once", async () => {
    const { harness, room } = await moved("a", "b");
    const again = adopt(room, "a");
    for (let seq = 4; seq < 4 + LIMITS.resendMessagesMax; seq++) say(again, seq, "add", 1);
    await harness.tick(1 + LIMITS.resendMessagesMax / LIMITS.messagesPerClientPerTickMax);
    expect(again.closeCode).toBe(undefined);
    expect(Table.last.applied).toHaveLength(LIMITS.resendMessagesMax);
  });

  test("of a client that has more events than there ever were is closed, and its session ends", async () => {
    const { harness, room } = await moved("a", "b");
    const again = adopt(room, "a", { eventsReceived: 4, schemaHash: "" });
    expect([again.closeCode, again.sent]).toEqual(["SESSION_OVERFLOW", []]);
    await harness.tick(2);
    expect(room.sessionIds).toEqual(["b"]);
  });

  test("is one of many: the next owner has it again, whether the last has welcomed it or not", async () => {
    const { harness, takeUp, room } = await moved("a", "b");
    say(adopt(room, "a", { eventsReceived: 3, schemaHash: "" }), 4, "tell", "text 4");
    await harness.tick(2);
    const { room: third, notesBefore, table } = takeUp("a", "b");
    expect([third.resumeMessage("a", NONCE), third.resumeMessage("b", NONCE)]).not.toContain(undefined);
    const [a, b] = [adopt(third, "a", { eventsReceived: 3, schemaHash: "" }), adopt(third, "b")];
    await harness.tick(2);
    expect([a.welcome.ack, a.welcome.nextEvent, a.welcome.epoch]).toEqual([4, 4, 3]);
    expect(a.events).toEqual([["told", "text 4"]]);
    expect(b.events).toHaveLength(4);
    expect(table.notes.slice(notesBefore)).toEqual([]);
    expect(table.notes).not.toContain("onDrop a");
  });

  test("is closed when it comes a second time, or after its client has taken another", async () => {
    const { harness, room, a, b } = await moved("a", "b");
    const again = adopt(room, "a");
    expect(adopt(room, "a").closeCode).toBe("SUPERSEDED");
    const newer = resume(room, "b", b.welcome.resumeToken);
    await harness.tick(2);
    expect(adopt(room, "b").closeCode).toBe("SUPERSEDED");
    // That an older one is gone is no news either.
    for (const sessionId of ["a", "b"]) room.adoptionFailed(sessionId);
    await harness.tick(2);
    expect([again.isOpen, newer.isOpen, a.welcome.resumed]).toEqual([true, true, false]);
    expect(newer.welcome.resumed).toBe(true);
    expect(Table.last.notes).not.toContain("onDrop b");
  });

  test("goes on although another of the same session has failed", async () => {
    const { harness, room, b } = await moved("a", "b");
    // The session was on the way from one connection to the next as the worker died: both have outlived it.
    room.adoptionFailed("a");
    const again = adopt(room, "a");
    await harness.tick(2);
    expect(again.closeCode).toBe(undefined);
    expect(again.welcome).toMatchObject({ resumed: true, sessionId: "a" });
    expect(b.isOpen).toBe(true);
  });

  test("of a session that the room has ended meanwhile is closed", async () => {
    const { harness, room } = await moved("a", "b");
    const again = adopt(room, "a");
    say(again, 4, "kick", "b");
    await harness.tick(2);
    expect(room.sessionIds).toEqual(["a"]);
    expect(adopt(room, "b").closeCode).toBe("SESSION_NOT_FOUND");
    room.adoptionFailed("b");
    await harness.tick();
    expect(Table.last.notes).not.toContain("onDrop b");
  });
});

describe("a connection that does not go on", () => {
  test("is a dropped one: the seat is kept for its time, and can be resumed", async () => {
    const { harness, room, table, notesBefore, a } = await moved("a", "b");
    await harness.tick(3);
    expect(table.notes.slice(notesBefore)).toEqual([]);
    room.adoptionFailed("a");
    room.adoptionFailed("a");
    room.adoptionFailed("b");
    room.adoptionFailed("nobody");
    await harness.tick(2);
    expect(table.notes.slice(notesBefore)).toEqual(["onDrop a", "onDrop b"]);
    const back = resume(room, "a", a.welcome.resumeToken);
    await harness.tick(2);
    expect([back.welcome.resumed, back.welcome.ack]).toEqual([true, 3]);
    await harness.time.advance(Table.reconnectMs + 1_000);
    expect(room.sessionIds).toEqual(["a"]);
    expect(harness.reported("session-left")).toEqual(["session-left b"]);
    expect(table.notes.slice(notesBefore)).toEqual(["onDrop a", "onDrop b", "onReconnect a", "onLeave b"]);
  });

  test("of which the primary knows nothing is dropped at once", async () => {
    const { harness, table, notesBefore } = await moved("a");
    await harness.tick(2);
    expect(table.notes.slice(notesBefore)).toEqual(["onDrop b"]);
  });
});

describe("the worker waits for a client whose connection has survived", () => {
  const ways: Record<string, (room: HostedRoom, welcome: { resumeToken: string }) => void> = {
    "until it has come back": (room) => adopt(room, "a"),
    "until it comes back on another connection": (room, { resumeToken }) => resume(room, "a", resumeToken),
    "until it does not come back": (room) => room.adoptionFailed("a"),
    "until the room ends": (room) => room.dispose("ROOM_CLOSED"),
  };

  test.each(Object.entries(ways))("%s", async (_, settle) => {
    const { harness, takeUp, a } = await moved();
    const { survivors } = harness.services;
    for (let i = 0; i < LIMITS.survivorsMany - 3; i++) survivors.awaits();
    const { room } = takeUp("a", "b", "nobody");
    expect(survivors.areMany).toBe(false);
    survivors.awaits();
    expect(survivors.areMany).toBe(true);
    settle(room, a.welcome);
    expect(survivors.areMany).toBe(false);
    // Only once.
    room.adoptionFailed("a");
    room.dispose("ROOM_CLOSED");
    for (let i = 0; i < 2; i++) survivors.awaits();
    expect(survivors.areMany).toBe(true);
  });
});

describe("what was under way when the last owner died", () => {
  test("a client that was away is not waited for on a connection", async () => {
    const { harness, takeUp, room } = await moved("a");
    adopt(room, "a");
    await harness.tick(2);
    const { room: third, table, notesBefore } = takeUp("a", "b");
    expect(third.resumeMessage("b", NONCE)).toBe(undefined);
    expect(third.resumeMessage("a", NONCE)).not.toBe(undefined);
    await harness.time.advance(Table.reconnectMs + 1_000);
    expect(table.notes.slice(notesBefore)).toEqual(["onLeave b"]);
  });
});

test("a client acknowledges on, from what it has said that it has", async () => {
  const { harness, room } = await moved("a", "b");
  const again = adopt(room, "a", { eventsReceived: 2, schemaHash: "" });
  await harness.tick();
  again.receive([ClientMessage.ACK, 3]);
  expect(again.closeCode).toBe(undefined);
  again.receive([ClientMessage.ACK, 4]);
  expect(again.closeCode).toBe("PROTOCOL_ERROR");
});
