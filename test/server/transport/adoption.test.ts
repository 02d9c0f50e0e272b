/**
 * [R5] Connections that another process has read a part of, over real sockets within this one: what the client sends
 * before its RESYNC is thrown away and what it sends after it arrives, however the network cuts it; and what ends
 * badly ends once, with nothing left behind.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { SocketHandle } from "../../../server/ipc/channel.ts";
import { LIMITS } from "../../../server/limits.ts";
import { Adoption } from "../../../server/transport/adoption.ts";
import { detachHandle } from "../../../server/transport/socket-handle.ts";
import type { WsTransport } from "../../../server/transport/ws-transport.ts";
import { assembleMessage, encodeClientValue, encodeServerValue } from "../../../shared/protocol/codec.ts";
import { ClientMessage, type ClientValue, ServerMessage } from "../../../shared/protocol/wire.ts";
import { clientFrame, frame, handshakeHead, serverFrame } from "../../support/raw-client.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { turns, UpgradeServer } from "./upgrade-server.ts";

const BINARY = 0x82;
const NONCE = 0x8294_0482;
const TAG = 0x1234_5678;
const TIMEOUT_MS = 3_000;
/** For what comes at once. */
const POLL = { interval: 1 };
const RESUME = assembleMessage([encodeServerValue([ServerMessage.RESUME, NONCE, TAG, 7])], TAG);
const RESUME_FRAME = serverFrame(BINARY, RESUME);
const RESYNC = clientFrame([ClientMessage.RESYNC, NONCE, 5, "0badcafe"]);

/** Sockets of this process, with the server's own. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
}

const handlesAtStart = openHandles();
afterEach(async () => {
  await expect.poll(openHandles, POLL).toBe(handlesAtStart);
});

/** A connection whose handshake somebody else has answered. */
type Orphan = { readonly socket: Socket; readonly handle: SocketHandle };

class Orphanage implements AsyncDisposable {
  readonly #server: UpgradeServer;
  readonly #waiting: ((handle: SocketHandle) => void)[] = [];

  private constructor(server: UpgradeServer) {
    this.#server = server;
  }

  static async open(): Promise<Orphanage> {
    const server: UpgradeServer = await UpgradeServer.start((socket, head) => {
      const detached = detachHandle(socket, head);
      if (detached !== undefined) orphanage.#waiting.shift()?.(detached.handle);
    });
    const orphanage = new Orphanage(server);
    return orphanage;
  }

  async orphan(): Promise<Orphan> {
    const socket = connect({ port: this.#server.port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    const handle = new Promise<SocketHandle>((resolve) => this.#waiting.push(resolve));
    socket.write(handshakeHead("/ws"));
    return { socket, handle: await handle };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

type Heard = { readonly eventsReceived: number; readonly schemaHash: string };

/** An adoption, and all that comes of it. */
class Adopted {
  readonly time = new SimulatedTime();
  readonly received: Buffer[] = [];
  readonly heard: Heard[] = [];
  transport: WsTransport | undefined;
  failures = 0;
  closes = 0;

  constructor(handle: SocketHandle) {
    new Adoption(handle, {
      resume: RESUME,
      nonce: NONCE,
      timeoutMs: TIMEOUT_MS,
      scheduler: this.time,
      onResynced: (transport, heard) => {
        this.transport = transport;
        this.heard.push(heard);
        transport.listen({
          onMessage: (bytes, from, end) => void this.received.push(Buffer.from(bytes.subarray(from, end))),
          onClosed: () => {
            this.closes += 1;
          },
        });
      },
      onFailed: () => {
        this.failures += 1;
      },
    });
  }
}

function messageOf(seq: number, bytes: number): ClientValue {
  return [ClientMessage.MESSAGE, seq, 0, "m", "x".repeat(bytes)];
}

/** What was under way when the owner died, and messages after the answer: small, medium and large ones. */
const BEFORE = Buffer.concat([clientFrame(messageOf(3, 20)), clientFrame(messageOf(4, 200))]);
const AFTER: readonly ClientValue[] = [
  messageOf(3, 20),
  messageOf(4, 200),
  [ClientMessage.ACK, 5],
  messageOf(5, 0),
];
const STREAM = Buffer.concat([BEFORE, RESYNC, ...AFTER.map(clientFrame)]);

/** Adopts a connection over which the rest of the stream comes in so many segments. */
async function comesThrough(orphanage: Orphanage, stream: Buffer, cuts: readonly number[]): Promise<void> {
  const { socket, handle } = await orphanage.orphan();
  const adopted = new Adopted(handle);
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), stream.length]) {
    socket.write(stream.subarray(from, to));
    from = to;
    await turns(2);
  }
  await expect.poll(() => adopted.received.length, POLL).toBe(AFTER.length);
  expect(adopted.received).toEqual(AFTER.map((value) => Buffer.from(encodeClientValue(value))));
  expect(adopted.heard).toEqual([{ eventsReceived: 5, schemaHash: "0badcafe" }]);
  expect([adopted.failures, adopted.time.pendingTimers]).toEqual([0, 0]);
  socket.destroy();
  await expect.poll(() => adopted.closes, POLL).toBe(1);
}

test("whatever part of the stream another has read: what follows RESYNC arrives, and nothing else", async () => {
  await using orphanage = await Orphanage.open();
  for (let read = 0; read <= BEFORE.length; read++) await comesThrough(orphanage, STREAM.subarray(read), []);
});

test("so it does in two segments, cut at every byte", async () => {
  await using orphanage = await Orphanage.open();
  for (let cut = 1; cut < STREAM.length; cut++) await comesThrough(orphanage, STREAM, [cut]);
});

test("and in any number of segments, behind any part that was read", async () => {
  await using orphanage = await Orphanage.open();
  const cut = fc.integer({ min: 1, max: STREAM.length - BEFORE.length - 1 });
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: BEFORE.length }), fc.array(cut, { maxLength: 8 }), async (read, cuts) => {
      await comesThrough(orphanage, STREAM.subarray(read), cuts);
    }),
    { numRuns: 100, interruptAfterTimeLimit: 10_000 },
  );
});

test("one byte after the other, and behind much that is thrown away", async () => {
  await using orphanage = await Orphanage.open();
  const tail = STREAM.subarray(BEFORE.length - 3);
  await comesThrough(
    orphanage,
    tail,
    Array.from({ length: tail.length - 1 }, (_, index) => index + 1),
  );
  const flood = Buffer.alloc(300_000, clientFrame(messageOf(9, 9_000)));
  await comesThrough(orphanage, Buffer.concat([flood, STREAM]), []);
});

test("the longest answer is found as well, one byte after the other", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const adopted = new Adopted(handle);
  const heard = { eventsReceived: 0xffff_ffff, schemaHash: "h".repeat(64) };
  const answer = clientFrame([ClientMessage.RESYNC, NONCE, heard.eventsReceived, heard.schemaHash]);
  for (const byte of Buffer.concat([BEFORE.subarray(-200), answer])) {
    socket.write(Buffer.of(byte));
    await turns(1);
  }
  await expect.poll(() => adopted.heard, POLL).toEqual([heard]);
  socket.destroy();
  await expect.poll(() => adopted.closes, POLL).toBe(1);
});

test("the client is sent RESUME, in one frame, and nothing else before it has answered", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const sent: Buffer[] = [];
  socket.on("data", (data: Buffer) => sent.push(data));
  const adopted = new Adopted(handle);
  await expect.poll(() => Buffer.concat(sent).length, POLL).toBe(RESUME_FRAME.length);
  // Neither a ping nor a close is answered while nobody knows where the stream is.
  socket.write(Buffer.concat([frame(0x89, Buffer.from("ping")), frame(0x88, Buffer.from([3, 232]))]));
  await turns(10);
  expect(Buffer.concat(sent)).toEqual(RESUME_FRAME);
  socket.write(RESYNC);
  await expect.poll(() => adopted.transport, POLL).toBeDefined();
  adopted.transport?.send(Uint8Array.of(1, 2, 3));
  socket.write(frame(0x89, Buffer.from("ping")));
  const rest = Buffer.concat([
    serverFrame(BINARY, Buffer.of(1, 2, 3)),
    serverFrame(0x8a, Buffer.from("ping")),
  ]);
  await expect.poll(() => Buffer.concat(sent), POLL).toEqual(Buffer.concat([RESUME_FRAME, rest]));
  socket.destroy();
  await expect.poll(() => adopted.closes, POLL).toBe(1);
});

test("[L1] an adopted connection has the limits of any other", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const sent: Buffer[] = [];
  socket.on("data", (data: Buffer) => sent.push(data));
  const adopted = new Adopted(handle);
  socket.write(Buffer.concat([RESYNC, frame(BINARY, Buffer.alloc(LIMITS.messageBytesMax + 1))]));
  await expect.poll(() => adopted.closes, POLL).toBe(1);
  expect(adopted.received).toEqual([]);
  const close = Buffer.concat(sent).subarray(RESUME_FRAME.length);
  expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1009]);
  socket.destroy();
});

test("an adopted connection closes in order", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const sent: Buffer[] = [];
  socket.on("data", (data: Buffer) => sent.push(data));
  const adopted = new Adopted(handle);
  socket.write(RESYNC);
  await expect.poll(() => adopted.transport, POLL).toBeDefined();
  adopted.transport?.close("KICKED");
  await expect.poll(() => Buffer.concat(sent).length, POLL).toBeGreaterThan(RESUME_FRAME.length);
  const close = Buffer.concat(sent).subarray(RESUME_FRAME.length);
  expect([close[0], close.readUInt16BE(2), close.subarray(4).toString()]).toEqual([0x88, 4440, "KICKED"]);
  const ended = once(socket, "close");
  socket.write(frame(0x88, Buffer.from([0x11, 0x58])));
  await ended;
  await expect.poll(() => adopted.closes, POLL).toBe(1);
});

test("[R5] a client that does not answer in time is closed, once", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const closed = once(socket.resume(), "close");
  const adopted = new Adopted(handle);
  const other = clientFrame([ClientMessage.RESYNC, NONCE - 1, 5, ""]);
  socket.write(Buffer.concat([BEFORE, other, BEFORE]));
  await turns(10);
  await adopted.time.advance(TIMEOUT_MS - 1);
  expect(adopted.failures).toBe(0);
  await adopted.time.advance(1);
  expect(adopted.failures).toBe(1);
  await closed;
  await adopted.time.advance(10 * TIMEOUT_MS);
  await turns(10);
  expect([adopted.failures, adopted.heard, adopted.time.pendingTimers]).toEqual([1, [], 0]);
});

test("a client that sends on and on without an answer is closed, before it has cost much", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const adopted = new Adopted(handle);
  const chunk = Buffer.alloc(64 * 1024, BINARY);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (let bytes = 0; bytes <= LIMITS.resyncBytesMax; bytes += chunk.length) socket.write(chunk);
  await expect.poll(() => adopted.failures, POLL).toBe(1);
  expect(adopted.time.pendingTimers).toBe(0);
  await closed;
  expect(adopted.failures).toBe(1);
});

test("an answer in time is not too late afterwards", async () => {
  await using orphanage = await Orphanage.open();
  const { socket, handle } = await orphanage.orphan();
  const adopted = new Adopted(handle);
  await adopted.time.advance(TIMEOUT_MS - 1);
  socket.write(RESYNC);
  await expect.poll(() => adopted.heard.length, POLL).toBe(1);
  await adopted.time.advance(10 * TIMEOUT_MS);
  expect([adopted.failures, adopted.transport?.isOpen]).toEqual([0, true]);
  socket.destroy();
  await expect.poll(() => adopted.closes, POLL).toBe(1);
  expect(adopted.failures).toBe(0);
});

test.each([
  ["ends", (socket: Socket) => void socket.end()],
  ["ends in the middle of its answer", (socket: Socket) => void socket.end(RESYNC.subarray(0, -1))],
  ["resets the connection", (socket: Socket) => void socket.resetAndDestroy()],
])("a client that %s fails the adoption once, whenever it does", async (_how, leave) => {
  await using orphanage = await Orphanage.open();
  for (const isGoneBefore of [true, false]) {
    const { socket, handle } = await orphanage.orphan();
    socket.resume();
    if (isGoneBefore) leave(socket);
    await turns(20);
    const adopted = new Adopted(handle);
    await turns(5);
    if (!isGoneBefore) leave(socket);
    await expect.poll(() => adopted.failures, POLL).toBe(1);
    await adopted.time.advance(10 * TIMEOUT_MS);
    await turns(20);
    expect([adopted.failures, adopted.heard, adopted.time.pendingTimers]).toEqual([1, [], 0]);
    socket.destroy();
  }
});

test("a client that does not read does not keep the adoption, or the process, from going on", async () => {
  await using orphanage = await Orphanage.open();
  const orphans = await Promise.all(Array.from({ length: 20 }, () => orphanage.orphan()));
  const adoptions = orphans.map(({ socket, handle }) => {
    socket.pause();
    return new Adopted(handle);
  });
  await turns(10);
  for (const adopted of adoptions) await adopted.time.advance(TIMEOUT_MS);
  expect(adoptions.map(({ failures }) => failures)).toEqual(adoptions.map(() => 1));
  for (const { socket } of orphans) socket.destroy();
});
