/** Many at once: every seat is counted once, and who vanishes leaves nothing behind. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../../../client-sim/sdk/index.ts";
import type { RoomListing } from "../../../shared/protocol/wire.ts";
import { eventually } from "../../support/eventually.ts";
import { handshakeHead, RawClient } from "../../support/raw-client.ts";
import { ServerProcess } from "../../support/server-process.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ LOG_LEVEL: "info" });
});
afterAll(async () => {
  await server.stop();
});

async function rooms(map: string): Promise<RoomListing[]> {
  const all = await new Client(server.url, { webSocket: WebSocket }).rooms("echo");
  return all.filter(({ metadata }) => (metadata as { map: string }).map === map);
}

/** Open descriptors of the primary and its workers. */
function descriptors(): number {
  return [server.pid, ...server.workerPids].reduce(
    (sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length,
    0,
  );
}

test.each([false, true])(
  "1,000 clients that join 10-seat rooms at once fill 100 rooms exactly (in the handshake: %s)",
  async (direct) => {
    const map = `crowd ${direct}`;
    const client = new Client(server.url, { webSocket: WebSocket, direct });
    const joined = await Promise.all(
      Array.from({ length: 1_000 }, () => client.joinOrCreate("echo", { map })),
    );
    const seats = new Map<string, number>();
    for (const { roomId } of joined) seats.set(roomId, (seats.get(roomId) ?? 0) + 1);
    expect(seats.size).toBe(100);
    expect([...seats.values()].every((count) => count === 10)).toBe(true);
    expect(new Set(joined.map(({ sessionId }) => sessionId)).size).toBe(1_000);
    const listed = await rooms(map);
    expect(listed.map(({ clients }) => clients)).toEqual(Array(100).fill(10));
    await Promise.all(joined.map((room) => room.leave()));
    await eventually(
      () => rooms(map),
      (left) => left.length === 0,
      "rooms of those who left",
    );
  },
);

test("600 that vanish in the middle of joining leave no seat and no descriptor behind", async () => {
  const before = descriptors();
  const query = `?options=${encodeURIComponent(JSON.stringify({ map: "vanished" }))}`;
  const head = handshakeHead(`/ws/echo${query}`);
  await Promise.all(
    Array.from({ length: 600 }, async (_, index) => {
      const client = await new RawClient(server.port).connected();
      // A third is gone with half a head, a third with the whole one, a third once it is answered.
      client.socket.write(index % 3 === 0 ? head.subarray(0, index % head.length) : head);
      if (index % 3 === 2) await client.until(({ status }) => status === 101, "an answer");
      client.socket.resetAndDestroy();
    }),
  );
  await eventually(
    () => rooms("vanished"),
    (left) => left.length === 0,
    "rooms of those who vanished",
  );
  await eventually(descriptors, (now) => now <= before, `descriptors, of ${before}`);
  const { clients } = (await (await fetch(`${server.url}/info`)).json()) as { clients: number };
  expect(clients).toBe(0);
});

/** The longest queue that the system allows, whatever a server asks for. */
const SYSTEM_BACKLOG = Number(readFileSync("/proc/sys/net/core/somaxconn", "latin1"));
/** Generous: on one machine an attempt that is taken is so at once. */
const ATTEMPT_MS = 10_000;

test("1,000 that connect while the primary is busy are all taken at the first attempt", async () => {
  const count = Math.min(1_000, SYSTEM_BACKLOG);
  process.kill(server.pid, "SIGSTOP");
  const sockets = Array.from({ length: count }, () => connect({ port: server.port, host: "127.0.0.1" }));
  try {
    // Nobody who is not taken at once would be taken at all: the primary stands still until all are.
    const signal = AbortSignal.timeout(ATTEMPT_MS);
    await Promise.all(sockets.map((socket) => once(socket, "connect", { signal })));
  } finally {
    process.kill(server.pid, "SIGCONT");
    for (const socket of sockets) socket.resetAndDestroy();
  }
});
