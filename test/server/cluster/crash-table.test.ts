/**
 * What happens at a crash, case by case: an index of the rules, with real processes that are killed at the moment that
 * the rule is about. The room itself sees to that (mortal.ts), or a client that knows from an answer how far its worker
 * has come. This file has the rows about clients, crash-table-rooms.test.ts those from "create in flight" on. Where another
 * test shows a rule already, it is named here and not repeated:
 *
 * input received, not journaled   worker/recovery "a message that was not written down is not acknowledged, ..."
 *                                 worker/adoption "may send all again that a client keeps, at once"
 * event sent, its ack lost        cluster/recovery "costs its players a moment: ...", for the client's side of it
 * drop, skip, overflow            worker/crash-table "a client that is skipped ..."
 * tick                            worker/crash-table "no burst ...", chaos/rows "a worker that is killed ..."
 * onAuth in flight                primary/matchmaker-losses "do not fail a joinOrCreate under way: it goes to another"
 * checkpoint                      journal/room-journal "a crash before any single call of a checkpoint ..."
 *                                 journal/recovery "a room whose newest checkpoint is damaged comes back from the elder"
 * two owners                      journal/recovery "what an owner still writes after the next has begun is ignored, ...",
 *                                 "two owners of one epoch: the second is refused"
 *                                 cluster/recovery "two servers cannot share one DATA_DIR"
 * death during recovery           cluster/survival "the worker that takes over is killed as well, ...", once it has asked
 * disk full, write fails          worker/recovery "a room whose disk is full goes on, ..."
 * journal of other code           worker/other-code, all of it
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { ClientMessage, type JoinAnswer } from "../../../shared/protocol/wire.ts";
import { eventually } from "../../support/eventually.ts";
import { FLOOD_EVENT_BYTES } from "../../support/rooms/mortal.ts";
import { MortalClient, requestSeat, ticketFor } from "./mortal-client.ts";
import { accountOf, expectSame, MortalServer, mortal, noteTicks, upTo } from "./mortal-server.ts";

let server: MortalServer;
beforeAll(async () => {
  server = await MortalServer.start({ WORKERS: "3" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
// Some of what the last test has killed is there again: one worker to be killed, and one to take over.
beforeEach(() => server.isManned(2));

describe("input received, not journaled", () => {
  test("is not acknowledged, sent again free of charge, and applied once and in order, so many in a tick", async () => {
    const client = await MortalClient.create(server.process, "mortal", "input");
    const { roomId } = client;
    const half = 200;
    expect(2 * half - LIMITS.messagesPerClientPerTickMax).toBeGreaterThan(LIMITS.messagesBurst);
    server.trap("counted", "input");
    client.say("count", ...upTo(half));
    // It dies in the step that has the first of them: the others wait.
    const { ack } = await client.asked();
    expect(ack).toBeGreaterThan(0);
    expect(ack).toBeLessThanOrEqual(LIMITS.messagesPerClientPerTickMax);
    const journaled = server
      .eventsOf(roomId)
      .flatMap((event) => (event.type === "message" ? [event.seq] : []));
    expect(journaled).toEqual(upTo(ack));
    client.answer();
    client.say("count", ...upTo(2 * half, half + 1));
    await client.hears("counted", 2 * half);
    const { counts } = await client.account();
    expect(counts.map(({ number }) => number)).toEqual(upTo(2 * half));
    for (const inTick of Map.groupBy(counts, ({ tick }) => tick).values())
      expect(inTick.length).toBeLessThanOrEqual(LIMITS.messagesPerClientPerTickMax);
    await client.leave();
  });
});

describe("event sent, its ack lost", () => {
  test("is made again the same, with the same number: who has it is not sent it again", async () => {
    const a = await MortalClient.create(server.process, "mortal", "events");
    const b = await a.joinedBy(server.process);
    a.say("count", ...upTo(5));
    const counted = await a.hears("counted", 5);
    await b.hears("counted", 5);
    const [heardByA, heardByB] = [a.events.length, b.events.length];
    server.signal("SIGSTOP", a.roomId);
    // Nobody reads it any more.
    a.write([ClientMessage.ACK, heardByA]);
    server.signal("SIGKILL", a.roomId);
    await a.asked();
    await b.asked();
    a.answer();
    // As one that has been sent three of them, and has not got them.
    b.answer(heardByB - 3);
    a.say("count", 6);
    await a.hears("counted", 6);
    await b.hears("counted", 5 + 3 + 1);
    expect(a.welcome.nextEvent).toBe(heardByA + 1);
    expect(b.welcome.nextEvent).toBe(heardByB - 2);
    expect(a.events).toHaveLength(heardByA + 1);
    // What they are made of is chance, too.
    expect(b.heard("counted").slice(5)).toEqual([...counted.slice(2), a.heard("counted")[5]]);
    await Promise.all([a.leave(), b.leave()]);
  });
});

describe("drop, skip, overflow decided by the host", () => {
  test("reach the room as journaled events only, and so they do again", async () => {
    const a = await MortalClient.create(server.process, "mortal", "host");
    const b = await a.joinedBy(server.process);
    const { roomId, sessionId } = b;
    b.raw.socket.resetAndDestroy();
    await a.isToldTo(`dropped ${sessionId}`);
    const back = await b.resumed(server.process);
    await a.isToldTo(`returned ${sessionId}`);
    back.say("flood", Math.ceil(LIMITS.outboxBytesMax / FLOOD_EVENT_BYTES));
    await a.isToldTo(`expelled ${sessionId}`);
    await back.raw.until(({ closeCode }) => closeCode !== undefined, "the close");
    expect(back.raw.closeCode).toBe(ERRORS.SESSION_OVERFLOW.close);
    const hooks = ["created", `joined ${a.sessionId}`];
    for (const hook of ["joined", "dropped", "returned", "expelled"]) hooks.push(`${hook} ${sessionId}`);
    const journaled = () =>
      server.eventsOf(roomId).flatMap((event): string[] => {
        switch (event.type) {
          case "created":
            return [event.type];
          case "joined":
          case "dropped":
          case "returned":
            return [`${event.type} ${event.sessionId}`];
          case "left":
            return [`${event.consented ? "left" : "expelled"} ${event.sessionId}`];
          default:
            return [];
        }
      });
    expect(journaled()).toEqual(hooks);
    server.signal("SIGKILL", roomId);
    await a.goesOn();
    expect((await a.account()).hooks).toEqual(hooks);
    // For the room, a connection that goes on was never gone; what it is welcomed with is journaled.
    expect(journaled()).toEqual([...hooks, `returned ${a.sessionId}`]);
    await a.leave();
  });
});

describe("tick", () => {
  test("that was received is never another one, none is lost, and their lengths are journaled", async () => {
    const room = await server.client.create("mortal", { name: "tick" }, mortal);
    const { roomId } = room;
    const received = noteTicks(room);
    // Ticks of other lengths than usual.
    room.send("burn", 180);
    for (let times = 0; times < 2; times++) await accountOf(room);
    await server.survives(room);
    for (let times = 0; times < 2; times++) await server.survives(room, () => server.trap("tick", "tick"));
    const account = await accountOf(room);
    const { ticks } = account;
    expectSame(received, account);
    const journaled = [...server.journalOf(roomId).steps].flatMap(({ atMs, events }) =>
      events.flatMap((event) => (event.type === "tick" ? [{ atMs, dtMs: event.dtMs }] : [])),
    );
    expect(journaled.map(({ dtMs }) => dtMs).slice(0, ticks.length)).toEqual(ticks.map(({ dtMs }) => dtMs));
    expect(ticks.some(({ dtMs }) => dtMs > 50)).toBe(true);
    // The clock of the room has stood still whenever it was down.
    let clockMs = 0;
    for (const { atMs, dtMs } of journaled) {
      clockMs += dtMs;
      expect(atMs).toBe(clockMs);
    }
    await room.leave();
  });

  test("of a room without: its overdue timers fire once it is restored, though nobody comes, and once", async () => {
    const client = await MortalClient.create(server.process, "mortalTickless", "timers");
    const { roomId } = client;
    const types = () => server.eventsOf(roomId).map(({ type }) => type);
    // It dies in the step that sets them.
    server.trap("counted", "timers");
    client.say("later", [100, 0]);
    await client.asked();
    await eventually(types, (all) => all.filter((type) => type === "timer").length === 2, "both timers");
    // Its client has not answered, and nothing else has happened.
    expect(types()).toEqual(["created", "joined", "message", "timer", "timer"]);
    server.signal("SIGKILL", roomId);
    await client.asked(2);
    client.answer();
    const later = (await client.hears("later", 2)) as [delayMs: number, atMs: number][];
    expect(later.map(([delayMs]) => delayMs)).toEqual([0, 100]);
    const set = [...server.journalOf(roomId).steps].find(({ events }) => events[0]?.type === "message");
    for (const [delayMs, atMs] of later) expect(atMs).toBeGreaterThanOrEqual((set?.atMs ?? 0) + delayMs);
    await client.account();
    expect(client.heard("later")).toEqual(later);
    expect(types().filter((type) => type === "timer")).toHaveLength(2);
    await client.leave();
  });
});

describe("join in flight", () => {
  test("not journaled: it is closed, and the same ticket opens the seat", async () => {
    const a = await MortalClient.create(server.process, "mortalSeldom", "join");
    const { ticket, sessionId } = await ticketFor(server.process, a);
    await a.state();
    const b = await MortalClient.open(server.process, "/ws", { ticket, eventsReceived: 0 });
    // The worker has it, and it waits for the tick.
    await b.raw.until(({ status }) => status === 101, "the answer to the handshake");
    server.signal("SIGKILL", a.roomId);
    await b.closed();
    expect(b.raw.values).toEqual([]);
    await a.goesOn();
    const again = await MortalClient.open(server.process, "/ws", { ticket, eventsReceived: 0 });
    await again.seated();
    expect(again.welcome).toMatchObject({ sessionId, resumed: false });
    expect((await a.account()).hooks).toEqual(["created", `joined ${a.sessionId}`, `joined ${sessionId}`]);
    await Promise.all([a.leave(), again.leave()]);
  });

  test("not journaled, and without a ticket: the seat is free", async () => {
    const a = await MortalClient.create(server.process, "mortalSeldom", "no ticket");
    await a.state();
    const b = await MortalClient.open(server.process, a.wayIn);
    await b.raw.until(({ status }) => status === 101, "the answer to the handshake");
    server.signal("SIGKILL", a.roomId);
    await b.closed();
    await a.goesOn();
    const again = await a.joinedBy(server.process);
    expect((await a.account()).hooks.slice(2)).toEqual([`joined ${again.sessionId}`]);
    await Promise.all([a.leave(), again.leave()]);
  });

  test("journaled and not welcomed: the ticket can be redeemed again, and nobody has joined twice", async () => {
    const a = await MortalClient.create(server.process, "mortal", "joined");
    const { ticket, sessionId } = await ticketFor(server.process, a);
    server.trap("joined", "joined");
    const b = await MortalClient.open(server.process, "/ws", { ticket, eventsReceived: 0 });
    await a.goesOn();
    expect(b.welcomes).toEqual([]);
    b.raw.socket.destroy();
    const again = await MortalClient.open(server.process, "/ws", { ticket, eventsReceived: 0 });
    await again.seated();
    expect(again.welcome).toMatchObject({ sessionId, resumed: true });
    const joined = server.eventsOf(a.roomId).filter(({ type }) => type === "joined");
    expect(joined).toHaveLength(2);
    const { hooks } = await a.account();
    expect(hooks.filter((hook) => hook === `joined ${sessionId}`)).toHaveLength(1);
    await Promise.all([a.leave(), again.leave()]);
  });
});

describe("leave in flight", () => {
  test("journaled: the seat is free, and its connection is closed, though nobody has said goodbye", async () => {
    const a = await MortalClient.create(server.process, "mortal", "leave");
    const b = await a.joinedBy(server.process);
    server.trap("left", "leave");
    b.write([ClientMessage.LEAVE]);
    await b.closed();
    expect([b.raw.closeCode, b.resumes]).toEqual([undefined, []]);
    await a.goesOn();
    await expect(b.resumed(server.process)).rejects.toThrow(`code ${ERRORS.SESSION_NOT_FOUND.close}`);
    const c = await a.joinedBy(server.process);
    await Promise.all([a.leave(), c.leave()]);
  });

  test("not journaled: it is in its seat, and leaves again", async () => {
    const a = await MortalClient.create(server.process, "mortalSeldom", "leaving");
    await a.state();
    a.write([ClientMessage.LEAVE]);
    await a.answered();
    server.signal("SIGKILL", a.roomId);
    await a.goesOn();
    expect(a.welcome).toMatchObject({ resumed: true, epoch: 2 });
    expect(server.eventsOf(a.roomId).some(({ type }) => type === "left")).toBe(false);
    await a.leave();
    expect(a.raw.closeCode).toBe(ERRORS.CONSENTED.close);
  });

  test("of a connection only: who has a session and no connection is away, and can come back", async () => {
    const a = await MortalClient.create(server.process, "mortal", "away");
    const b = await a.joinedBy(server.process);
    server.signal("SIGSTOP", a.roomId);
    b.raw.socket.resetAndDestroy();
    server.signal("SIGKILL", a.roomId);
    await a.goesOn();
    await a.isToldTo(`dropped ${b.sessionId}`);
    const back = await b.resumed(server.process);
    expect(back.welcome).toMatchObject({ sessionId: b.sessionId, resumed: true });
    await a.isToldTo(`returned ${b.sessionId}`);
    await Promise.all([a.leave(), back.leave()]);
  });
});

describe("onAuth in flight", () => {
  test("is refused with 503, and nothing is spent: no room, no seat", async () => {
    await using single = await MortalServer.start({ WORKERS: "1" });
    const options = { name: "auth" };
    const request = (body: Omit<Parameters<typeof requestSeat>[2], "options">) =>
      requestSeat(single.process, "mortalGuarded", { ...body, options }, "let me in");
    single.trap("auth", "auth");
    const refused = await request({ mode: "create" });
    expect(refused.status).toBe(503);
    expect(refused.headers.has("retry-after")).toBe(true);
    expect(await refused.json()).toMatchObject({ error: { code: "SERVER_BUSY" } });
    expect(single.rooms).toEqual([]);

    await single.isManned(1);
    const created = (await (await request({ mode: "create" })).json()) as JoinAnswer;
    const { roomId } = created;
    single.trap("auth", "auth");
    expect((await request({ mode: "joinById", roomId })).status).toBe(503);
    // There is no worker now, and this one waits for it. Of the two seats one is still free, and it is one only.
    const joining = await request({ mode: "joinById", roomId });
    expect(joining.status).toBe(200);
    const joined = (await joining.json()) as JoinAnswer;
    expect((await request({ mode: "joinById", roomId })).status).toBe(409);
    expect(single.eventsOf(roomId).map(({ type }) => type)).not.toContain("joined");
    for (const { ticket } of [created, joined]) {
      const client = await MortalClient.open(single.process, "/ws", { ticket, eventsReceived: 0 });
      await client.seated();
    }
  });
});
