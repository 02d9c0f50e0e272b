/**
 * The semi-internal parts of Node that hand-offs rely on, with real sockets in one process: every byte that the client
 * sends arrives, whenever it comes; a peer that has gone is noticed; and no handle is left behind.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { SocketHandle } from "../../../server/ipc/channel.ts";
import { acceptUpgrade } from "../../../server/transport/accept.ts";
import { attachSocket, detachHandle, readBy } from "../../../server/transport/socket-handle.ts";
import { handshakeHead } from "../../support/raw-client.ts";
import { turns, UpgradeServer } from "./upgrade-server.ts";

const HEAD = handshakeHead("/ws");
const NOTHING_HEARD = { schemaHash: undefined, eventsReceived: 0 };
const BODY = Buffer.from(Array.from({ length: 80 }, (_, index) => index));

/** Sockets of this process, with the server's own. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
}

const handlesAtStart = openHandles();
afterEach(async () => {
  await expect.poll(openHandles).toBe(handlesAtStart);
});

async function client(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function writeInPieces(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    socket.write(bytes.subarray(from, to));
    from = to;
    await turns(3);
  }
}

/** What comes in on a socket until there are so many bytes. */
async function read(
  handle: SocketHandle,
  socket: Socket,
  count: number,
  before: Uint8Array,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [before];
  let length = before.length;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => {
    if (length >= count) resolve();
  };
  readBy(handle, {
    read: (bytes, byteCount) => {
      pieces.push(bytes.slice(0, byteCount));
      length += byteCount;
      check();
    },
  });
  socket.resume();
  socket.on("close", () => reject(new Error(`closed after ${length} of ${count} bytes`)));
  check();
  await promise;
  return Buffer.concat(pieces);
}

/** Passes one connection on: detached so many turns after its head has come, attached so many turns later. */
async function passOn(cuts: readonly number[], turnsBefore: number, turnsBetween: number): Promise<Buffer> {
  const received = Promise.withResolvers<Buffer>();
  await using server = await UpgradeServer.start(async (socket, head) => {
    if (turnsBefore > 0) await turns(turnsBefore);
    const detached = detachHandle(socket, head);
    if (detached === undefined) return received.reject(new Error("the connection is gone"));
    await turns(turnsBetween);
    const attached = attachSocket(detached.handle);
    const all = read(detached.handle, attached, BODY.length, detached.rest);
    received.resolve(all.finally(() => attached.destroy()));
  });
  const socket = await client(server.port);
  await writeInPieces(socket, Buffer.concat([HEAD, BODY]), cuts);
  return await received.promise.finally(() => socket.destroy());
}

test("bytes cut anywhere arrive whole, whenever the handle is let go and taken up", async () => {
  const cut = fc.integer({ min: 1, max: HEAD.length + BODY.length - 1 });
  const someTurns = fc.nat({ max: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 4 }), someTurns, someTurns, async (cuts, before, between) => {
      expect(await passOn(cuts, before, between)).toEqual(BODY);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 20_000 },
  );
});

test("so do bytes that come one by one around the end of the head, before anybody reads", async () => {
  const cuts = Array.from({ length: 40 }, (_, index) => HEAD.length - 5 + index);
  for (const before of [0, 20]) {
    for (const between of [0, 1, 2, 50, 150]) expect(await passOn(cuts, before, between)).toEqual(BODY);
  }
});

test("an attached socket reads nothing until it is resumed, and writes at once", async () => {
  const attached = Promise.withResolvers<{ handle: SocketHandle; passed: Socket }>();
  await using server = await UpgradeServer.start((socket, head) => {
    const { handle } = detachHandle(socket, head) ?? {};
    if (handle !== undefined) attached.resolve({ handle, passed: attachSocket(handle) });
  });
  const socket = await client(server.port);
  socket.write(HEAD);
  const { handle, passed } = await attached.promise;
  const { bytesRead } = passed;
  socket.write(BODY);
  await turns(20);
  expect(passed.bytesRead).toBe(bytesRead);
  passed.write("hello");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toBe("hello");
  expect(await read(handle, passed, BODY.length, Buffer.alloc(0))).toEqual(BODY);
  passed.destroy();
  socket.destroy();
});

test("of a peer that has gone before, there is nothing to detach", async () => {
  const result = Promise.withResolvers<unknown>();
  await using server = await UpgradeServer.start((socket, head) => {
    socket.once("close", () => result.resolve(detachHandle(socket, head)));
    socket.resume();
  });
  const socket = await client(server.port);
  socket.write(HEAD);
  await turns(10);
  socket.resetAndDestroy();
  expect(await result.promise).toBeUndefined();
});

test.each([
  ["ends", (socket: Socket) => void socket.end()],
  ["resets the connection", (socket: Socket) => void socket.resetAndDestroy()],
])("a peer that %s while its handle is under way is noticed", async (_how, leave) => {
  const detached = Promise.withResolvers<{ handle: SocketHandle; rest: Uint8Array }>();
  await using server = await UpgradeServer.start((socket, head) => {
    const result = detachHandle(socket, head);
    if (result === undefined) detached.reject(new Error("the connection is gone"));
    else detached.resolve(result);
  });
  const socket = await client(server.port);
  socket.write(HEAD);
  const { handle, rest } = await detached.promise;
  leave(socket);
  await turns(20);
  const upgrade = { key: "AAAAAAAAAAAAAAAAAAAAAA==", rest, ...NOTHING_HEARD };
  const transport = acceptUpgrade(handle, upgrade);
  await new Promise<void>((resolve) => {
    transport.listen({ onMessage: () => undefined, onClosed: resolve });
  });
  socket.destroy();
});

test("a handle that is never taken up is closed by who has it", async () => {
  const handles: SocketHandle[] = [];
  await using server = await UpgradeServer.start((socket, head) => {
    const detached = detachHandle(socket, head);
    if (detached !== undefined) handles.push(detached.handle);
  });
  const sockets = await Promise.all(Array.from({ length: 20 }, () => client(server.port)));
  for (const socket of sockets) socket.write(HEAD);
  await expect.poll(() => handles.length).toBe(20);
  expect(openHandles()).toBeGreaterThanOrEqual(handlesAtStart + 40);
  const closed = sockets.map((socket) => once(socket.resume(), "close"));
  for (const handle of handles) handle.close();
  await Promise.all(closed);
});

test("what is said later in the turn in which a handshake is answered travels along with the answer", async () => {
  const waiting: number[] = [];
  await using server = await UpgradeServer.start((socket, head) => {
    const detached = detachHandle(socket, head);
    if (detached === undefined) throw new Error("the connection is gone");
    const upgrade = { key: "dGhlIHNhbXBsZSBub25jZQ==", rest: detached.rest, ...NOTHING_HEARD };
    const transport = acceptUpgrade(detached.handle, upgrade);
    // As a room does that steps when somebody joins.
    setImmediate(() => {
      waiting.push(transport.bufferedBytes);
      transport.send(Uint8Array.of(1, 2, 3));
    });
  });
  const socket = await client(server.port);
  socket.write(HEAD);
  const [first] = (await once(socket, "data")) as [Buffer];
  const answer = first.toString("latin1");
  expect(answer).toMatch(/^HTTP\/1\.1 101 /);
  // The example of RFC 6455, section 1.3.
  expect(answer).toContain("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  expect([...first.subarray(-5)]).toEqual([0x82, 3, 1, 2, 3]);
  expect(waiting).toEqual([first.length - 5]);
  socket.destroy();
});
