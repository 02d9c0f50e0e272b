/** What clients send: counted, checked, limited and answered. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { encodeClientValue } from "../../../shared/protocol/client-codec.ts";
import { findAck } from "../../../shared/protocol/codec.ts";
import { ClientMessage, type ClientValue, ServerMessage } from "../../../shared/protocol/wire.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say } from "./room-harness.ts";
import { Table } from "./rooms.ts";

let harness: RoomHarness;
let client: MemoryTransport;
beforeEach(async () => {
  Table.onHook = () => undefined;
  harness = new RoomHarness();
  client = await seat("s1");
});

async function seat(sessionId: string): Promise<MemoryTransport> {
  const transport = harness.join(sessionId);
  await harness.tick();
  return transport;
}

function applied(): number[] {
  return harness.table.applied.map(({ payload }) => payload);
}

/** Goes to the room's next tick. @returns the room's time then */
async function untilTick(): Promise<number> {
  await harness.time.advanceToNext();
  return harness.table.clock.nowMs;
}

/** Acknowledgements of a slot in all states sent to a client. */
function acksOf(transport: MemoryTransport, slot: number): number[] {
  return transport.ofType(ServerMessage.STATE).flatMap(([, , , acks]) => findAck(acks, slot, 0) ?? []);
}

describe("counting", () => {
  test("[A1] messages are applied at the tick in order, resends are dropped", async () => {
    for (const seq of [1, 2, 2, 1, 3]) say(client, seq, "add", seq);
    expect(applied()).toEqual([]);
    await harness.tick();
    say(client, 3, "add", 3);
    say(client, 4, "add", 4);
    await harness.tick();
    expect(applied()).toEqual([1, 2, 3, 4]);
    expect(client.isOpen).toBe(true);
  });

  test("[A1] a gap breaks the protocol, and what came before it counts", async () => {
    say(client, 1, "add", 1);
    say(client, 3, "add", 3);
    expect(client.closeCode).toBe("PROTOCOL_ERROR");
    say(client, 2, "add", 2);
    await harness.tick();
    expect(applied()).toEqual([1]);
    expect(harness.table.notes.at(-1)).toBe("onDrop s1");
  });

  test("[A3] [A4] everybody is told what is applied, in the state that it is part of", async () => {
    const other = await seat("s2");
    say(client, 1, "add", 1);
    say(client, 2, "add", 2);
    await harness.tick();
    say(other, 1, "nonsense");
    await harness.tick();
    await harness.tick();
    for (const transport of [client, other]) {
      expect(acksOf(transport, 0)).toEqual([2]);
      expect(acksOf(transport, 1)).toEqual([1]);
    }
  });

  test("[A2] of one client at most 32 messages are applied in a tick, and LEAVE does not overtake them", async () => {
    const count = 2 * LIMITS.messagesPerClientPerTickMax + 1;
    for (let seq = 1; seq <= count; seq++) say(client, seq, "add", seq);
    client.receive([ClientMessage.LEAVE]);
    const counts: number[] = [];
    for (let tick = 0; tick < 3; tick++) {
      await harness.tick();
      counts.push(applied().length);
    }
    expect(counts).toEqual([32, 64, 65]);
    expect(applied()).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(client.closeCode).toBe("CONSENTED");
  });

  test("[M6] what is not known or does not fit is answered by $error, counts, and harms nobody", async () => {
    say(client, 1, "nonsense");
    say(client, 2, "add", "text");
    client.receive([ClientMessage.MESSAGE, 3, 0, 999, null]);
    say(client, 4, "add", 4);
    await harness.tick();
    expect(client.events).toEqual([
      ["$error", { code: "MESSAGE_UNKNOWN", message: expect.any(String), seq: 1 }],
      ["$error", { code: "MESSAGE_INVALID", message: expect.any(String), seq: 2 }],
      ["$error", { code: "MESSAGE_UNKNOWN", message: expect.any(String), seq: 3 }],
    ]);
    expect(applied()).toEqual([4]);
    expect(acksOf(client, 0)).toEqual([4]);
  });

  test("[M2] a message may be named by its index", async () => {
    client.receive([ClientMessage.MESSAGE, 1, 0, client.welcome.messages.indexOf("add"), 7]);
    await harness.tick();
    expect(applied()).toEqual([7]);
  });
});

describe("what is not understood", () => {
  test("[F5] [F6] closes the connection with its code, whatever the bytes, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const transport = harness.join(`s${harness.room.clientCount + 1}`);
        transport.receiveBytes(bytes);
        expect([undefined, "PROTOCOL_ERROR"]).toContain(transport.closeCode);
      }),
      { numRuns: 200 },
    );
    await harness.tick();
    expect(harness.errors).toEqual([]);
  });

  test.each([
    ["a value that is no array", [0x80]],
    ["bytes after the value", [0x91, 0x02, 0x00]],
    ["an unknown type", [0x91, 0x09]],
    ["nothing", []],
  ])("%s is PROTOCOL_ERROR, and the seat is kept", async (_what, bytes) => {
    client.receiveBytes(Uint8Array.from(bytes));
    expect(client.closeCode).toBe("PROTOCOL_ERROR");
    await harness.tick();
    expect(harness.table.notes.at(-1)).toBe("onDrop s1");
    expect(harness.room.clientCount).toBe(1);
  });

  test("nothing is taken from a connection that is closing", async () => {
    client.receiveBytes(Uint8Array.of(0x80));
    say(client, 1, "add", 1);
    client.receive([ClientMessage.LEAVE]);
    await harness.tick();
    expect(applied()).toEqual([]);
    expect(harness.table.notes.at(-1)).toBe("onDrop s1");
  });
});

describe("acknowledging events", () => {
  test.each([
    ["MESSAGE", [ClientMessage.MESSAGE, 1, 3, "add", 1]],
    ["PING", [ClientMessage.PING, 0, 3]],
    ["ACK", [ClientMessage.ACK, 3]],
  ] as const)("[E2] in %s, more than were sent breaks the protocol", async (_name, value) => {
    say(client, 1, "whisper", "one");
    say(client, 2, "whisper", "two");
    await harness.tick();
    client.receive(value);
    expect(client.closeCode).toBe("PROTOCOL_ERROR");
    await harness.tick();
    expect(applied()).toEqual([]);
  });

  test("[E2] what is kept for a client that is behind was not sent", async () => {
    client.bufferedBytes = 1;
    say(client, 1, "whisper", "one");
    await harness.tick();
    client.receive([ClientMessage.ACK, 1]);
    expect(client.closeCode).toBe("PROTOCOL_ERROR");
  });

  test("[E2] a smaller number than before is ignored, and a session goes on from any it has not passed", async () => {
    for (let seq = 1; seq <= 3; seq++) say(client, seq, "whisper", `${seq}`);
    await harness.tick();
    client.receive([ClientMessage.ACK, 2]);
    client.receive([ClientMessage.ACK, 1]);
    expect(client.isOpen).toBe(true);
    const again = harness.join("s1", { eventsReceived: 2 });
    await harness.tick();
    expect(again.welcome.nextEvent).toBe(3);
    expect(again.events).toEqual([["whispered", "3"]]);
  });
});

describe("pings", () => {
  test("[M5] are answered at once, with the room's time", async () => {
    const tickMs = await untilTick();
    await harness.time.advance(20);
    const before = client.sent.length;
    client.receive([ClientMessage.PING, 123.5, 0]);
    expect(client.sent).toHaveLength(before + 1);
    const [pong] = client.messages.at(-1) ?? [];
    expect(pong).toEqual([ServerMessage.PONG, 123.5, expect.closeTo(tickMs + 20, 6)]);
  });

  test("[H6] are not answered before the WELCOME", async () => {
    const early = harness.join("s2");
    early.receive([ClientMessage.PING, 1, 0]);
    expect(early.sent).toEqual([]);
    await harness.tick();
    expect(early.messages[0]?.[0]?.[0]).toBe(ServerMessage.WELCOME);
  });

  test("[M5] of a client that has not read what was sent are not answered", async () => {
    client.bufferedBytes = 1;
    const before = client.sent.length;
    client.receive([ClientMessage.PING, 1, 0]);
    expect(client.sent).toHaveLength(before);
    client.bufferedBytes = 0;
    client.receive([ClientMessage.PING, 2, 0]);
    expect(client.messages.at(-1)?.[0]?.slice(0, 2)).toEqual([ServerMessage.PONG, 2]);
  });
});

describe("rates", () => {
  test("[L1] more messages than the burst are too many", async () => {
    for (let count = 1; count <= LIMITS.messagesBurst; count++) client.receive([ClientMessage.ACK, 0]);
    expect(client.isOpen).toBe(true);
    client.receive([ClientMessage.ACK, 0]);
    expect(client.closeCode).toBe("RATE_LIMITED");
  });

  test("[L1] who was quiet has no more than what was taken ahead for it on top of the burst", async () => {
    client.receive([ClientMessage.ACK, 0]);
    const afterMs = (1000 * LIMITS.messagesBurst) / LIMITS.messagesPerSecond;
    await harness.time.advance(2 * afterMs);
    const allowed = LIMITS.messagesPaidAhead + LIMITS.messagesBurst;
    for (let count = 1; count <= allowed; count++) client.receive([ClientMessage.ACK, 0]);
    expect(client.isOpen).toBe(true);
    client.receive([ClientMessage.ACK, 0]);
    expect(client.closeCode).toBe("RATE_LIMITED");
  });

  test("[L1] and for bytes", async () => {
    const saying = (seq: number, characters: number): ClientValue => [
      ClientMessage.MESSAGE,
      seq,
      0,
      "tell",
      "x".repeat(characters),
    ];
    client.receive(saying(1, 1));
    await harness.time.advance((2_000 * LIMITS.bytesBurst) / LIMITS.bytesPerSecond);
    let rest = LIMITS.bytesPaidAhead + LIMITS.bytesBurst;
    let seq = 2;
    const long = saying(seq, LIMITS.messageBytesMax / 2);
    const head = encodeClientValue(long).length - LIMITS.messageBytesMax / 2;
    for (; rest > LIMITS.messageBytesMax; seq++) {
      client.receive(saying(seq, LIMITS.messageBytesMax / 2));
      rest -= head + LIMITS.messageBytesMax / 2;
    }
    client.receive(saying(seq, rest - head));
    expect(client.isOpen).toBe(true);
    client.receive([ClientMessage.ACK, 0]);
    expect(client.closeCode).toBe("RATE_LIMITED");
  });

  test("[L1] the sustained rate can be kept up for ever", async () => {
    const everyMs = 1000 / LIMITS.messagesPerSecond;
    for (let seq = 1; seq <= 3 * LIMITS.messagesBurst; seq++) {
      say(client, seq, "add", seq);
      await harness.time.advance(everyMs);
    }
    await harness.tick();
    expect(client.isOpen).toBe(true);
    expect(applied()).toHaveLength(3 * LIMITS.messagesBurst);
  });

  test("[L1] and so it is for bytes", async () => {
    const payload = "x".repeat(LIMITS.messageBytesMax - 100);
    const fits = Math.floor(LIMITS.bytesBurst / LIMITS.messageBytesMax);
    for (let seq = 1; seq <= fits; seq++) say(client, seq, "tell", payload);
    expect(client.isOpen).toBe(true);
    say(client, fits + 1, "tell", payload);
    expect(client.closeCode).toBe("RATE_LIMITED");
  });

  test("[L2] who comes back may send again what it has kept, without being charged", async () => {
    client.lose();
    await harness.tick();
    const again = harness.resume("s1", client.welcome.resumeToken);
    await harness.tick();
    for (let seq = 1; seq <= LIMITS.resendMessagesMax; seq++) say(again, seq, "add", seq);
    expect(again.isOpen).toBe(true);
    for (let count = 1; count <= LIMITS.messagesBurst; count++) again.receive([ClientMessage.ACK, 0]);
    expect(again.isOpen).toBe(true);
    again.receive([ClientMessage.ACK, 0]);
    expect(again.closeCode).toBe("RATE_LIMITED");
    await harness.tick(LIMITS.resendMessagesMax / LIMITS.messagesPerClientPerTickMax);
    expect(applied()).toHaveLength(LIMITS.resendMessagesMax);
  });

  test("a room whose queue is full turns clients away for a while, and loses nothing of theirs", async () => {
    class Hall extends Table {
      static override maxClients = LIMITS.roomClientsMax;
    }
    harness = new RoomHarness(Hall);
    const clients = Math.ceil(LIMITS.roomQueueEventsMax / LIMITS.messagesBurst);
    const crowd = await harness.seated(...Array.from({ length: clients }, (_, index) => `c${index}`));
    const before = applied().length;
    const sentBy = crowd.map((transport) => {
      let seq = 0;
      while (seq < LIMITS.messagesBurst && transport.isOpen) say(transport, ++seq, "add", seq);
      return transport.isOpen ? seq : seq - 1;
    });
    const refused = crowd.filter(({ isOpen }) => !isOpen);
    expect(refused.map(({ closeCode }) => closeCode)).toEqual(["SERVER_BUSY"]);
    const taken = sentBy.reduce((sum, count) => sum + count, 0);
    expect(taken).toBe(LIMITS.roomQueueEventsMax);
    await harness.tick(10);
    expect(applied().length - before).toBe(taken);
    const [unlucky] = refused;
    if (unlucky === undefined) throw new Error("nobody was refused");
    const again = harness.resume(unlucky.welcome.sessionId, unlucky.welcome.resumeToken);
    await harness.tick();
    const { ack } = again.welcome;
    expect(ack).toBe(sentBy.at(-1));
    say(again, ack + 1, "add", 1_000);
    await harness.tick();
    expect(applied().at(-1)).toBe(1_000);
  });
});
