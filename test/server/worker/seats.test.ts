/** Seats whose clients are lost, come back, leave or are made to. */
import { beforeEach, describe, expect, test } from "vitest";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say, TICK_MS } from "./room-harness.ts";
import { Table } from "./rooms.ts";

let harness: RoomHarness;
let client: MemoryTransport;
let other: MemoryTransport;
beforeEach(async () => {
  Table.onHook = () => undefined;
  await start();
});

/** A room with two clients; `onDrop` keeps the seat for so long, by default as the room type says. */
async function start(keepMs?: number): Promise<void> {
  Table.onHook = (hook, room, dropped) => {
    if (hook === "onDrop" && dropped !== undefined && keepMs !== undefined)
      room.allowReconnection(dropped, keepMs);
  };
  harness = new RoomHarness();
  [client, other] = (await harness.seated("s1", "s2")) as [MemoryTransport, MemoryTransport];
  harness.table.notes.length = 0;
}

/** Hooks that have run since `start`. */
function notes(): readonly string[] {
  return harness.table.notes;
}

function left(): string[] {
  return harness.reported("session-left");
}

describe("a lost connection", () => {
  test("keeps the seat for as long as the room type says, and no longer", async () => {
    client.lose();
    await harness.tick();
    expect(notes()).toEqual(["onDrop s1"]);
    await harness.time.advance(10_000 - TICK_MS);
    expect(left()).toEqual([]);
    await harness.tick(2);
    expect(notes()).toEqual(["onDrop s1", "onLeave s1"]);
    expect(left()).toEqual(["session-left s1"]);
    expect(harness.room.clientCount).toBe(1);
    // Nothing of the seat remains: what is left is the room's tick.
    expect(harness.time.pendingTimers).toBe(1);
    const again = harness.resume("s1", client.welcome.resumeToken);
    expect(again.closeCode).toBe("SESSION_NOT_FOUND");
  });

  test("gives the seat back at once where the room says so", async () => {
    await start(0);
    client.lose();
    await harness.tick(2);
    expect(notes()).toEqual(["onDrop s1", "onLeave s1"]);
    expect(left()).toEqual(["session-left s1"]);
    expect(harness.time.pendingTimers).toBe(1);
  });

  test("gives it back where the room says so even if the client returns within that tick", async () => {
    await start(0);
    client.lose();
    const again = harness.resume("s1", client.welcome.resumeToken);
    await harness.tick(2);
    expect(again.closeCode).toBe("SESSION_NOT_FOUND");
    expect(left()).toEqual(["session-left s1"]);
  });

  test("keeps it longer where the room says so", async () => {
    await start(60_000);
    client.lose();
    await harness.time.advance(59_000);
    expect(notes()).toEqual(["onDrop s1"]);
    await harness.time.advance(2_000);
    expect(notes()).toEqual(["onDrop s1", "onLeave s1"]);
  });

  test("[R1] [R2] is resumed in time: the room hears of both, the client gets what it missed", async () => {
    client.lose();
    await harness.tick();
    say(other, 1, "tell", "while away");
    await harness.time.advance(9_000);
    const again = harness.resume("s1", client.welcome.resumeToken);
    await harness.tick();
    expect(notes()).toEqual(["onDrop s1", "onReconnect s1"]);
    expect(again.welcome).toMatchObject({ resumed: true, sessionId: "s1", slot: 0, nextEvent: 1 });
    expect(again.events).toEqual([["told", "while away"]]);
    await harness.time.advance(20_000);
    expect(again.isOpen).toBe(true);
    expect(left()).toEqual([]);
    expect(harness.time.pendingTimers).toBe(1);
  });

  test("and a return within one tick are told in order, and the seat is kept for good", async () => {
    client.lose();
    const again = harness.resume("s1", client.welcome.resumeToken);
    await harness.tick();
    expect(notes()).toEqual(["onDrop s1", "onReconnect s1"]);
    expect(again.welcome.resumed).toBe(true);
    expect(harness.time.pendingTimers).toBe(1);
    await harness.time.advance(20_000);
    expect(again.isOpen).toBe(true);
  });

  test("twice within one tick is lost in the end, for the whole time again", async () => {
    client.lose();
    harness.resume("s1", client.welcome.resumeToken).lose();
    await harness.tick();
    expect(notes()).toEqual(["onDrop s1", "onReconnect s1", "onDrop s1"]);
    await harness.time.advance(10_000 - TICK_MS);
    expect(left()).toEqual([]);
    await harness.tick(2);
    expect(left()).toEqual(["session-left s1"]);
  });

  test("after a return begins the time anew", async () => {
    client.lose();
    await harness.time.advance(9_000);
    const again = harness.resume("s1", client.welcome.resumeToken);
    await harness.tick();
    again.lose();
    await harness.time.advance(9_000);
    expect(left()).toEqual([]);
    const third = harness.resume("s1", again.welcome.resumeToken);
    await harness.tick();
    expect(third.welcome.resumed).toBe(true);
  });

  test("that is found out late does not end the newer one", async () => {
    const newer = harness.resume("s1", client.welcome.resumeToken);
    expect(client.closeCode).toBe("SUPERSEDED");
    await harness.time.settle();
    await harness.tick();
    client.lose();
    await harness.tick();
    expect(newer.isOpen).toBe(true);
    expect(notes()).toEqual([]);
  });
});

describe("resuming", () => {
  test("[R1] needs the right token, and a wrong one harms nobody", async () => {
    const { resumeToken } = client.welcome;
    for (const wrong of [`${resumeToken}x`, other.welcome.resumeToken, "s1.9.secret1", "nonsense"]) {
      expect(harness.resume("s1", wrong).closeCode).toBe("RESUME_REFUSED");
    }
    expect(client.isOpen).toBe(true);
    const again = harness.resume("s1", resumeToken);
    await harness.tick();
    expect(again.welcome.resumeToken).not.toBe(resumeToken);
    expect(harness.resume("s1", again.welcome.resumeToken).isOpen).toBe(true);
    await harness.tick();
    expect(harness.resume("s1", resumeToken).closeCode).toBe("RESUME_REFUSED");
  });

  test("is not possible before the first WELCOME, nor without a session", async () => {
    harness.join("s3");
    expect(harness.resume("s3", "s3.1.secret3").closeCode).toBe("RESUME_REFUSED");
    expect(harness.resume("s4", "s4.1.secret4").closeCode).toBe("SESSION_NOT_FOUND");
  });

  test.each([
    ["below what was acknowledged", 1],
    ["above all that were sent", 4],
  ])("[R2] from a number of events %s ends the session", async (_which, eventsReceived) => {
    for (let seq = 1; seq <= 3; seq++) say(client, seq, "whisper", "x");
    await harness.tick();
    client.receive([ClientMessage.ACK, 2]);
    client.lose();
    await harness.tick();
    const again = harness.resume("s1", client.welcome.resumeToken, eventsReceived);
    expect(again.closeCode).toBe("SESSION_OVERFLOW");
    await harness.tick();
    expect(left()).toEqual(["session-left s1"]);
    expect(notes()).toEqual(["onDrop s1", "onLeave s1"]);
  });
});

describe("leaving", () => {
  test("[M2] by the client's own wish is consented", async () => {
    client.receive([ClientMessage.LEAVE]);
    client.receive([ClientMessage.LEAVE]);
    client.lose();
    await harness.tick();
    expect(notes()).toEqual(["onLeave s1 consented"]);
    expect(left()).toEqual(["session-left s1"]);
    expect(harness.table.state.members.has("s1")).toBe(false);
    expect(harness.time.pendingTimers).toBe(1);
  });

  test("closes the connection with CONSENTED when the room has heard of it", async () => {
    client.receive([ClientMessage.LEAVE]);
    expect(client.isOpen).toBe(true);
    await harness.tick();
    expect(client.closeCode).toBe("CONSENTED");
    const [late] = await harness.seated("s3");
    expect(late?.welcome.slot).toBe(0);
  });

  test("because the room asked to: KICKED, at the next step the seat is free", async () => {
    say(other, 1, "kick", "s1");
    say(other, 2, "kick", "s1");
    await harness.tick();
    expect(client.closeCode).toBe("KICKED");
    expect(left()).toEqual([]);
    await harness.tick();
    expect(notes()).toEqual(["onLeave s1"]);
    expect(left()).toEqual(["session-left s1"]);
    expect(other.isOpen).toBe(true);
  });

  test("because the room asked to while the client was away", async () => {
    client.lose();
    say(other, 1, "kick", "s1");
    await harness.tick(2);
    expect(notes()).toEqual(["onDrop s1", "onLeave s1"]);
    expect(left()).toEqual(["session-left s1"]);
    expect(harness.time.pendingTimers).toBe(1);
  });

  test("because the room asked to in onJoin: the client is welcomed, and closed with KICKED", async () => {
    Table.onHook = (hook, _room, joined) => {
      if (hook === "onJoin") joined?.leave("not today");
    };
    harness = new RoomHarness();
    const refused = harness.join("s9");
    await harness.tick(2);
    expect(refused.welcome.sessionId).toBe("s9");
    expect(refused.closeCode).toBe("KICKED");
    expect(harness.reported("session-joined", "session-left")).toEqual([
      "session-joined s9",
      "session-left s9",
    ]);
  });

  test("a session that is leaving takes no connection any more", async () => {
    say(other, 1, "kick", "s1");
    await harness.tick();
    expect(harness.resume("s1", client.welcome.resumeToken).closeCode).toBe("SESSION_NOT_FOUND");
    expect(harness.join("s1").closeCode).toBe("SESSION_NOT_FOUND");
    await harness.tick();
    expect(left()).toEqual(["session-left s1"]);
  });

  test("joining and leaving in one tick is told to the room, and nothing is sent", async () => {
    const brief = harness.join("s3");
    brief.receive([ClientMessage.LEAVE]);
    await harness.tick();
    expect(notes()).toEqual(["onJoin s3", "onLeave s3 consented"]);
    expect(brief.sent).toEqual([]);
    expect(brief.closeCode).toBe("CONSENTED");
    expect(harness.reported("session-joined", "session-left").slice(-2)).toEqual([
      "session-joined s3",
      "session-left s3",
    ]);
  });
});

test("a room that has as many sessions as seats takes no more, and gives the seat back", async () => {
  class Pair extends Table {
    static override maxClients = 2;
  }
  harness = new RoomHarness(Pair);
  await harness.seated("s1", "s2");
  expect(harness.join("s3").closeCode).toBe("ROOM_FULL");
  expect(left()).toEqual(["session-left s3"]);
  expect(harness.join("s2").isOpen).toBe(true);
});
