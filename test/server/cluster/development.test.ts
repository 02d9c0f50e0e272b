/** What the server does in development only: it kills the worker that runs a room, for who wants to see that. */
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../../../client-sim/sdk/index.ts";
import { EchoState } from "../../support/rooms/echo.ts";
import { ServerProcess } from "../../support/server-process.ts";

const echo = { state: EchoState };
const DEVELOPMENT = { NODE_ENV: "development" };

function create(server: ServerProcess) {
  return new Client(server.url, { webSocket: WebSocket }).create("echo", {}, echo);
}

async function requestKill(server: ServerProcess, roomId: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/dev/kill-worker/${roomId}`, { method: "POST", headers });
  return { status: response.status, body: (await response.json()) as object };
}

async function saysDevelopment(server: ServerProcess): Promise<unknown> {
  const info = (await (await fetch(`${server.url}/info`)).json()) as { isDevelopment: unknown };
  return info.isDevelopment;
}

describe("POST /dev/kill-worker", () => {
  test("kills the worker that runs the room and no other; the room goes on", async () => {
    await using server = await ServerProcess.start(DEVELOPMENT);
    expect(await saysDevelopment(server)).toBe(true);
    const room = await create(server);
    const { pid } = await server.line(({ msg, roomId }) => msg === "room created" && roomId === room.roomId);
    const workers = server.workerPids;
    const moved = new Promise<void>((resolve) => room.onMove(resolve));
    const exited = server.nextLine(({ msg }) => msg === "worker exited");

    expect(await requestKill(server, room.roomId)).toEqual({ status: 200, body: { workerPid: pid } });
    expect((await exited).signal).toBe("SIGKILL");
    await moved;
    await server.line(() => server.workerPids.length === workers.length + 1);
    expect(server.lines.filter(({ msg }) => msg === "worker exited")).toHaveLength(1);
    expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
    for (const other of workers) if (other !== pid) expect(process.kill(other, 0)).toBe(true);
    await room.leave();
  });

  test("is refused to pages from elsewhere, even those that may join, and for a room that is not there", async () => {
    const elsewhere = "https://game.example";
    await using server = await ServerProcess.start({ ...DEVELOPMENT, ALLOWED_ORIGINS: elsewhere });
    const room = await create(server);
    const refused = { status: 403, body: { error: { code: "ORIGIN_REFUSED" } } };
    for (const Origin of [elsewhere, "https://evil.example", "null"]) {
      expect(await requestKill(server, room.roomId, { Origin })).toMatchObject(refused);
    }
    const own = { Origin: server.url };
    expect(await requestKill(server, "nosuchroom", own)).toMatchObject({
      status: 404,
      body: { error: { code: "ROOM_NOT_FOUND" } },
    });
    const get = await fetch(`${server.url}/dev/kill-worker/${room.roomId}`);
    expect(get.status).toBe(404);
    expect(server.lines.some(({ msg }) => msg === "worker is killed on request")).toBe(false);
    expect((await requestKill(server, room.roomId, own)).status).toBe(200);
  });

  test("is refused without worker processes", async () => {
    await using server = await ServerProcess.start({ ...DEVELOPMENT, WORKERS: "0" });
    const room = await create(server);
    expect(await requestKill(server, room.roomId)).toEqual({
      status: 400,
      body: {
        error: {
          code: "BAD_REQUEST",
          message: "With WORKERS=0 there is no worker process to kill.",
        },
      },
    });
    await room.leave();
  });

  test("is not there in production", async () => {
    await using server = await ServerProcess.start({ NODE_ENV: "production" });
    expect(await saysDevelopment(server)).toBe(false);
    const room = await create(server);
    expect(await requestKill(server, room.roomId)).toMatchObject({
      status: 404,
      body: { error: { code: "NOT_FOUND" } },
    });
    await room.leave();
  });
});
