/** A hosted room that is taken up from its journal by another owner, in simulated time, with connections in memory. */
import { expect, test } from "vitest";
import { JournalSync } from "../../../server/journal/journal-sync.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { createHostedRoom } from "../../../server/worker/create-room.ts";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import type { Journals } from "../../../server/worker/room-recorder.ts";
import type { RoomServices } from "../../../server/worker/room-services.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { FaultyFs, makeTemporaryDirectory, systemError } from "../journal/journal-harness.ts";
import { RoomHarness } from "./room-harness.ts";
import { Table } from "./rooms.ts";

function setUp() {
  const harness = new RoomHarness();
  const fs = new FaultyFs();
  const journals: Journals = {
    dataDirectory: makeTemporaryDirectory(),
    codeVersion: "1",
    failed: new Set(),
    services: { fs, sync: new JournalSync(fs, 0, harness.time), writer: new ValueWriter() },
  };
  const services: RoomServices = { ...harness.services, journals };
  /** A room, or what another owner takes up of it. */
  const own = (epoch: number, roomClass: RoomClass = Table): HostedRoom => {
    const create = { roomId: "written", roomType: "table", code: "CODE", seed: 1, epoch, options: {} };
    return createHostedRoom(create, roomClass, services);
  };
  return { harness, fs, journals, own };
}

function join(room: HostedRoom, sessionId: string): MemoryTransport {
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  room.accept(transport, sessionId, { kind: "join", options: { name: sessionId }, auth: undefined }, upgrade);
  return transport;
}

function resume(
  room: HostedRoom,
  sessionId: string,
  resumeToken: string,
  eventsReceived: number,
): MemoryTransport {
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived };
  room.accept(transport, sessionId, { kind: "resume", resumeToken }, upgrade);
  return transport;
}

test("goes on with the same sessions, the same messages under the same numbers, and its clock", async () => {
  const { harness, own } = setUp();
  const first = own(1);
  const [a] = [join(first, "a"), join(first, "b")];
  await harness.tick(2);
  for (let seq = 1; seq <= 3; seq++) a.receive([ClientMessage.MESSAGE, seq, 0, "tell", `text ${seq}`]);
  await harness.tick(2);
  const before = a.events;
  expect(before.length).toBeGreaterThanOrEqual(3);
  const { resumeToken } = a.welcome;
  const clockMs = first.roomTimeMs();

  // The first owner is no more; a while passes.
  harness.ticks.stop();
  await harness.tick(40);
  const second = own(2);
  expect([...second.sessionIds].sort()).toEqual(["a", "b"]);
  // It stood still: what had passed since the last step is not counted.
  expect(Math.abs(second.roomTimeMs() - clockMs)).toBeLessThanOrEqual(1_000 / Table.tickRate);
  const back = resume(second, "a", resumeToken, 1);
  await harness.tick(2);
  expect(back.welcome).toMatchObject({
    resumed: true,
    sessionId: "a",
    slot: 0,
    ack: 3,
    nextEvent: 2,
    epoch: 2,
  });
  expect(back.events.slice(0, before.length - 1)).toEqual(before.slice(1));
});

test("gives back the seat of a client that does not come back", async () => {
  const { harness, own } = setUp();
  join(own(1), "a");
  await harness.tick(2);
  harness.ticks.stop();
  const second = own(2);
  await harness.tick(2);
  expect(second.sessionIds).toEqual(["a"]);
  await harness.time.advance(Table.reconnectMs + 1_000);
  expect(second.sessionIds).toEqual([]);
});

test("a message that was not written down is not acknowledged, and is taken when it comes again", async () => {
  const { harness, own } = setUp();
  const first = own(1);
  const a = join(first, "a");
  await harness.tick(2);
  a.receive([ClientMessage.MESSAGE, 1, 0, "tell", "in time"]);
  await harness.tick();
  // In the queue, and in no tick yet.
  a.receive([ClientMessage.MESSAGE, 2, 0, "tell", "too late"]);
  harness.ticks.stop();
  const second = own(2);
  const back = resume(second, "a", a.welcome.resumeToken, 0);
  await harness.tick(2);
  expect(back.welcome.ack).toBe(1);
  back.receive([ClientMessage.MESSAGE, 2, 0, "tell", "too late"]);
  await harness.tick(2);
  expect(back.events.filter(([name]) => name === "told").map(([, payload]) => payload)).toEqual([
    "in time",
    "too late",
  ]);
});

test("a room whose disk is full goes on, is counted as unrecorded, and is good again with the next checkpoint", async () => {
  const { harness, fs, journals, own } = setUp();
  const room = own(1);
  const a = join(room, "a");
  await harness.tick(2);
  fs.before = (call) => {
    if (call === "write" || call === "createFile" || call === "replaceFile") throw systemError("ENOSPC");
  };
  await harness.tick(2);
  expect([...journals.failed]).toEqual(["written"]);
  const count = a.sent.length;
  await harness.tick(3);
  expect(a.sent.length).toBe(count + 3);
  fs.before = () => undefined;
  room.dispose("ROOM_CLOSED");
  await harness.time.settle();
  expect([...journals.failed]).toEqual([]);
});
