/** A worker dies, and its rooms go on in another: nothing that was acknowledged is lost, nothing is doubled. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { eventually } from "../../support/eventually.ts";
import { nextMessage } from "../../support/next-message.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { LobbyState } from "../../support/rooms/lobby.ts";
import { ServerProcess } from "../../support/server-process.ts";

type EchoRoom = Room<typeof EchoState>;
const echo = { state: EchoState };

function clientOf(server: ServerProcess, token?: string): Client {
  return new Client(server.url, { webSocket: WebSocket, ...(token === undefined ? {} : { token }) });
}

/** The process that runs a room now: the last that has created it or taken it over. */
function pidOf(server: ServerProcess, roomId: string): number {
  return Number(server.lines.findLast((line) => line.msg === "room created" && line.roomId === roomId)?.pid);
}

/** Settles when the session goes on: over the same connection, or over a new one. */
function wentOn(room: Room, over: "the same" | "a new"): Promise<void> {
  return new Promise((resolve, reject) => {
    const listeners = [
      room.onMove(() => settle(over === "the same")),
      room.onReconnect(() => settle(over === "a new")),
    ];
    const settle = (isExpected: boolean) => {
      for (const stop of listeners) stop();
      if (isExpected) resolve();
      else reject(new Error(`the session does not go on over ${over} connection`));
    };
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a client hears of "told", in order. */
function heardBy(room: EchoRoom): string[] {
  const heard: string[] = [];
  room.onMessage("told", (text) => void heard.push(String(text)));
  return heard;
}

describe.each([
  [2, "1", "the same"],
  [1, "1", "the same"],
  [2, "0", "a new"],
  [1, "0", "a new"],
] as const)("with %i workers and RETAIN_SOCKETS=%s, a worker that is killed", (workers, retain, over) => {
  test("costs its players a moment: the same room, session, state, and every message once", async () => {
    await using server = await ServerProcess.start({ WORKERS: String(workers), RETAIN_SOCKETS: retain });
    const a = await clientOf(server).create("echo", { name: "a" }, echo);
    const b = await clientOf(server).joinById("echo", a.roomId, { name: "b" }, echo);
    const identity = { roomId: a.roomId, sessionId: a.sessionId, code: a.code, slot: a.slot };
    a.onRejoin(() => expect.unreachable("the room is there, and the seat in it"));
    const heard = { a: heardBy(a), b: heardBy(b) };
    let sent = 0;
    const texts: string[] = [];
    const say = () => {
      const text = `text ${++sent}`;
      texts.push(text);
      (sent % 2 === 0 ? a : b).send("tell", text);
    };
    const talk = setInterval(say, 10);
    for (let kill = 0; kill < 3; kill++) {
      await eventually(
        () => heard.a.length,
        (count) => count >= 20 * (kill + 1),
        "messages heard",
      );
      const { tick } = a;
      const back = Promise.all([wentOn(a, over), wentOn(b, over)]);
      process.kill(pidOf(server, a.roomId), "SIGKILL");
      await back;
      expect(a.tick).toBeGreaterThanOrEqual(tick);
    }
    clearInterval(talk);
    await eventually(
      () => [heard.a.length, heard.b.length],
      (counts) => counts.every((count) => count >= sent),
      `${sent} messages heard`,
    );
    // Two senders: each one's order is kept, and both hear the same order.
    expect(heard.a).toEqual(heard.b);
    expect(heard.a.toSorted()).toEqual(texts.toSorted());
    for (const parity of [0, 1]) {
      const of = (list: readonly string[]) => list.filter((text) => Number(text.slice(5)) % 2 === parity);
      expect(of(heard.a)).toEqual(of(texts));
    }
    expect({ roomId: a.roomId, sessionId: a.sessionId, code: a.code, slot: a.slot }).toEqual(identity);
    expect(a.state.members.get(a.sessionId)?.messages).toBe(0);
    expect([...a.state.members.keys()].sort()).toEqual([a.sessionId, b.sessionId].sort());
    expect(server.lines.some(({ msg }) => msg === "room is put aside: it crashes its worker")).toBe(false);
    await Promise.all([a.leave(), b.leave()]);
    await eventually(
      () => existsSync(join(server.dataDirectory, "rooms", identity.roomId)),
      (isThere) => !isThere,
      "the files of a room that has ended",
    );
  });
});

test("a room without ticks, and what onAuth said of a client, come back too", async () => {
  await using server = await ServerProcess.start();
  const guest = await clientOf(server, "let me in").create("lobby", { name: "guest" }, { state: LobbyState });
  guest.send("say", "before");
  await nextMessage(guest, "said");
  const back = wentOn(guest, "the same");
  process.kill(pidOf(server, guest.roomId), "SIGKILL");
  guest.send("say", "meanwhile");
  const said = nextMessage(guest, "said");
  await back;
  expect(await said).toEqual({ name: "guest", text: "meanwhile" });
  expect(guest.state.said).toBe(2);
  await guest.leave();
});

describe("a room that crashes its worker", () => {
  test.each([
    ["crash", "by aborting"],
    ["hang", "by an endless loop"],
    ["hoard", "by running out of memory"],
  ])("(%s) is put aside, its players are told why, and the others go on", async (type) => {
    await using server = await ServerProcess.start({
      WORKERS: "1",
      // Long enough that nobody else is taken for hung on a busy machine.
      HANG_TIMEOUT_MS: "2000",
      WORKER_HEAP_MB: "64",
    });
    const client = clientOf(server);
    const neighbour = await client.create("echo", { name: "neighbour" }, echo);
    const poison = await client.create("echo", { name: "poison" }, echo);
    const left = new Promise<number>((resolve) => poison.onLeave(resolve));
    neighbour.onRejoin(() => expect.unreachable("the neighbour's room is not lost"));
    let neighbourMoves = 0;
    neighbour.onMove(() => void neighbourMoves++);
    const neighboursRoom = neighbour.roomId;
    poison.send(type);
    expect(await left).toBe(ERRORS.ROOM_QUARANTINED.close);
    const aside = server.lines.filter(({ msg }) => msg === "room is put aside: it crashes its worker");
    expect(aside.map(({ roomId }) => roomId)).toEqual([poison.roomId]);
    expect(existsSync(join(server.dataDirectory, "quarantine", poison.roomId))).toBe(true);
    neighbour.send("tell", "still here");
    expect(await nextMessage(neighbour, "told")).toBe("still here");
    expect(neighbour.roomId).toBe(neighboursRoom);
    // The second crash was that of a worker of its own.
    expect(neighbourMoves).toBe(1);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

test("a room that crashes its worker only once goes on alone, in a worker that ends with it", async () => {
  await using server = await ServerProcess.start({ WORKERS: "1" });
  const room = await clientOf(server).create("echo", {}, echo);
  const back = wentOn(room, "the same");
  room.send("crashUnlessThere", join(server.dataDirectory, "was-here"));
  room.send("tell", "after it");
  const heard = nextMessage(room, "told");
  await back;
  expect(await heard).toBe("after it");
  expect(room.worker).toBe(1);
  const pid = pidOf(server, room.roomId);
  // The next room is not put beside it.
  const other = await clientOf(server).create("echo", {}, echo);
  expect(other.worker).toBe(0);
  await room.leave();
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
    "the end of the room's own worker",
  );
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});

test("a room that is not written down is lost: its players are told at once, and join again", async () => {
  await using server = await ServerProcess.start();
  const room = await clientOf(server).create("fleeting", {}, echo);
  const earlierRoom = room.roomId;
  const dropped = new Promise<void>((resolve) => room.onDrop(() => resolve()));
  const rejoined = new Promise<void>((resolve) => room.onRejoin(() => resolve()));
  const killedAtMs = performance.now();
  process.kill(pidOf(server, room.roomId), "SIGKILL");
  await dropped;
  expect(performance.now() - killedAtMs).toBeLessThan(1_000);
  await rejoined;
  expect(room.roomId).not.toBe(earlierRoom);
  const echoed = nextMessage(room, "echo");
  room.send("echo", "in the new room");
  expect(await echoed).toBe("in the new room");
});

test("two servers cannot share one DATA_DIR", async () => {
  await using first = await ServerProcess.start({ WORKERS: "1" });
  await using second = ServerProcess.spawn({ DATA_DIR: first.dataDirectory });
  const code = await new Promise((resolve) => second.child.once("close", resolve));
  expect(code).toBe(2);
  expect(second.output).toMatch(/^DATA_DIR .* is in use by another server .*\.\n$/);
});
