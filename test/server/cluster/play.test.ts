/** Joining and playing through the real server: two workers, real sockets, the SDK as every client uses it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { ERRORS, type ErrorCode, type RookeryError } from "../../../shared/errors.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { eventually } from "../../support/eventually.ts";
import { nextMessage } from "../../support/next-message.ts";
import { clientFrame, frame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { LobbyState } from "../../support/rooms/lobby.ts";
import { ServerProcess } from "../../support/server-process.ts";

let server: ServerProcess;
let client: Client;
beforeAll(async () => {
  server = await ServerProcess.start({ ALLOWED_ORIGINS: "https://game.example" });
  client = new Client(server.url, { webSocket: WebSocket });
});
afterAll(async () => {
  await server.stop();
});

const echo = { state: EchoState };

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe("rooms", () => {
  test("two clients meet in one room, see each other and talk", async () => {
    const options = { map: "meet", name: "a" };
    const a = await client.joinOrCreate("echo", options, echo);
    const b = await client.joinOrCreate("echo", { ...options, name: "b" }, echo);
    expect(b.roomId).toBe(a.roomId);
    expect(b.state.members.get(a.sessionId)?.name).toBe("a");
    const told = nextMessage(a, "told");
    const shout = nextMessage(a, "shout");
    b.onMessage("shout", () => expect.unreachable("the one who shouts is excepted"));
    b.send("shout", "hey");
    b.send("tell", "everybody");
    expect(await shout).toBe("hey");
    expect(await told).toBe("everybody");
    const left = nextMessage(a, "left");
    expect(await b.leave()).toBe(ERRORS.CONSENTED.close);
    expect(await left).toEqual({ sessionId: b.sessionId, consented: true });
    await a.leave();
  });

  test("a full room is full, and the next client gets another", async () => {
    const options = { map: "full" };
    const rooms = await Promise.all(
      Array.from({ length: 10 }, () => client.joinOrCreate("echo", options, echo)),
    );
    const ids = new Set(rooms.map(({ roomId }) => roomId));
    expect(ids.size).toBe(1);
    const [roomId = ""] = ids;
    await expect(client.joinById("echo", roomId, {}, echo)).rejects.toMatchObject({ code: "ROOM_FULL" });
    const next = await client.joinOrCreate("echo", options, echo);
    expect(next.roomId).not.toBe(roomId);
    await rooms[0]?.leave();
    // The client knows that it has left before the primary does.
    const again = await eventually(
      () => client.joinById("echo", roomId, {}, echo).catch(() => undefined),
      (joined) => joined !== undefined,
      "a free seat",
    );
    if (again === undefined) throw new Error("no seat was free");
    expect(again.roomId).toBe(roomId);
    await Promise.all([...rooms.slice(1), next, again].map((room) => room.leave()));
  });

  test("join by code, private rooms, locks and filters", async () => {
    const room = await client.create("echo", { map: "a" }, echo);
    const byCode = await client.joinByCode("echo", room.code.toLowerCase(), {}, echo);
    expect(byCode.roomId).toBe(room.roomId);
    await expect(client.join("echo", { map: "b" }, echo)).rejects.toMatchObject({ code: "ROOM_NOT_FOUND" });
    const other = await client.joinOrCreate("echo", { map: "b" }, echo);
    expect(other.roomId).not.toBe(room.roomId);

    // The primary hears of it by another way than the clients do.
    room.send("hide", true);
    await eventually(
      () => client.rooms("echo"),
      (rooms) => rooms.length === 1 && rooms[0]?.roomId === other.roomId,
      "public rooms",
    );
    await expect(client.join("echo", { map: "a" }, echo)).rejects.toMatchObject({ code: "ROOM_NOT_FOUND" });
    const hidden = await client.joinById("echo", room.roomId, {}, echo);
    room.send("lock", true);
    const refusal = await eventually(
      () =>
        client.joinById("echo", room.roomId, {}, echo).then(leaveAgain, (error: RookeryError) => error.code),
      (code) => code !== undefined,
      "refusal of a join into the locked room",
    );
    expect(refusal).toBe("ROOM_LOCKED");
    await Promise.all([room, byCode, other, hidden].map((each) => each.leave()));
  });

  test("a room that asks who comes", async () => {
    await expect(client.joinOrCreate("lobby", { name: "x" })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(await client.rooms("lobby")).toEqual([]);
    for (const direct of [false, true]) {
      const guest = new Client(server.url, { webSocket: WebSocket, token: "let me in", direct });
      const room = await guest.joinOrCreate("lobby", { name: "guest" }, { state: LobbyState });
      const said = nextMessage(room, "said");
      room.send("say", "hello");
      expect(await said).toEqual({ name: "guest", text: "hello" });
      await room.leave();
      const refused = new Client(server.url, { webSocket: WebSocket, token: "no", direct });
      await expect(refused.joinOrCreate("lobby", {})).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    }
  });

  test("a room ends when the last client leaves", async () => {
    const room = await client.create("echo", { map: "ends" }, echo);
    const disposed = server.nextLine(({ msg, roomId }) => msg === "room disposed" && roomId === room.roomId);
    await room.leave();
    await disposed;
    await expect(client.joinById("echo", room.roomId, {}, echo)).rejects.toMatchObject({
      code: "ROOM_NOT_FOUND",
    });
  });

  test("an effect runs outside the room and its result comes back", async () => {
    const room = await client.create("echo", {}, echo);
    const saved = nextMessage(room, "saved");
    room.send("save", "score");
    expect(await saved).toBe(`${room.roomId}:1 score`);
    await room.leave();
  });

  test("a message that does not fit is refused, and nothing else is lost", async () => {
    const room = await client.create("echo", {}, echo);
    const refused = nextMessage(room, "$error");
    room.send("shout", 42);
    expect(await refused).toMatchObject({ code: "MESSAGE_INVALID", seq: 1 });
    const echoed = nextMessage(room, "echo");
    room.send("echo", "still here");
    expect(await echoed).toBe("still here");
    await room.leave();
  });
});

describe("a lost connection", () => {
  test("is resumed into the same seat, and nothing is lost or doubled", async () => {
    const sockets: WebSocket[] = [];
    class Remembered extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const a = await new Client(server.url, { webSocket: Remembered }).create("echo", { name: "a" }, echo);
    const b = await client.joinById("echo", a.roomId, { name: "b" }, echo);
    const heard: unknown[] = [];
    a.onMessage("told", (text) => void heard.push(text));
    const returned = nextMessage(b, "returned");
    sockets.at(-1)?.terminate();
    for (let index = 0; index < 20; index++) b.send("tell", String(index));
    expect(await returned).toBe(a.sessionId);
    b.send("tell", "last");
    await new Promise<void>((resolve) => a.onMessage("told", (text) => text === "last" && resolve()));
    expect(heard).toEqual([...Array.from({ length: 20 }, (_, index) => String(index)), "last"]);
    expect(a.state.members.size).toBe(2);
    await Promise.all([a.leave(), b.leave()]);
  });

  test("gives the seat back when nobody returns", async () => {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write(handshakeHead("/ws/echo?options=%7B%22map%22%3A%22gone%22%7D"));
    await raw.until(({ values }) => values.length > 0, "welcome");
    const rooms = await client.rooms("echo");
    expect(rooms.filter(({ metadata }) => (metadata as { map: string }).map === "gone")).toHaveLength(1);
    const disposed = server.nextLine(({ msg }) => msg === "room disposed");
    raw.socket.destroy();
    await disposed;
  });
});

describe("HTTP", () => {
  test("POST /join answers a ticket, and errors with code, sentence and status", async () => {
    const joined = await post("/join/echo", {});
    expect(joined.status).toBe(200);
    expect(Object.keys(joined.body).sort()).toEqual(["expiresAt", "roomId", "sessionId", "ticket", "url"]);
    expect(joined.body.url).toBe(`${server.wsUrl}/ws`);
    const cases: [string, unknown, ErrorCode][] = [
      ["/join/nothing", {}, "ROOM_TYPE_UNKNOWN"],
      ["/join/echo", { mode: "joinById", roomId: "none" }, "ROOM_NOT_FOUND"],
      ["/join/echo", { mode: "teleport" }, "BAD_REQUEST"],
      ["/join/echo", { options: "x".repeat(20_000) }, "PAYLOAD_TOO_LARGE"],
      ["/join/echo", { mode: "create", options: { failOnCreate: true } }, "ROOM_CREATE_FAILED"],
      ["/nowhere", {}, "NOT_FOUND"],
    ];
    for (const [path, body, code] of cases) {
      const { status, body: answer } = await post(path, body);
      expect(answer).toEqual({ error: { code, message: expect.stringMatching(/\S.*\.$|:/) } });
      expect(status).toBe(ERRORS[code].status);
    }
  });

  test("only allowed origins", async () => {
    const good = await post("/join/echo", {}, { Origin: "https://game.example" });
    expect(good.headers.get("access-control-allow-origin")).toBe("https://game.example");
    const bad = await post("/join/echo", {}, { Origin: "https://evil.example" });
    expect(bad).toMatchObject({ status: 403, body: { error: { code: "ORIGIN_REFUSED" } } });
    expect(bad.headers.get("access-control-allow-origin")).toBeNull();
    const own = await post("/join/echo", {}, { Origin: server.url });
    expect(own.status).toBe(200);
  });

  test("the page, the room list, health", async () => {
    const page = await fetch(server.url);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("Rookery");
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe("ok\n");
    expect(await (await fetch(`${server.url}/healthz`)).text()).toBe("ok\n");
    expect(await (await fetch(`${server.url}/info`)).json()).toMatchObject({
      workers: 2,
      roomTypes: expect.arrayContaining(["echo", "lobby", "arena"]),
    });
  });
});

describe("refused handshakes", () => {
  async function closeCode(
    path: string,
    offer: Parameters<typeof handshakeHead>[1],
  ): Promise<number | undefined> {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write(handshakeHead(path, offer));
    await raw.until(({ closeCode }) => closeCode !== undefined, "close");
    raw.socket.destroy();
    return raw.closeCode;
  }

  test("are told why by a close code", async () => {
    const none = { eventsReceived: 0 };
    expect(await closeCode("/ws", { ...none, ticket: "forged" })).toBe(ERRORS.TICKET_INVALID.close);
    expect(await closeCode("/ws", { ...none, resume: "nobody.1.secret" })).toBe(
      ERRORS.SESSION_NOT_FOUND.close,
    );
    expect(await closeCode("/ws", none)).toBe(ERRORS.BAD_REQUEST.close);
    expect(await closeCode("/ws/nothing", none)).toBe(ERRORS.ROOM_TYPE_UNKNOWN.close);
    expect(await closeCode("/ws/echo?mode=joinById&roomId=none", none)).toBe(ERRORS.ROOM_NOT_FOUND.close);
    expect(await closeCode("/ws/echo?options=nonsense", none)).toBe(ERRORS.BAD_REQUEST.close);
    expect(await closeCode("/ws/%zz", none)).toBe(ERRORS.BAD_REQUEST.close);
  });

  test("that are no handshake at all are told over HTTP", async () => {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await raw.until(({ status }) => status !== undefined, "answer");
    expect(raw.status).toBe(400);
  });
});

describe("a client that breaks the protocol", () => {
  async function codeAfter(bytes: Buffer): Promise<number | undefined> {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write(handshakeHead("/ws/echo"));
    await raw.until(({ values }) => values.length > 0, "welcome");
    raw.socket.write(bytes);
    await raw.until(({ closeCode }) => closeCode !== undefined, "close");
    raw.socket.destroy();
    return raw.closeCode;
  }

  test("is closed with the reason", async () => {
    const nested = Buffer.concat([Buffer.alloc(100, 0x91), Buffer.from([0xc0])]);
    expect(await codeAfter(frame(0x82, nested))).toBe(ERRORS.PROTOCOL_ERROR.close);
    expect(await codeAfter(frame(0x81, Buffer.from("text")))).toBe(ERRORS.PROTOCOL_ERROR.close);
    expect(await codeAfter(clientFrame([ClientMessage.MESSAGE, 2, 0, "echo", "a gap"]))).toBe(
      ERRORS.PROTOCOL_ERROR.close,
    );
    expect(await codeAfter(clientFrame([ClientMessage.ACK, 99]))).toBe(ERRORS.PROTOCOL_ERROR.close);
    const tooLarge = 1009;
    expect(await codeAfter(frame(0x82, Buffer.alloc(20_000)))).toBe(tooLarge);
    const flood = Array.from({ length: 400 }, (_, seq) =>
      clientFrame([ClientMessage.MESSAGE, seq + 1, 0, "echo", 0]),
    );
    expect(await codeAfter(Buffer.concat(flood))).toBe(ERRORS.RATE_LIMITED.close);
  });
});

async function leaveAgain(room: Pick<Room, "leave">): Promise<undefined> {
  await room.leave();
}
