/** Rooms that move between workers that live, with real processes: nobody loses a connection or a message by it. */
import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { eventually } from "../../support/eventually.ts";
import { clientFrame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { type LogLine, ServerProcess } from "../../support/server-process.ts";

const ROOMS = 4;
/** A room takes `LIMITS.messagesPerSecond` of a client for long; the counters say less. */
const TELL_EVERY_MS = 12;
const SPREAD = "rooms are spread over the workers";
const RELEASED = "room released";

/** Alone in a room, says one number after the other, and notes which come back. */
class Counter {
  readonly room: Room<typeof EchoState>;
  readonly heard: number[] = [];
  said = 0;
  moves = 0;
  reconnects = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #finished = Promise.withResolvers<void>();
  #isFinishing = false;

  constructor(room: Room<typeof EchoState>) {
    this.room = room;
    room.onMessage<string>("told", (text) => {
      this.heard.push(Number(text));
      this.#endIfAllIsHeard();
    });
    this.#finished.promise.catch(() => undefined); // `finish` waits for it, perhaps much later
    room.onLeave((_code, reason) => {
      clearInterval(this.#timer);
      this.#finished.reject(new Error(`the room ended with ${reason} after ${this.said} messages`));
    });
    room.onMove(() => {
      this.moves += 1;
    });
    room.onReconnect(() => {
      this.reconnects += 1;
    });
    this.#timer = setInterval(() => this.#say(), TELL_EVERY_MS);
  }

  static async create(server: ServerProcess): Promise<Counter> {
    const client = new Client(server.url, { webSocket: WebSocket });
    return new Counter(await client.create("echo", {}, { state: EchoState, rejoin: false }));
  }

  /** Says one number more, and no more. @returns when all that it has said has come back, behind any move */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.#isFinishing = true;
    await Promise.race([this.#finished.promise, Promise.resolve()]); // fails with the cause if the room has ended
    this.#say();
    await this.#finished.promise;
    expect(this.heard).toEqual(Array.from({ length: this.said }, (_, index) => index + 1));
    await this.room.leave();
  }

  #say(): void {
    this.room.send("tell", `${++this.said}`);
  }

  #endIfAllIsHeard(): void {
    if (this.#isFinishing && this.heard.at(-1) === this.said) this.#finished.resolve();
  }
}

let server: ServerProcess;
let atStart: number;
beforeEach(async () => {
  server = await ServerProcess.start({ WORKERS: "2" });
  atStart = descriptors();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

function descriptors(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

const isReleased = ({ msg }: LogLine) => msg === RELEASED;
const isSpread = ({ msg }: LogLine) => msg === SPREAD;
const count = (accepts: (line: LogLine) => boolean) => server.lines.filter(accepts).length;

/** The worker process that runs a room now. */
function pidOf(roomId: string): number {
  return Number(server.lines.findLast((line) => line.msg === "room created" && line.roomId === roomId)?.pid);
}

/** The room is at a worker again; that may have been told together with what was before it. */
function createdAfter(before: LogLine, roomId = before.roomId): Promise<LogLine> {
  const isLater = (line: LogLine) => server.lines.indexOf(line) > server.lines.indexOf(before);
  return server.line((line) => line.msg === "room created" && line.roomId === roomId && isLater(line));
}

/** How many of the rooms each worker has that lives. */
function shares(counters: readonly Counter[]): number[] {
  const pids = counters.map(({ room }) => pidOf(room.roomId));
  return server.workerPids
    .filter((pid) => existsSync(`/proc/${pid}/exe`))
    .map((pid) => pids.filter((each) => each === pid).length)
    .filter((rooms) => rooms > 0);
}

test("a worker that replaces another gets its share of the rooms, while they are played in", async () => {
  const counters = await Promise.all(Array.from({ length: ROOMS }, () => Counter.create(server)));
  const spread = server.nextLine(isSpread);
  const doomed = pidOf(counters[0]?.room.roomId ?? "");
  const takenOver = counters.filter(({ room }) => pidOf(room.roomId) === doomed).length;
  process.kill(doomed, "SIGKILL");
  await spread;
  expect(shares(counters)).toEqual([2, 2]);
  await Promise.all(counters.map((counter) => counter.finish()));
  // All four were at one worker, and two of them have moved on; nobody has needed another connection.
  expect(count(isReleased)).toBe(2);
  expect(counters.reduce((sum, { moves }) => sum + moves, 0)).toBe(takenOver + 2);
  expect(counters.map(({ reconnects }) => reconnects)).toEqual([0, 0, 0, 0]);
  await eventually(descriptors, (open) => open <= atStart, `${atStart} descriptors`);
});

test("workers that are killed while rooms move cost nobody anything but a moment more", async () => {
  const random = createRandom(5);
  const counters = await Promise.all(Array.from({ length: ROOMS }, () => Counter.create(server)));
  for (let round = 0; round < 3; round++) {
    const released = server.nextLine(isReleased);
    process.kill(pidOf(counters[0]?.room.roomId ?? ""), "SIGKILL");
    const release = await released;
    // The one that the room comes from, or the one that it goes to, as soon as it is there.
    const isGoing = random.next() < 0.5;
    const { pid } = isGoing ? release : await createdAfter(release);
    process.kill(Number(pid), "SIGKILL");
    await eventually(
      () => shares(counters),
      (rooms) => rooms.join() === "2,2",
      "rooms on both workers",
    );
  }
  await Promise.all(counters.map((counter) => counter.finish()));
  expect(count(({ level }) => level >= 50)).toBe(0);
  await eventually(descriptors, (open) => open <= atStart, `${atStart} descriptors`);
});

test("a connection that is closing as its room moves is closed where it was, and nowhere else", async () => {
  const [counter, other] = await Promise.all([Counter.create(server), Counter.create(server)]);
  const spread = server.nextLine(isSpread);
  const replaced = server.nextLine(({ msg }) => msg === "worker ready");
  const kept = pidOf(counter.room.roomId);
  const death = server.nextLine(({ msg }) => msg === "worker exited");
  process.kill(pidOf(other.room.roomId), "SIGKILL");
  await createdAfter(await death, other.room.roomId);
  const kicked = await Promise.all([counter, other].map(({ room }) => joined(room.roomId)));
  await replaced;
  // In each of the rooms, one of which moves, somebody is kicked who does not answer the close, while it is asked to move.
  await Promise.all(kicked.map(leave));
  await spread;
  expect(count(isReleased)).toBe(1);
  expect(pidOf(counter.room.roomId) === kept).not.toBe(pidOf(other.room.roomId) === kept);
  for (const client of kicked) {
    if (!client.isClosed) await new Promise((resolve) => client.socket.once("close", resolve));
    expect(client.closeCode).toBe(ERRORS.KICKED.close);
    expect(client.values.filter(([type]) => type === ServerMessage.RESUME)).toEqual([]);
  }
  await Promise.all([counter.finish(), other.finish()]);
  await eventually(descriptors, (open) => open <= atStart, `${atStart} descriptors`);
});

/** Somebody who never answers a close. */
async function joined(roomId: string): Promise<RawClient> {
  const client = await new RawClient(server.port).connected();
  client.socket.write(handshakeHead(`/ws/echo?mode=joinById&roomId=${roomId}`));
  await client.until(({ values }) => values.length > 0, "WELCOME");
  return client;
}

/** Is asked by the room to leave. */
async function leave(client: RawClient): Promise<void> {
  client.socket.write(clientFrame([ClientMessage.MESSAGE, 1, 0, "leave", null]));
  await client.until(({ closeCode }) => closeCode !== undefined, "the close");
}
