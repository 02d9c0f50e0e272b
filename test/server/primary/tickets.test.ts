/** Which tickets open a session: those that this key has signed, as they are, until they expire. */
import { expect, test } from "vitest";
import type { Admission } from "../../../server/primary/matchmaker.ts";
import { randomIds } from "../../../server/primary/random-ids.ts";
import { Tickets } from "../../../server/primary/tickets.ts";
import { formatOffer } from "../../../shared/protocol/handshake.ts";

const SECRET = "a secret of at least thirty-two characters";
const NOW_MS = 1_700_000_000_000;
const TTL_MS = 15_000;
const INVALID = "The ticket is invalid or has expired.";

function setUp(secret: string | undefined = SECRET) {
  let nowMs = NOW_MS;
  const tickets = new Tickets(secret, () => nowMs);
  const admission: Admission = {
    roomId: "room_id-1234",
    sessionId: "session-5_67",
    workerId: 1,
    expiresAt: NOW_MS + TTL_MS,
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { tickets, admission, pass, ticket: tickets.issue(admission) };
}

test("[J3] a ticket names its room and its session, until it expires", () => {
  const { tickets, ticket, pass } = setUp();
  const named = { roomId: "room_id-1234", sessionId: "session-5_67" };
  expect(tickets.verify(ticket)).toEqual(named);
  pass(TTL_MS - 1);
  expect(tickets.verify(ticket)).toEqual(named);
  pass(1);
  expect(() => tickets.verify(ticket)).toThrow(INVALID);
});

test("[H2] it can stand in the handshake's header", () => {
  const { ticket } = setUp();
  expect(formatOffer({ ticket, eventsReceived: 0 })).toContain(`ticket.${ticket}`);
});

test("a ticket with any character changed, taken out or added is refused", () => {
  const { tickets, ticket } = setUp();
  for (let at = 0; at < ticket.length; at++) {
    const other = ticket[at] === "1" ? "2" : "1";
    const [before, after] = [ticket.slice(0, at), ticket.slice(at + 1)];
    for (const forged of [before + other + after, before + after, before + other + ticket.slice(at)])
      expect(() => tickets.verify(forged), forged).toThrow(INVALID);
  }
});

test("the end of a signature cannot be written in another way", () => {
  const { tickets, ticket } = setUp();
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const good = [...letters].filter((letter) => {
    try {
      return tickets.verify(ticket.slice(0, -1) + letter) !== undefined;
    } catch {
      return false;
    }
  });
  expect(good).toEqual([ticket.at(-1)]);
});

test.each(["", ".", "...", "a.b.1.c", `a.b.1.${"A".repeat(43)}`, "x".repeat(1_024)])("%j is none", (text) => {
  expect(() => setUp().tickets.verify(text)).toThrow(INVALID);
});

test("tickets of another key are refused; without a secret, each server has a key of its own", () => {
  const { ticket } = setUp();
  expect(setUp(SECRET).tickets.verify(ticket).roomId).toBe("room_id-1234");
  expect(() => setUp(`${SECRET}!`).tickets.verify(ticket)).toThrow(INVALID);
  const unset = () => new Tickets(undefined, () => NOW_MS);
  const { admission } = setUp();
  expect(() => unset().verify(unset().issue(admission))).toThrow(INVALID);
});

test("ids are all different, and of characters that a ticket may have", () => {
  const newId = randomIds();
  const ids = Array.from({ length: 10_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^[\w-]{12}$/.test(id))).toBe(true);
});
