/** Failing rooms, dying and hanging workers, shutdown: with real processes. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { nextMessage } from "../../support/next-message.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { ServerProcess } from "../../support/server-process.ts";

type EchoRoom = Room<typeof EchoState>;
const echo = { state: EchoState };

function clientOf(server: ServerProcess): Client {
  return new Client(server.url, { webSocket: WebSocket });
}

/** Rooms of their own, as many as it takes that both workers have some. */
async function roomsOnBothWorkers(server: ServerProcess): Promise<[EchoRoom, EchoRoom]> {
  const client = clientOf(server);
  const byWorker = new Map<string, EchoRoom>();
  for (let index = 0; byWorker.size < 2; index++) {
    const room = await client.joinOrCreate("echo", { map: `own ${index}` }, echo);
    const created = await server.line(({ msg, roomId }) => msg === "room created" && roomId === room.roomId);
    byWorker.set(created.process, room);
  }
  const [first, second] = byWorker.values();
  if (first === undefined || second === undefined) throw new Error("two workers were expected");
  return [first, second];
}

async function pidOf(server: ServerProcess, roomId: string): Promise<number> {
  const created = await server.line((line) => line.msg === "room created" && line.roomId === roomId);
  return Number(created.pid);
}

/** The next so many states of a room, by tick number. */
async function ticks(room: EchoRoom, count: number): Promise<number[]> {
  const { promise, resolve } = Promise.withResolvers<number[]>();
  const seen: number[] = [];
  const stop = room.onState(({ tick }) => {
    if (seen.push(tick) === count) resolve(seen);
  });
  return await promise.finally(stop);
}

/** No state is missing. A room may send one for two ticks when its server has said that it cannot keep up. */
function expectAll(ticks: readonly number[], server: ServerProcess): void {
  const isSlowed = server.lines.some(({ msg }) => msg.includes("has changed the pace of the room"));
  const gaps = ticks.slice(1).map((tick, index) => tick - (ticks[index] ?? 0));
  expect(gaps.filter((gap) => gap !== 1 && !(isSlowed && gap === 2))).toEqual([]);
}

describe("an exception in a room", () => {
  test("ends that room alone; its neighbours do not miss a tick", async () => {
    await using server = await ServerProcess.start({ WORKERS: "1" });
    const client = clientOf(server);
    const neighbours = await Promise.all(
      [1, 2, 3].map((n) => client.create("echo", { map: `neighbour ${n}` }, echo)),
    );
    const failing = await client.create("echo", {}, { ...echo, rejoin: false });
    const observed = Promise.all(neighbours.map((room) => ticks(room, 40)));
    const left = new Promise<number>((resolve) => failing.onLeave(resolve));
    failing.send("fail");
    expect(await left).toBe(ERRORS.ROOM_ERROR.close);
    const line = await server.line(({ level }) => level === 50);
    expect(line).toMatchObject({
      msg: 'the room failed in "message"',
      roomId: failing.roomId,
      event: "message",
    });
    expect((line.err as { stack: string }).stack).toContain("asked to fail");
    expect((line.err as { stack: string }).stack).toContain("echo.ts");
    for (const seen of await observed) expectAll(seen, server);
    expect(server.lines.filter(({ msg }) => msg === "worker ready")).toHaveLength(1);
  });

  test("in onCreate or onJoin is told to who joins", async () => {
    await using server = await ServerProcess.start({ WORKERS: "1" });
    const client = clientOf(server);
    await expect(client.create("echo", { failOnCreate: true }, echo)).rejects.toMatchObject({
      code: "ROOM_CREATE_FAILED",
    });
    await expect(client.create("echo", { failOnJoin: true }, echo)).rejects.toMatchObject({
      code: "ROOM_ERROR",
    });
  });
});

describe("a worker", () => {
  test("that is killed or stopped is replaced, and the other notices nothing", async () => {
    // Long enough that the other is not taken for hung on a busy machine.
    await using server = await ServerProcess.start({ HANG_TIMEOUT_MS: "2000" });
    const [doomed, other] = await roomsOnBothWorkers(server);
    const observed = ticks(other, 80);
    process.kill(await pidOf(server, doomed.roomId), "SIGSTOP");
    const killed = await server.line(({ msg }) => msg === "worker is silent and is killed");
    expect(killed.pid).toBe(await pidOf(server, doomed.roomId));
    await server.line(() => server.workerPids.length === 3);
    expectAll(await observed, server);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test("that cannot start makes the server give up with code 1", async () => {
    const main = new URL("../../support/broken-main.ts", import.meta.url).pathname;
    await using server = ServerProcess.spawn({ WORKERS: "1" }, main);
    await server.line(({ msg }) => msg === "no worker can be started", 30_000);
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 1 });
    const { err } = await server.line(({ msg }) => msg === "the worker cannot start");
    expect(err).toMatchObject({
      message: expect.stringMatching(
        /^The module of room type "broken" cannot be loaded: this module is broken/,
      ),
    });
  });
});

describe("SIGTERM", () => {
  test.each(["2", "0"])("tells rooms and clients and ends with 0 (WORKERS=%s)", async (WORKERS) => {
    await using server = await ServerProcess.start({ WORKERS });
    const room = await clientOf(server).create("echo", {}, { ...echo, rejoin: false });
    const lastWords = nextMessage(room, "last words");
    const left = new Promise<number>((resolve) => room.onLeave(resolve));
    const startedAtMs = performance.now();
    const stopped = server.stop();
    expect(await lastWords).toBe("goodbye");
    expect(await left).toBe(ERRORS.SERVER_SHUTTING_DOWN.close);
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  test("while clients do not answer still ends in time, and is unready and refuses joins meanwhile", async () => {
    await using server = await ServerProcess.start();
    const sockets: WebSocket[] = [];
    class Mute extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    await new Client(server.url, { webSocket: Mute }).create("echo", {}, { ...echo, rejoin: false });
    for (const socket of sockets) socket.pause();
    const shuttingDown = server.nextLine(({ msg }) => msg === "draining");
    const stopped = server.stop();
    await shuttingDown;
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    const refused = await fetch(`${server.url}/join/echo`, { method: "POST" });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: "SERVER_SHUTTING_DOWN" } });
    expect(await stopped).toEqual({ code: 0, signal: null });
    for (const socket of sockets) socket.terminate();
  });

  test("twice ends the server at once", async () => {
    await using server = await ServerProcess.start();
    const room = await clientOf(server).create("echo", {}, { ...echo, rejoin: false });
    const worker = await pidOf(server, room.roomId);
    // A worker that cannot finish: the first signal alone would take DRAIN_TIMEOUT_MS.
    process.kill(worker, "SIGSTOP");
    const first = server.nextLine(({ msg }) => msg === "shutting down");
    const stopped = server.stop();
    await first;
    const secondAtMs = performance.now();
    server.child.kill("SIGTERM");
    expect(await stopped).toMatchObject({ code: 1 });
    expect(performance.now() - secondAtMs).toBeLessThan(2_000);
    process.kill(worker, "SIGKILL");
  });
});

describe("configuration", () => {
  test.each([
    ["PORT", "http"],
    ["WORKERS", "-1"],
    ["LOG_LEVEL", "loud"],
    ["ALLOWED_ORIGINS", "game.example"],
    ["TICKET_SECRET", "short"],
  ])("%s=%s stops the start with one sentence that names it", async (name, value) => {
    await using server = ServerProcess.spawn({ [name]: value });
    expect(await endOf(server)).toBe(2);
    expect(server.output).toMatch(new RegExp(`^${name} .*\\.\n$`));
  });

  test("of a port that is taken ends the start with a sentence that names it", async () => {
    await using first = await ServerProcess.start({ WORKERS: "1" });
    await using second = ServerProcess.spawn({ PORT: String(first.port) });
    expect(await endOf(second)).toBe(1);
    expect(second.output).toMatch(new RegExp(`^PORT ${first.port}, HOST 127.0.0.1: .*EADDRINUSE.*\n$`));
  });
});

/** @returns the exit code, when all output is there as well */
async function endOf({ child }: ServerProcess): Promise<number | null> {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

test("WORKERS=0 runs everything in one process", async () => {
  await using server = await ServerProcess.start({ WORKERS: "0" });
  const room = await clientOf(server).create("echo", {}, echo);
  const echoed = nextMessage(room, "echo");
  room.send("echo", "here");
  expect(await echoed).toBe("here");
  const created = await server.line(({ msg }) => msg === "room created");
  expect(created.pid).toBe(server.pid);
  await room.leave();
});
