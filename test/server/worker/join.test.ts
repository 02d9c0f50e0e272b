/** Taking a seat: the first message of a connection, and tickets that are redeemed again. */
import { beforeEach, expect, test } from "vitest";
import { findAck } from "../../../shared/protocol/codec.ts";
import { ServerMessage, type Welcome } from "../../../shared/protocol/wire.ts";
import { describe as describeSchema, Mirror, schemaHash } from "../../../shared/schema/index.ts";
import { RoomHarness, say, TAG } from "./room-harness.ts";
import { plainState, Table, TableState } from "./rooms.ts";

let harness: RoomHarness;
beforeEach(() => {
  Table.onHook = () => undefined;
  harness = new RoomHarness();
});

test("[M3] [M4] the first message is WELCOME, SNAPSHOT and OWN in one write", async () => {
  const [other] = await harness.seated("s0");
  if (other !== undefined) say(other, 1, "add", 5);
  const transport = harness.join("s1", { options: { name: "Ada" } });
  expect(transport.sent).toEqual([]);
  await harness.tick();
  expect(transport.sent).toHaveLength(1);
  const [first] = transport.messages;
  expect(first?.map(([type]) => type)).toEqual([
    ServerMessage.WELCOME,
    ServerMessage.SNAPSHOT,
    ServerMessage.OWN,
  ]);
  const descriptor = describeSchema(TableState);
  expect(transport.welcome).toEqual({
    roomId: "room-1",
    roomType: "table",
    code: "CODE",
    sessionId: "s1",
    slot: 1,
    resumed: false,
    resumeToken: expect.stringMatching(/^s1\.1\./),
    reconnectMs: 10_000,
    epoch: 3,
    worker: 1,
    tag: TAG,
    tickRate: 20,
    nextEvent: 1,
    ack: 0,
    savesLater: false,
    stepBackEpoch: 0,
    messages: Object.keys(harness.table.messages).toSorted(),
    schemaHash: schemaHash(descriptor),
    schema: descriptor,
  } satisfies Welcome);

  const [snapshot] = transport.ofType(ServerMessage.SNAPSHOT);
  const [own] = transport.ofType(ServerMessage.OWN);
  if (snapshot === undefined || own === undefined) throw new Error("no snapshot");
  const [, tick, roomTimeMs, acks, patch] = snapshot;
  expect([tick, roomTimeMs]).toEqual([2, 100]);
  expect([findAck(acks, 0, 0), findAck(acks, 1, 0), findAck(acks, 2, 0)]).toEqual([1, 0, undefined]);
  const mirror = new Mirror<typeof TableState>(descriptor);
  mirror.applySnapshot(patch);
  mirror.applyOwn(own[1]);
  expect(plainState(mirror.state, "s1")).toEqual(plainState(harness.table.state, "s1"));
  expect(mirror.state.members.get("s1")).toMatchObject({ name: "Ada", secret: 1 });
  expect(mirror.state.members.get("s0")).toMatchObject({ score: 5, secret: undefined });
  expect(harness.reported("session-joined")).toEqual(["session-joined s0", "session-joined s1"]);
});

test("[M3] who knows the schema is not sent it", async () => {
  const hash = schemaHash(describeSchema(TableState));
  const knows = harness.join("s1", { schemaHash: hash });
  const knowsAnother = harness.join("s2", { schemaHash: "00000000" });
  await harness.tick();
  expect(knows.welcome).toMatchObject({ schema: null, schemaHash: hash });
  expect(knowsAnother.welcome.schema).toEqual(describeSchema(TableState));
});

test("the room learns the options and what onAuth returned", async () => {
  let auth: unknown;
  Table.onHook = (hook, _room, client) => {
    if (hook === "onJoin") auth = client?.auth;
  };
  harness = new RoomHarness();
  harness.join("s1", { options: { name: "Bo" }, auth: { id: 7 } });
  await harness.tick();
  expect(auth).toEqual({ id: 7 });
  expect(harness.table.state.members.get("s1")?.name).toBe("Bo");
});

test("of one step's events, a newcomer gets those that were sent when it had its seat", async () => {
  Table.onHook = (hook, room, client) => {
    if (hook === "onJoin") room.broadcast("joined", client?.sessionId);
  };
  harness = new RoomHarness();
  const [early] = await harness.seated("s1");
  if (early !== undefined) say(early, 1, "tell", "before");
  const late = harness.join("s2");
  const latest = harness.join("s3");
  if (early !== undefined) say(early, 2, "tell", "after");
  await harness.tick();
  expect(latest.events).toEqual([
    ["joined", "s3"],
    ["told", "after"],
  ]);
  expect(late.events).toEqual([["joined", "s2"], ...latest.events]);
  expect(early?.events).toEqual([["joined", "s1"], ["told", "before"], ...late.events]);
});

test("who is lost before the room knew of it gives the seat back at once, and the room never hears of it", async () => {
  const transport = harness.join("s1");
  say(transport, 1, "add", 1);
  transport.lose();
  expect(harness.reported("session-left", "session-joined")).toEqual(["session-left s1"]);
  expect(harness.room.clientCount).toBe(0);
  await harness.tick(2);
  expect(harness.table.notes).toEqual(["onCreate"]);
  expect(harness.table.applied).toEqual([]);
  expect(transport.sent).toEqual([]);
  expect(harness.reported("session-left", "session-joined")).toEqual(["session-left s1"]);
});

test("a session that has ended can come back by its ticket, as a new one", async () => {
  const first = harness.join("s1");
  first.lose();
  const second = harness.join("s1");
  await harness.tick();
  expect(second.welcome).toMatchObject({ sessionId: "s1", slot: 0, resumed: false, nextEvent: 1 });
  expect(harness.table.notes).toEqual(["onCreate", "onJoin s1"]);
});

test("[H5] a ticket that is redeemed again before the room knows the session: the newer connection has it", async () => {
  const first = harness.join("s1");
  const second = harness.join("s1");
  expect(first.closeCode).toBe("SUPERSEDED");
  await harness.tick(2);
  expect(first.sent).toEqual([]);
  expect(second.welcome.resumed).toBe(false);
  expect(second.messages.map(([first]) => first?.[0])).toEqual([ServerMessage.WELCOME, ServerMessage.STATE]);
  expect(harness.table.notes).toEqual(["onCreate", "onJoin s1"]);
  expect(harness.room.clientCount).toBe(1);
});

test("[H5] [R3] a ticket that is redeemed again later continues the session, and the room notices nothing", async () => {
  const [first] = await harness.seated("s1");
  if (first === undefined) throw new Error("not seated");
  say(first, 1, "whisper", "one");
  say(first, 2, "whisper", "two");
  await harness.tick();
  const second = harness.join("s1");
  expect(first.closeCode).toBe("SUPERSEDED");
  const sentBefore = first.sent.length;
  say(first, 3, "add", 1);
  await harness.tick();
  expect(second.welcome).toMatchObject({ resumed: true, nextEvent: 1, ack: 2 });
  expect(second.events).toEqual([
    ["whispered", "one"],
    ["whispered", "two"],
  ]);
  expect(first.sent).toHaveLength(sentBefore);
  expect(harness.table.applied).toEqual([]);
  expect(harness.table.notes).toEqual(["onCreate", "onJoin s1"]);
  expect(harness.reported("session-left")).toEqual([]);
});
