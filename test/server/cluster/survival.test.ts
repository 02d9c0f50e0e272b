/**
 * [R5] Sockets that outlive their worker, with real processes and a client that does what no library would: frames cut
 * anywhere, no answer, nothing read. And whatever becomes of a connection, the primary keeps no copy of it.
 */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode } from "../../../shared/errors.ts";
import {
  ClientMessage,
  type ClientValue,
  ServerMessage,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { eventually } from "../../support/eventually.ts";
import { clientFrame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import { ServerProcess } from "../../support/server-process.ts";

const RESYNC_TIMEOUT_MS = 400;
/** For what is to be prompt, on a machine that does other things as well. */
const PROMPTLY_MS = 1_500;

function start(environment: Record<string, string> = {}): Promise<ServerProcess> {
  return ServerProcess.start({ RESYNC_TIMEOUT_MS: String(RESYNC_TIMEOUT_MS), ...environment });
}

/** Open files of a process. */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function pidOf(server: ServerProcess, roomId: string): number {
  return Number(server.lines.findLast((line) => line.msg === "room created" && line.roomId === roomId)?.pid);
}

/** Kills the worker of a room. @returns settles when another has taken the room over */
async function killWorkerOf(server: ServerProcess, roomId: string): Promise<void> {
  const next = server.nextLine((line) => line.msg === "room created" && line.roomId === roomId);
  process.kill(pidOf(server, roomId), "SIGKILL");
  await next;
}

/** A player of the echo room with all that a client must keep; how bytes go out is the test's. */
class Player {
  readonly client: RawClient;
  /** RESUMEs are answered as they come. */
  answers = true;
  /** What has been sent and may have to be sent again, by sequence. */
  readonly #sent: ClientValue[] = [];
  #seen = 0;
  #eventsBefore = 0;

  private constructor(client: RawClient, eventsBefore = 0) {
    this.client = client;
    this.#eventsBefore = eventsBefore;
    client.socket.on("data", () => this.#answer());
  }

  static async join(server: ServerProcess, query: string): Promise<Player> {
    const player = new Player(await new RawClient(server.port).connected());
    player.client.socket.write(handshakeHead(`/ws/echo?${query}`));
    await player.client.until((client) => client.values.length > 0, "WELCOME");
    return player;
  }

  /** The same session over a new connection. */
  static async resume(server: ServerProcess, earlier: Player): Promise<Player> {
    const eventsReceived = earlier.eventsReceived;
    const player = new Player(await new RawClient(server.port).connected(), eventsReceived);
    const resume = earlier.welcome.resumeToken;
    player.client.socket.write(handshakeHead("/ws", { resume, eventsReceived }));
    await player.client.until((client) => client.values.length > 0, "WELCOME");
    player.#sent.push(...earlier.#sent);
    player.#sendAgain(player.welcome.ack);
    return player;
  }

  get welcomes(): Welcome[] {
    return this.client.values.flatMap((value) => (value[0] === ServerMessage.WELCOME ? [value[2]] : []));
  }

  get welcome(): Welcome {
    const welcome = this.welcomes.at(-1);
    if (welcome === undefined) throw new Error("no WELCOME has come");
    return welcome;
  }

  get events(): unknown[] {
    return this.client.values.flatMap((value) =>
      value[0] === ServerMessage.EVENT ? [[value[1], value[2]]] : [],
    );
  }

  get eventsReceived(): number {
    return this.#eventsBefore + this.events.length;
  }

  /** Texts of "told", in order. */
  get told(): unknown[] {
    return this.events.flatMap((event) =>
      (event as [string, unknown])[0] === "told" ? [(event as [string, unknown])[1]] : [],
    );
  }

  /** @returns the frame of the next message, for the test to write when and how it likes */
  say(name: string, payload: unknown): Buffer {
    const value: ClientValue = [ClientMessage.MESSAGE, this.#sent.length + 1, 0, name, payload];
    this.#sent.push(value);
    return clientFrame(value);
  }

  async welcomedTimes(count: number): Promise<void> {
    await this.client.until(() => this.welcomes.length >= count, `WELCOME ${count}`);
  }

  /** Settles when the connection has ended. @returns the time that it took, in ms */
  async closed(): Promise<number> {
    const startMs = performance.now();
    if (!this.client.isClosed) await new Promise((resolve) => this.client.socket.once("close", resolve));
    return performance.now() - startMs;
  }

  async leave(): Promise<void> {
    this.client.socket.write(clientFrame([ClientMessage.LEAVE]));
    await this.endsWith("CONSENTED");
  }

  /** Waits for the server's close frame, answers it, and waits for the end. */
  async endsWith(code: ErrorCode): Promise<void> {
    await this.client.until(({ closeCode }) => closeCode === ERRORS[code].close, code);
    this.client.socket.write(closeFrame(ERRORS[code].close));
    expect(await this.closed()).toBeLessThan(PROMPTLY_MS);
  }

  #answer(): void {
    const { values, socket } = this.client;
    for (; this.#seen < values.length; this.#seen++) {
      const value = values[this.#seen];
      if (value?.[0] !== ServerMessage.RESUME || !this.answers) continue;
      const [, nonce, , ack] = value;
      const { schemaHash } = this.welcome;
      socket.write(clientFrame([ClientMessage.RESYNC, nonce, this.eventsReceived, schemaHash]));
      this.#sendAgain(ack);
    }
  }

  #sendAgain(ack: number): void {
    for (const value of this.#sent.slice(ack)) this.client.socket.write(clientFrame(value));
  }
}

async function room(server: ServerProcess, players: number): Promise<Player[]> {
  const first = await Player.join(server, "mode=create");
  const { roomId } = first.welcome;
  const others = Array.from({ length: players - 1 }, () =>
    Player.join(server, `mode=joinById&roomId=${roomId}`),
  );
  return [first, ...(await Promise.all(others))];
}

describe("with two workers", () => {
  let server: ServerProcess;
  let atStart: number;
  beforeAll(async () => {
    server = await start();
    atStart = await eventually(
      () => descriptorsOf(server.pid),
      (count) => count > 0,
      "descriptors",
    );
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("clients whose frames are cut anywhere around the kills lose nothing and hear nothing twice", async () => {
    const random = createRandom(4);
    const players = await room(server, 6);
    const { roomId } = players[0]?.welcome ?? {};
    if (roomId === undefined) throw new Error("no room");
    const texts: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      // Each has a frame of which one part goes out before the kill, and the rest when the next owner has answered.
      const rests = players.map((player, index) => {
        const whole = Array.from({ length: 3 }, (_, n) => {
          const text = `${index} ${kill} ${n} ${"x".repeat(Math.floor(random.next() * 200))}`;
          texts.push(text);
          return player.say("tell", text);
        });
        const bytes = Buffer.concat(whole);
        const cut = Math.floor(random.next() * (bytes.length + 1));
        player.client.socket.write(bytes.subarray(0, cut));
        // The answer must not come in the middle of a frame: a client that is cut off there finishes it first.
        player.answers = false;
        return () => {
          player.client.socket.write(bytes.subarray(cut));
        };
      });
      await killWorkerOf(server, roomId);
      for (const [index, player] of players.entries()) {
        rests[index]?.();
        player.answers = true;
        player.client.socket.emit("data", Buffer.alloc(0));
      }
      await Promise.all(players.map((player) => player.welcomedTimes(kill + 2)));
    }
    await Promise.all(
      players.map((player) => player.client.until(() => player.told.length >= texts.length, "all texts")),
    );
    for (const player of players) {
      expect(player.told).toEqual(players[0]?.told);
      expect(player.told.toSorted()).toEqual(texts.toSorted());
      // Nobody was away, so nobody was dropped.
      expect(player.events.length).toBe(texts.length);
      expect(player.welcome.sessionId).toBe(player.welcomes[0]?.sessionId);
    }
    for (const player of players) await player.leave();
  });

  test("one that does not answer is closed in time, is dropped for the room, and can resume", async () => {
    const [mute, other] = (await room(server, 2)) as [Player, Player];
    mute.answers = false;
    await killWorkerOf(server, other.welcome.roomId);
    const afterMs = await mute.closed();
    expect(afterMs).toBeLessThan(RESYNC_TIMEOUT_MS + PROMPTLY_MS);
    expect(mute.client.closeCode).toBe(undefined);
    // Nothing but RESUME was sent to it.
    expect(mute.client.values.at(-1)?.[0]).toBe(ServerMessage.RESUME);
    await other.welcomedTimes(2);
    await other.client.event("dropped");
    const back = await Player.resume(server, mute);
    expect(back.welcome).toMatchObject({ resumed: true, sessionId: mute.welcome.sessionId });
    back.client.socket.write(back.say("tell", "back"));
    expect(await other.client.event("told")).toBe("back");
    expect(other.events).toEqual([
      ["dropped", mute.welcome.sessionId],
      ["returned", mute.welcome.sessionId],
      ["told", "back"],
    ]);
    await Promise.all([back.leave(), other.leave()]);
  });

  test("one that reads nothing is in order again or is closed, and then resumes with nothing lost", async () => {
    const [stalled, ...others] = (await room(server, 6)) as [Player, Player, ...Player[]];
    const [other] = others as [Player];
    const texts: string[] = [];
    stalled.client.socket.pause();
    const large = "x".repeat(14_000);
    const tell = async (player: Player) => {
      texts.push(`${texts.length} ${large}`);
      player.client.socket.write(player.say("tell", texts.at(-1)));
      await other.client.until(() => other.told.length === texts.length, "echo");
    };
    // More than the system takes for one that does not read; each sender stays within its rate, and all within what
    // is kept for one who does not acknowledge.
    for (let count = 0; count < 35; count++) await tell(others[count % others.length] as Player);
    await killWorkerOf(server, other.welcome.roomId);
    await other.welcomedTimes(2);
    stalled.client.socket.resume();
    await eventually(
      () => stalled.client.isClosed || stalled.welcomes.length === 2,
      (isDecided) => isDecided,
      "a stalled client's end",
    );
    const now = stalled.client.isClosed ? await Player.resume(server, stalled) : stalled;
    await tell(other);
    const toldBefore = now === stalled ? [] : stalled.told;
    await now.client.until(() => toldBefore.length + now.told.length >= texts.length, "all texts");
    expect([...toldBefore, ...now.told]).toEqual(texts);
    await Promise.all([now, ...others].map((player) => player.leave()));
  });

  test("one that is closed learns of it promptly, though the primary has a copy: kicked, left, broken", async () => {
    const [a, b, c] = (await room(server, 3)) as [Player, Player, Player];
    // So that the connections are adopted ones.
    await killWorkerOf(server, a.welcome.roomId);
    await Promise.all([a, b, c].map((player) => player.welcomedTimes(2)));
    a.client.socket.write(a.say("leave", null));
    await a.endsWith("KICKED");
    b.client.socket.write(clientFrame([ClientMessage.ACK, 1_000]));
    await b.endsWith("PROTOCOL_ERROR");
    c.client.socket.write(clientFrame([ClientMessage.LEAVE]));
    await c.client.until(({ closeCode }) => closeCode === ERRORS.CONSENTED.close, "CONSENTED");
    // One that does not answer the closing handshake is not waited for.
    expect(await c.closed()).toBeLessThan(2_000 + PROMPTLY_MS);
  });

  test("a connection that was closing as its worker was killed is closed with it: its room has ended", async () => {
    const [player] = (await room(server, 1)) as [Player];
    const { roomId } = player.welcome;
    const pid = pidOf(server, roomId);
    const ended = server.nextLine((line) => line.msg === "room disposed" && line.roomId === roomId);
    player.client.socket.write(player.say("close", null));
    await ended;
    // The closing handshake is not answered, so the connection is still there.
    expect(player.client.isClosed).toBe(false);
    process.kill(pid, "SIGKILL");
    expect(await player.closed()).toBeLessThan(PROMPTLY_MS);
    await eventually(
      () => clientsOf(server),
      (count) => count === 0,
      "nobody",
    );
  });

  test("when all have gone, in whatever way, the primary has no more open files than at its start", async () => {
    const isWhole = () =>
      eventually(
        () => workersReady(server),
        (count) => count === 2,
        "workers",
      );
    await isWhole();
    const players = await room(server, 8);
    const roomId = players[0]?.welcome.roomId ?? "";
    expect(descriptorsOf(server.pid)).toBeGreaterThanOrEqual(atStart + players.length);
    await killWorkerOf(server, roomId);
    await Promise.all(players.map((player) => player.welcomedTimes(2)));
    const leave = async (player: Player, index: number) => {
      const { socket } = player.client;
      if (index % 4 > 1) return await player.leave();
      const closed = player.closed();
      if (index % 4 === 0) socket.resetAndDestroy();
      else socket.end();
      await closed;
    };
    await Promise.all(players.map(leave));
    // A worker's own descriptors come and go with it: two are there at the start and at the end.
    await isWhole();
    await eventually(
      () => descriptorsOf(server.pid),
      (count) => count <= atStart,
      `${atStart} descriptors`,
    );
    expect(await clientsOf(server)).toBe(0);
  });
});

test("the worker that takes over is killed as well, in the middle of it: the third has them all", async () => {
  await using server = await start({ WORKERS: "2", RESYNC_TIMEOUT_MS: "5000" });
  const players = await room(server, 4);
  const { roomId } = (players[0] as Player).welcome;
  for (const player of players) player.answers = false;
  await killWorkerOf(server, roomId);
  await Promise.all(players.map(({ client }) => client.until(isAsked(1), "RESUME")));
  // Half of them have answered, and nobody has been welcomed for certain, when the second one dies.
  for (const player of players.slice(0, 2)) {
    player.answers = true;
    player.client.socket.emit("data", Buffer.alloc(0));
  }
  const third = killWorkerOf(server, roomId);
  for (const player of players) player.answers = true;
  await third;
  await Promise.all(players.map(({ client }) => client.until(isAsked(2), "a second RESUME")));
  const texts = players.map((player, index) => {
    player.client.socket.write(player.say("tell", `${index}`));
    return `${index}`;
  });
  await Promise.all(
    players.map((player) => player.client.until(() => player.told.length === texts.length, "texts")),
  );
  for (const player of players) {
    expect(player.told.toSorted()).toEqual(texts);
    expect(player.events.length).toBe(texts.length);
    expect(player.welcome.epoch).toBeGreaterThanOrEqual(3);
  }
});

test("without retained sockets, a client is closed as soon as its worker has died", async () => {
  await using server = await start({ RETAIN_SOCKETS: "0", RESYNC_TIMEOUT_MS: "60000" });
  const before = descriptorsOf(server.pid);
  const [player] = (await room(server, 1)) as [Player];
  expect(descriptorsOf(server.pid)).toBeLessThanOrEqual(before);
  const closed = player.closed();
  await killWorkerOf(server, player.welcome.roomId);
  expect(await closed).toBeLessThan(PROMPTLY_MS);
  expect(player.client.values.some(([type]) => type === ServerMessage.RESUME)).toBe(false);
  const back = await Player.resume(server, player);
  expect(back.welcome).toMatchObject({ resumed: true, sessionId: player.welcome.sessionId });
});

test("a client that comes back while its worker dies gets to the replacement, in the same handshake", async () => {
  await using server = await start({ WORKERS: "1", RETAIN_SOCKETS: "0" });
  const [player] = (await room(server, 1)) as [Player];
  const { roomId, sessionId } = player.welcome;
  process.kill(pidOf(server, roomId), "SIGSTOP");
  player.client.socket.destroy();
  const back = Player.resume(server, player);
  // The primary counts it, and has passed it to a worker that takes nothing any more.
  await eventually(
    () => clientsOf(server),
    (count) => count === 2,
    "two connections",
  );
  await killWorkerOf(server, roomId);
  expect((await back).welcome).toMatchObject({ resumed: true, sessionId });
  await eventually(
    () => clientsOf(server),
    (count) => count === 1,
    "one connection",
  );
});

function isAsked(times: number): (client: RawClient) => boolean {
  return ({ values }) => values.filter(([type]) => type === ServerMessage.RESUME).length >= times;
}

function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([Buffer.from([0x88, 0x82, 0, 0, 0, 0]), payload]);
}

async function infoOf(server: ServerProcess): Promise<{ clients: number; workers: number }> {
  return (await (await fetch(`${server.url}/info`, { headers: { connection: "close" } })).json()) as never;
}

async function clientsOf(server: ServerProcess): Promise<number> {
  return (await infoOf(server)).clients;
}

async function workersReady(server: ServerProcess): Promise<number> {
  return (await infoOf(server)).workers;
}
