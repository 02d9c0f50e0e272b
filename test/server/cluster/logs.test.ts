/** What the server's processes log: one JSON line per event, nothing secret, nothing lost when a worker dies. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type JoinOptions, type Room } from "../../../client-sim/sdk/index.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { nextMessage } from "../../support/next-message.ts";
import { clientFrame, frame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import { DoomedState, LAST_LINES, WAYS_TO_DIE } from "../../support/rooms/doomed.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { LobbyState } from "../../support/rooms/lobby.ts";
import { type LogLine, ServerProcess } from "../../support/server-process.ts";

/** What clients say; it has no business in a log. */
const PAYLOAD = "c0nfidential-payload";
const BEARER = "let me in";
const WRONG_BEARER = "wr0ng-bearer-token";
const FORGED = "f0rged-secret";
const TICKET_SECRET = "t0p-secret-that-signs-tickets-0123456789";

const DOOMED_MAIN = fileURLToPath(new URL("../../support/doomed-main.ts", import.meta.url));
const echo = { state: EchoState };
const sockets: WebSocket[] = [];
class Remembered extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    sockets.push(this);
  }
}

/** Joins by ticket and at once, with tokens that are right and wrong. @returns the tickets */
async function joinLobby(server: ServerProcess): Promise<string[]> {
  const tickets: string[] = [];
  const fetchAndRead: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    const { ticket } = (await response.clone().json()) as { ticket?: string };
    if (ticket !== undefined) tickets.push(ticket);
    return response;
  };
  for (const direct of [false, true]) {
    const setup = { webSocket: WebSocket, fetch: fetchAndRead, direct };
    const guest = new Client(server.url, { ...setup, token: BEARER });
    const room = await guest.joinOrCreate("lobby", { name: PAYLOAD }, { state: LobbyState });
    const said = nextMessage(room, "said");
    room.send("say", PAYLOAD);
    await said;
    await room.leave();
    const refused = new Client(server.url, { ...setup, token: WRONG_BEARER });
    await expect(refused.joinOrCreate("lobby", { name: PAYLOAD })).rejects.toMatchObject({
      code: "UNAUTHORIZED",
    });
  }
  return tickets;
}

/** Plays, is misunderstood, loses the connection and comes back. @returns the resume tokens */
async function playAndResume(client: Client): Promise<string[]> {
  const room = await client.create("echo", { name: PAYLOAD }, echo);
  const resumeTokens = [room.resumeToken];
  const echoed = nextMessage(room, "echo");
  room.send("echo", { text: PAYLOAD });
  await echoed;
  const refused = nextMessage(room, "$error");
  room.send("shout", { not: "a string", text: PAYLOAD });
  await refused;
  const returned = new Promise<void>((resolve) => room.onReconnect(resolve));
  sockets.at(-1)?.terminate();
  await returned;
  resumeTokens.push(room.resumeToken);
  await room.leave();
  return resumeTokens;
}

/** Makes rooms fail with what clients sent. */
async function failRooms(client: Client, options: JoinOptions): Promise<void> {
  for (const failure of ["failOnCreate", "failOnJoin"]) {
    await expect(client.create("echo", { ...options, [failure]: true }, echo)).rejects.toThrow();
  }
  const room = await client.create("echo", options, { ...echo, rejoin: false });
  const left = new Promise((resolve) => room.onLeave(resolve));
  room.send("fail", PAYLOAD);
  await left;
}

/** Breaks the protocol in every way that a library would not. */
async function attack(server: ServerProcess, client: Client): Promise<void> {
  const none = { eventsReceived: 0 };
  const attempts: [path: string, offer: Parameters<typeof handshakeHead>[1]][] = [
    ["/ws", { ...none, ticket: FORGED }],
    ["/ws", { ...none, resume: `nobody.1.${FORGED}` }],
    [`/ws/echo?options=${PAYLOAD}`, none],
    [`/ws/${PAYLOAD}`, none],
  ];
  for (const [path, offer] of attempts) {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write(handshakeHead(path, offer));
    await raw.until(({ closeCode }) => closeCode !== undefined, "close");
    raw.socket.destroy();
  }
  const broken = [
    frame(0x82, Buffer.from(PAYLOAD)),
    frame(0x81, Buffer.from(PAYLOAD)),
    clientFrame([ClientMessage.MESSAGE, 2, 0, "echo", PAYLOAD]),
  ];
  for (const bytes of broken) {
    const raw = await new RawClient(server.port).connected();
    raw.socket.write(handshakeHead("/ws/echo"));
    await raw.until(({ values }) => values.length > 0, "welcome");
    raw.socket.write(bytes);
    await raw.until(({ closeCode }) => closeCode !== undefined, "close");
    raw.socket.destroy();
  }
  await fetch(`${server.url}/join/echo`, { method: "POST", body: `{ "options": ${PAYLOAD}` });
  await fetch(`${server.url}/${PAYLOAD}`);
  await expect(client.joinByCode("echo", PAYLOAD)).rejects.toThrow();
}

/** @returns the lines of what the server wrote */
function linesOf(server: ServerProcess): LogLine[] {
  const texts = server.output.split("\n").filter((text) => text !== "");
  return texts.map((text) => JSON.parse(text) as LogLine);
}

describe("the log", () => {
  test("is JSON that says who writes and of what, and has nothing in it that is secret or a client's", async () => {
    await using server = await ServerProcess.start({ LOG_LEVEL: "trace", TICKET_SECRET });
    const client = new Client(server.url, { webSocket: Remembered });
    const tickets = await joinLobby(server);
    const resumeTokens = await playAndResume(client);
    await failRooms(client, { name: PAYLOAD });
    await attack(server, client);
    await server.stop();

    const lines = linesOf(server);
    const processes = new Set(lines.map((line) => line.process));
    expect([...processes].sort()).toEqual(["primary", "worker-0", "worker-1"]);
    for (const line of lines) {
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        pid: expect.any(Number),
      });
      expect(line.msg).toMatch(/\S/);
      if (/\broom\b/.test(line.msg)) expect(line.roomId).toMatch(/^[\w-]+$/);
    }
    const messages = lines.map(({ msg }) => msg);
    expect(messages).toEqual(expect.arrayContaining(["room created", "room disposed"]));
    expect(messages).toContain('the room failed in "message"');

    // One ticket, since the other join went without.
    expect(tickets).toHaveLength(1);
    expect(new Set(resumeTokens).size).toBe(2);
    const secretsOfTokens = resumeTokens.map((token) => token.split(".").at(-1) ?? "");
    const secrets = [...tickets, ...secretsOfTokens, BEARER, WRONG_BEARER, FORGED, TICKET_SECRET];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(8);
      expect(server.output).not.toContain(secret);
    }
    expect(server.output).not.toContain(PAYLOAD);
    expect(server.output.toLowerCase()).not.toContain(Buffer.from(PAYLOAD).toString("hex"));
    expect(server.output).not.toContain('"type":"Buffer"');
  });

  test.each(WAYS_TO_DIE)("has the last line of a worker that dies: %s", async (way) => {
    await using server = await ServerProcess.start({ WORKERS: "1" }, DOOMED_MAIN);
    const client = new Client(server.url, { webSocket: WebSocket });
    const room: Room<typeof DoomedState> = await client.create(
      "doomed",
      {},
      { state: DoomedState, rejoin: false },
    );
    const { roomId } = room;
    room.send("die", way);
    const exited = await server.line(({ msg }) => msg === "worker exited");
    expect(exited).toMatchObject({ process: "primary", workerId: 1 });
    const own = server.lines.filter((line) => line.roomId === roomId && typeof line.line === "number");
    expect(own.map(({ line }) => line)).toEqual(Array.from({ length: LAST_LINES }, (_, index) => index + 1));
    expect(own.at(-1)).toMatchObject({ process: "worker-0", msg: "last words", way });
    if (way !== "throw") return;
    const uncaught = await server.line(({ msg }) => msg === "uncaught exception");
    expect(uncaught).toMatchObject({ level: 60, process: "worker-0" });
    expect((uncaught.err as { stack: string }).stack).toContain("doomed.ts");
  });
});
