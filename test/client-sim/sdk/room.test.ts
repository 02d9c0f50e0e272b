/** What a joined room does for its user: messages, state, callbacks, ping and leaving. */
import { object, optional, string } from "valibot";
import { describe, expect, it, vi } from "vitest";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import type { StateInfo } from "../../../client-sim/sdk/session.ts";
import { ERRORS, RookeryError } from "../../../shared/errors.ts";
import { decodeInput } from "../../../shared/schema/index.ts";
import { MoveInput } from "./fake-server.ts";
import { joinRoom, makeClient, record, settled } from "./setup.ts";

const Chat = object({ text: string(), to: optional(string()) });
const STILL = { dx: 0, dy: 0, shoot: false };

describe("sending", () => {
  it("encodes payloads of binary input schemas, and any others as they are", async () => {
    const { time, server, client } = makeClient();
    const room = await settled(
      time,
      client.joinOrCreate("arena", {}, { messages: { move: MoveInput, chat: Chat } }),
    );
    const move = { dx: -3, dy: 4, shoot: true };
    expect(room.send("move", move)).toBe(1);
    expect(room.send("chat", { text: "hi", to: undefined })).toBe(2);
    await time.advance(1);
    expect(server.applied.map(({ type }) => type)).toEqual(["move", "chat"]);
    expect(decodeInput(MoveInput, server.applied[0]?.payload as Uint8Array)).toEqual(move);
    expect(server.applied[1]?.payload).toEqual({ text: "hi" });
  });

  it("throws at what its schema cannot hold, and sends nothing", async () => {
    const { time, server, room } = await joinRoom();
    expect(() => room.send("move", { ...STILL, dx: 1_000 })).toThrow(RangeError);
    expect(room.send("move", STILL)).toBe(1);
    await time.advance(1);
    expect(server.applied).toHaveLength(1);
  });

  it("throws when the outbox is full, and takes more once the room has applied some", async () => {
    const { time, server, room } = await joinRoom();
    for (let i = 0; i < CLIENT_LIMITS.outboxMessagesMax; i++) room.send("move", STILL);
    expect(() => room.send("move", STILL)).toThrow(expect.objectContaining({ code: "SESSION_OVERFLOW" }));
    await time.advance(1);
    server.step();
    await time.advance(1);
    expect(room.send("move", STILL)).toBe(CLIENT_LIMITS.outboxMessagesMax + 1);
  });

  it("throws at a message that the server would close the connection for", async () => {
    const { time, server, client } = makeClient();
    const room = await settled(time, client.joinOrCreate("arena"));
    const tooLarge = "x".repeat(CLIENT_LIMITS.messageBytesMax);
    expect(() => room.send("chat", tooLarge)).toThrow(expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
    expect(room.send("chat", tooLarge.slice(100))).toBe(1);
    await time.advance(1);
    expect(server.applied).toHaveLength(1);
  });
});

describe("state", () => {
  it("is told of after it is applied, with tick, times, acknowledgement and size", async () => {
    const { time, server, room } = await joinRoom();
    const infos: StateInfo[] = [];
    const seen: unknown[] = [];
    room.onState((info) => {
      infos.push(info);
      seen.push(room.state.phase, room.state.players.get("session1")?.ammo);
    });
    room.send("move", STILL);
    await time.advance(1);
    server.encoder.root.phase = 9;
    const me = server.encoder.root.players.get("session1");
    if (me) me.ammo = 6;
    server.step();
    await time.advance(1);
    const [info] = infos;
    expect(info).toMatchObject({ tick: 1, ack: 1, snapshot: false, receivedAtMs: time.now() - 1 });
    expect(info?.roomTimeMs).toBe(time.now() - 1);
    expect(info?.bytes).toBeGreaterThan(10);
    // The private part that came in the same message is applied by then, too.
    expect(seen).toEqual([9, 6]);
    expect([room.tick, room.roomTimeMs]).toEqual([1, info?.roomTimeMs]);
  });

  it("of the join is told of to callbacks registered right after it, and so are events that came along", async () => {
    const { time, server, client } = makeClient();
    const joining = client.joinOrCreate("arena");
    await time.settle();
    // The session exists from the ticket on.
    server.event("session1", "welcome", "hello");
    const room = await settled(time, joining);
    server.event("session1", "again", null);
    const lines = record(room);
    room.onState(({ snapshot, tick }) => lines.push(`state ${snapshot} ${tick}`));
    await time.advance(1);
    expect(lines).toEqual(["state true 0", 'welcome "hello"', "again null"]);
  });
});

describe("callbacks", () => {
  it("get the events of their type, or all, until they are removed", async () => {
    const { time, server, room } = await joinRoom();
    const seen: string[] = [];
    const stop = room.onMessage("hit", (payload) => seen.push(`hit ${payload}`));
    room.onMessage("*", (payload, type) => seen.push(`* ${type} ${payload}`));
    server.event("session1", "hit", 1);
    server.event("session1", "miss", 2);
    await time.advance(1);
    stop();
    server.event("session1", "hit", 3);
    await time.advance(1);
    expect(seen).toEqual(["hit 1", "* hit 1", "* miss 2", "* hit 3"]);
  });

  it("that throw break neither the room nor the others", async () => {
    const { time, server, room } = await joinRoom();
    const errors: unknown[] = [];
    const seen: unknown[] = [];
    room.onError((error) => errors.push((error as Error).message));
    room.onMessage("hit", () => {
      throw new Error("in onMessage");
    });
    room.onMessage("hit", (payload) => seen.push(payload));
    room.onState(() => {
      throw new Error("in onState");
    });
    room.state.players.onChange(() => {
      throw new Error("in onChange");
    });
    const me = server.encoder.root.players.get("session1");
    if (me) me.hp = 50;
    server.step();
    server.event("session1", "hit", 1);
    await time.advance(1);
    expect(errors).toEqual(["in onChange", "in onState", "in onMessage"]);
    expect(seen).toEqual([1]);
    expect(server.sockets).toHaveLength(1);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
  });

  it("for errors are told of a message that was refused, unless somebody asks for refusals", async () => {
    const { time, server, room } = await joinRoom();
    const told: unknown[] = [];
    room.onError((error) => told.push(error));
    const refusal = { code: "MESSAGE_UNKNOWN", message: "There is no message of that name.", seq: 1 };
    server.event("session1", "$error", refusal);
    await time.advance(1);
    expect(told).toEqual([new RookeryError("MESSAGE_UNKNOWN", refusal.message)]);
    const refused: unknown[] = [];
    const stop = room.onMessage("$error", (payload) => refused.push(payload));
    server.event("session1", "$error", refusal);
    await time.advance(1);
    expect([told, refused]).toMatchObject([{ length: 1 }, [refusal]]);
    stop();
    server.event("session1", "$error", { ...refusal, code: "of a later server" });
    await time.advance(1);
    expect(told[1]).toMatchObject({ code: "PROTOCOL_ERROR", message: refusal.message });
  });

  it("that throw are reported as uncaught when nobody asked for errors", async () => {
    const { time, server, room } = await joinRoom();
    const reported = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
    try {
      room.onMessage("hit", () => {
        throw new Error("unhandled");
      });
      server.event("session1", "hit", 1);
      await time.advance(1);
      expect(reported).toHaveBeenCalledOnce();
      expect(reported.mock.calls[0]?.[0]).toThrow("unhandled");
    } finally {
      reported.mockRestore();
    }
  });
});

describe("ping", () => {
  it("measures the round trip", async () => {
    const { time, server, room } = await joinRoom();
    server.socket.latencyMs = 40;
    expect(await settled(time, room.ping())).toBe(80);
  });

  it("fails when the connection is lost, and while there is none", async () => {
    const { time, server, room } = await joinRoom();
    const lost = expect(room.ping()).rejects.toMatchObject({ code: "TIMEOUT" });
    server.socket.drop();
    await lost;
    await expect(room.ping()).rejects.toMatchObject({ code: "TIMEOUT" });
    await time.advance(CLIENT_LIMITS.backoffMinMs);
    expect(await settled(time, room.ping())).toBe(0);
  });
});

describe("leaving", () => {
  it("is agreed with the server", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    server.socket.latencyMs = 30;
    const leaving = room.leave();
    expect(() => room.send("move", STILL)).toThrow(expect.objectContaining({ code: "ROOM_CLOSED" }));
    expect(await settled(time, leaving)).toBe(ERRORS.CONSENTED.close);
    expect(lines).toEqual([`leave ${ERRORS.CONSENTED.close} CONSENTED`]);
    expect(room.connectionState).toBe("closed");
    expect(await room.leave()).toBe(ERRORS.CONSENTED.close);
    expect(time.pendingTimers).toBe(0);
  });

  it("does not wait for a server that does not answer", async () => {
    const { time, server, room } = await joinRoom();
    server.socket.latencyMs = 1_000_000;
    const startMs = time.now();
    expect(await settled(time, room.leave())).toBe(ERRORS.CONSENTED.close);
    expect(time.now() - startMs).toBe(CLIENT_LIMITS.leaveMs);
    expect(server.socket.closedWith).toBe(ERRORS.CONSENTED.close);
  });

  it("stops a reconnect that is under way, and what the server answers to it", async () => {
    const { time, server, room } = await joinRoom();
    const lines = record(room);
    room.onDrop(() => void room.leave());
    server.socket.drop();
    await time.advance(60_000);
    expect(lines).toEqual(["drop 1006 undefined", `leave ${ERRORS.CONSENTED.close} CONSENTED`]);
    expect(server.sockets).toHaveLength(1);
  });

  it("stops a rejoin whose ticket is on its way", async () => {
    const { time, server, room } = await joinRoom();
    const answer = Promise.withResolvers<Response>();
    server.httpAnswers.push(() => answer.promise);
    server.socket.closeByServer(ERRORS.ROOM_ERROR.close);
    await time.advance(CLIENT_LIMITS.backoffMinMs);
    expect(server.requests).toHaveLength(2);
    void room.leave();
    answer.resolve(Response.json({ ticket: "late", url: "ws://machine-7.test/ws" }));
    await time.advance(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(room.connectionState).toBe("closed");
  });
});
