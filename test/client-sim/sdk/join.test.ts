/** Ways into a room: requests, tickets, refusals and what is tried again. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { parseOffer } from "../../../shared/protocol/handshake.ts";
import { describe as describeSchema, schemaHash } from "../../../shared/schema/index.ts";
import { BASE_URL } from "./fake-host.ts";
import { TestState } from "./fake-server.ts";
import { joinRoom, makeClient, settled } from "./setup.ts";

function refusal(status: number, code: string, headers: Record<string, string> = {}): () => Response {
  return () => Response.json({ error: { code, message: `told: ${code}` } }, { status, headers });
}

describe("joining over HTTP", () => {
  it("asks for a ticket with mode, options and bearer token, and redeems it at the answered address", async () => {
    const { time, server, client } = makeClient({ token: "secret" });
    const room = await settled(time, client.create("arena", { map: "moon" }, { state: TestState }));

    expect(server.requests[0]?.url).toBe(`${BASE_URL}/join/arena`);
    expect(server.requests[0]?.init?.method).toBe("POST");
    expect(server.requests[0]?.init?.headers).toMatchObject({ authorization: "Bearer secret" });
    expect(server.requestBody(0)).toEqual({ mode: "create", options: { map: "moon" } });
    expect(server.socket.url).toBe("ws://machine-7.test/ws");
    expect(parseOffer(server.socket.protocols.join(", "))).toEqual({
      ticket: "ticket-of-session1",
      schemaHash: schemaHash(describeSchema(TestState)),
      eventsReceived: 0,
    });
    expect(room.connectionState).toBe("open");
    expect([room.roomId, room.roomType, room.code, room.sessionId]).toEqual([
      "room-1",
      "arena",
      "ABCDEF",
      "session1",
    ]);
  });

  it("[J1] names the room when it joins by id or code", async () => {
    const { time, server, client } = makeClient();
    await settled(time, client.joinById("arena", "room-1"));
    await settled(time, client.joinByCode("arena", "abcdef", { team: 2 }));
    await settled(time, client.join("arena"));
    expect(server.requestBody(0)).toEqual({ mode: "joinById", roomId: "room-1", options: {} });
    expect(server.requestBody(1)).toEqual({ mode: "joinByCode", code: "abcdef", options: { team: 2 } });
    expect(server.requestBody(2)).toEqual({ mode: "join", options: {} });
  });

  it("has the state, with its own private fields, when it resolves", async () => {
    const { room, server } = await joinRoom();
    expect(room.state.players.get("session1")).toMatchObject({ x: 10, hp: 100, name: "player 1", ammo: 7 });
    expect(room.mirror.hash()).toBe(server.encoder.hash());
  });

  it("mirrors a state whose schema only the server knows", async () => {
    const { time, server, client } = makeClient();
    const room = await settled(time, client.joinOrCreate("arena"));
    server.encoder.root.phase = 3;
    server.step();
    await time.advance(1);
    expect(parseOffer(server.socket.protocols.join(", "))?.schemaHash).toBeUndefined();
    expect(room.state.phase).toBe(3);
    expect(room.mirror.hash()).toBe(server.encoder.hash());
  });

  it("rejects with the code and sentence of a refusal, without another attempt", async () => {
    const { time, server, client } = makeClient();
    server.httpAnswers.push(refusal(409, "ROOM_FULL"));
    await expect(settled(time, client.join("arena"))).rejects.toMatchObject({
      name: "RookeryError",
      code: "ROOM_FULL",
      message: "told: ROOM_FULL",
    });
    expect(server.requests).toHaveLength(1);
    expect(server.sockets).toHaveLength(0);
  });

  it("rejects at once when a room that was named does not exist", async () => {
    const { time, server, client } = makeClient();
    server.httpAnswers.push(refusal(404, "ROOM_NOT_FOUND"));
    await expect(settled(time, client.joinById("arena", "gone"))).rejects.toMatchObject({
      code: "ROOM_NOT_FOUND",
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [502, "SERVER_BUSY"],
    [404, "NOT_FOUND"],
    [418, "BAD_REQUEST"],
  ])("understands an answer of status %d from something else than the server", async (status, code) => {
    const { time, server, client } = makeClient();
    for (let i = 0; i < CLIENT_LIMITS.joinAttemptsMax; i++) {
      server.httpAnswers.push(() => new Response("<html>", { status }));
    }
    await expect(settled(time, client.join("arena"))).rejects.toMatchObject({ code });
  });

  it("[J4] asks again when it is told to come back, and not before", async () => {
    const { time, server, client } = makeClient();
    server.httpAnswers.push(refusal(503, "SERVER_BUSY", { "retry-after": "2" }));
    server.httpAnswers.push(refusal(503, "SERVER_BUSY"));
    await settled(time, client.joinOrCreate("arena"));
    const [first = 0, second = 0, third = 0] = server.requests.map(({ atMs }) => atMs);
    expect(second - first).toBe(2_000);
    expect(third - second).toBeLessThanOrEqual(CLIENT_LIMITS.backoffMinMs * 2);
    expect(server.requests).toHaveLength(3);
  });

  it("gives up within the deadline when the server stays busy", async () => {
    const { time, server, client } = makeClient();
    for (let i = 0; i < 20; i++) server.httpAnswers.push(refusal(503, "SERVER_BUSY", { "retry-after": "4" }));
    const startMs = time.now();
    await expect(settled(time, client.joinOrCreate("arena"))).rejects.toMatchObject({ code: "SERVER_BUSY" });
    expect(time.now() - startMs).toBeLessThanOrEqual(CLIENT_LIMITS.joinDeadlineMs);
    expect(server.requests.length).toBeLessThanOrEqual(CLIENT_LIMITS.joinAttemptsMax);
  });

  it("rejects with TIMEOUT and the cause when the server cannot be reached", async () => {
    const { time, server, client } = makeClient();
    server.isDown = true;
    const failure = await settled(time, client.joinOrCreate("arena")).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "TIMEOUT", cause: { message: "fetch failed" } });
    expect(server.requests).toHaveLength(CLIENT_LIMITS.joinAttemptsMax);
  });

  it.each([
    [
      "https://elsewhere.example",
      "The server cannot be reached, or its ALLOWED_ORIGINS does not name https://elsewhere.example.",
    ],
    ["the server's own", "The server cannot be reached."],
  ])("says in a page of %s what that may be", async (page, message) => {
    const { time, server, client } = makeClient();
    const origin = page.startsWith("https:") ? page : new URL(BASE_URL).origin;
    vi.stubGlobal("location", { origin, href: `${origin}/game.html` });
    onTestFinished(() => void vi.unstubAllGlobals());
    server.isDown = true;
    await expect(settled(time, client.joinOrCreate("arena"))).rejects.toMatchObject({
      code: "TIMEOUT",
      message,
    });
  });

  it("aborts a request that is never answered", async () => {
    const { time, client } = makeClient({
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        }),
    });
    const startMs = time.now();
    await expect(settled(time, client.joinOrCreate("arena"))).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(time.now() - startMs).toBeLessThanOrEqual(CLIENT_LIMITS.joinDeadlineMs + CLIENT_LIMITS.requestMs);
  });

  it("[H5] redeems the same ticket again when the connection breaks before WELCOME", async () => {
    const { time, server, client } = makeClient();
    server.refusals.push(1006);
    await settled(time, client.joinOrCreate("arena"));
    expect(server.requests).toHaveLength(1);
    expect(server.sockets.map(({ protocols }) => protocols[1])).toEqual([
      "ticket.ticket-of-session1",
      "ticket.ticket-of-session1",
    ]);
  });

  it("asks for another ticket when the first one is refused", async () => {
    const { time, server, client } = makeClient();
    server.refusals.push(ERRORS.TICKET_INVALID.close);
    const room = await settled(time, client.joinOrCreate("arena"));
    expect(server.requests).toHaveLength(2);
    expect(room.sessionId).toBe("session2");
  });

  it("rejects when the handshake is refused for good", async () => {
    const { time, server, client } = makeClient();
    server.refusals.push(ERRORS.KICKED.close);
    await expect(settled(time, client.joinOrCreate("arena"))).rejects.toMatchObject({ code: "KICKED" });
    expect(server.sockets).toHaveLength(1);
    expect(time.pendingTimers).toBe(0);
  });

  it("takes a server that accepts and says nothing for lost", async () => {
    const { time, server, client } = makeClient();
    server.isMute = true;
    const joining = client.joinOrCreate("arena");
    const failed = expect(settled(time, joining)).rejects.toMatchObject({ code: "TIMEOUT" });
    await failed;
    expect(server.sockets[0]?.closedWith).toBe(ERRORS.TIMEOUT.close);
  });
});

describe("joining in the handshake", () => {
  it("[H1] says all in address and subprotocols, the token never in the address", async () => {
    const { time, server, client } = makeClient({ direct: true, token: "sécret" });
    const room = await settled(
      time,
      client.joinOrCreate("arena", { map: "moon & sun" }, { state: TestState }),
    );
    const url = new URL(server.socket.url);
    expect(`${url.protocol}//${url.host}${url.pathname}`).toBe("ws://game.test/ws/arena");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      mode: "joinOrCreate",
      options: '{"map":"moon & sun"}',
    });
    expect(url.href).not.toContain("cret");
    expect(parseOffer(server.socket.protocols.join(", "))).toMatchObject({
      token: "sécret",
      eventsReceived: 0,
    });
    expect(server.requests).toHaveLength(0);
    expect(room.connectionState).toBe("open");
  });

  it("rejects with the error that a close code stands for", async () => {
    const { time, server, client } = makeClient({ direct: true });
    server.refusals.push(ERRORS.UNAUTHORIZED.close);
    await expect(settled(time, client.join("arena"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(server.sockets).toHaveLength(1);
  });

  it("resumes at the address without a room type", async () => {
    const { time, server, room } = await joinRoom({ direct: true });
    server.socket.drop();
    await time.advance(CLIENT_LIMITS.backoffMinMs);
    expect(server.socket.url).toBe("ws://game.test/ws");
    expect(room.connectionState).toBe("open");
  });

  it("rejects a token that no header can hold", async () => {
    const { time, client } = makeClient({ direct: true, token: "x".repeat(10_000) });
    await expect(settled(time, client.join("arena"))).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });
});

describe("rooms", () => {
  it("[J5] lists the rooms of a type", async () => {
    const { time, server, client } = makeClient();
    const listing = { roomId: "r", type: "arena", clients: 1, maxClients: 8, locked: false, metadata: null };
    server.httpAnswers.push(() => Response.json([listing]));
    expect(await settled(time, client.rooms("are na"))).toEqual([listing]);
    expect(server.requests[0]?.url).toBe(`${BASE_URL}/rooms?type=are%20na`);
    expect(server.requests[0]?.init?.method).toBeUndefined();
  });
});
