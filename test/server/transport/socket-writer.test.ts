/** Writing past a socket's stream, with real sockets: in order with what goes through it, and with its ends. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SocketWriter } from "../../../server/transport/socket-writer.ts";

const CHUNK_BYTES = 1024 * 1024;
/** The kernel holds less than so many for a reader that does not read. */
const CHUNKS_MAX = 64;

let socket: Socket;
let peer: Socket;
let writer: SocketWriter;
let errors: NodeJS.ErrnoException[];
let received: Buffer[];

beforeEach(async () => {
  const server = createServer({ noDelay: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  peer = connect(address.port, "127.0.0.1");
  peer.on("error", () => undefined);
  [socket] = (await accepted) as [Socket];
  server.close();
  errors = [];
  received = [];
  socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error));
  writer = new SocketWriter(socket);
});

afterEach(() => {
  socket.destroy();
  peer.destroy();
});

function readAll(): void {
  peer.on("data", (bytes: Buffer) => received.push(bytes));
}

async function all(bytes: number): Promise<Buffer> {
  const count = () => received.reduce((sum, { length }) => sum + length, 0);
  while (count() < bytes) await once(peer, "data");
  return Buffer.concat(received);
}

const PERIOD = Uint8Array.from({ length: 251 }, (_, index) => index);
const PATTERN = Buffer.alloc((CHUNKS_MAX + 32) * CHUNK_BYTES, PERIOD);

/** Bytes that tell where they belong. */
function piece(from: number, bytes: number): Buffer {
  const start = from % PERIOD.length;
  return PATTERN.subarray(start, start + bytes);
}

/** Writes until something waits. @returns how many bytes that were */
function fill(): number {
  let written = 0;
  for (; writer.bufferedBytes === 0 && written < CHUNKS_MAX * CHUNK_BYTES; written += CHUNK_BYTES)
    writer.write(piece(written, CHUNK_BYTES));
  expect(writer.bufferedBytes).toBeGreaterThan(0);
  return written;
}

/** Unlike `once`, with an error before it as well. */
function closed(of: Socket): Promise<void> {
  return new Promise((resolve) => void of.once("close", () => resolve()));
}

test("what the system takes at once does not touch the stream", async () => {
  const stream = vi.spyOn(socket, "write");
  readAll();
  for (let from = 0; from < 1_000; from += 10) {
    writer.write(piece(from, 10));
    expect(writer.bufferedBytes).toBe(0);
  }
  expect(await all(1_000)).toEqual(piece(0, 1_000));
  expect(stream).not.toHaveBeenCalled();
});

test("what a slow reader does not take waits, is counted, and comes in order", async () => {
  const stream = vi.spyOn(socket, "write");
  const written = fill();
  const waiting = writer.bufferedBytes;
  writer.write(piece(written, 1_000));
  expect(writer.bufferedBytes).toBe(waiting + 1_000);
  readAll();
  expect(Buffer.compare(await all(written + 1_000), piece(0, written + 1_000))).toBe(0);
  await expect.poll(() => writer.bufferedBytes).toBe(0);
  expect(stream).not.toHaveBeenCalled();
  // And as before after that.
  writer.write(piece(0, 10));
  expect(writer.bufferedBytes).toBe(0);
});

test("what the stream holds goes first", async () => {
  readAll();
  socket.cork();
  socket.write(piece(0, 100));
  writer.write(piece(100, 100));
  expect(writer.bufferedBytes).toBe(200);
  socket.uncork();
  writer.write(piece(200, 100));
  expect(await all(300)).toEqual(piece(0, 300));
});

test("the stream is not looked at once it holds nothing, until it is shared", async () => {
  const looks = vi.spyOn(socket, "writableLength", "get");
  readAll();
  writer.write(piece(0, 10));
  expect(looks).toHaveBeenCalledTimes(1);
  writer.write(piece(10, 10));
  expect(writer.bufferedBytes).toBe(0);
  expect(looks).toHaveBeenCalledTimes(1);
  writer.share();
  socket.cork();
  socket.write(piece(20, 10));
  writer.write(piece(30, 10));
  expect(writer.bufferedBytes).toBe(20);
  socket.uncork();
  writer.write(piece(40, 10));
  expect(await all(50)).toEqual(piece(0, 50));
});

test("whatever goes through the stream meanwhile, bytes come in the order of the calls", async () => {
  const call = fc.record({
    how: fc.constantFrom("writer", "stream", "cork", "uncork", "turn"),
    bytes: fc.integer({ min: 1, max: 100_000 }),
  });
  readAll();
  writer.share();
  let behind = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 25 }), async (calls) => {
      received = [];
      peer.pause();
      let sent = fill();
      for (const { how, bytes } of calls) {
        if (how === "cork") socket.cork();
        else if (how === "uncork") socket.uncork();
        else if (how === "turn") await new Promise(setImmediate);
        else {
          const next = piece(sent, bytes);
          if (how === "stream" && writer.bufferedBytes > socket.writableLength) behind += 1;
          if (how === "writer") writer.write(next);
          else socket.write(next);
          sent += bytes;
        }
      }
      while (socket.writableCorked > 0) socket.uncork();
      peer.resume();
      expect(Buffer.compare(await all(sent), piece(0, sent))).toBe(0);
      await expect.poll(() => writer.bufferedBytes).toBe(0);
    }),
    { numRuns: 20 },
  );
  expect(errors).toEqual([]);
  // Through the stream, behind what had gone past it and waited.
  expect(behind).toBeGreaterThan(10);
});

describe("the end", () => {
  test("comes after what waits", async () => {
    const written = fill();
    socket.end();
    readAll();
    await once(peer, "end");
    expect(Buffer.concat(received).length).toBe(written);
    expect(errors).toEqual([]);
  });

  test("by the peer destroys the socket, with the error of the write that met it", async () => {
    fill();
    const gone = closed(socket);
    peer.resetAndDestroy();
    await gone;
    expect(errors).toMatchObject([{ code: "ECONNRESET", syscall: "write" }]);
    expect(writer.bufferedBytes).toBe(0);
  });

  test("that is met at once does the same, and a write after it nothing", async () => {
    const isGone = closed(peer);
    peer.resetAndDestroy();
    await isGone;
    // Whether the reset has come by now or not, one of these meets it.
    const gone = closed(socket);
    while (!socket.destroyed) {
      writer.write(piece(0, 10));
      await new Promise(setImmediate);
    }
    await gone;
    expect(errors).toMatchObject([{ syscall: "write" }]);
    // Whether its handle is still being closed or is no more.
    for (let turn = 0; turn < 5; turn += 1) {
      writer.write(piece(0, 10));
      await new Promise(setImmediate);
    }
    expect(errors).toHaveLength(1);
  });

  test("by this side cuts off what waits", async () => {
    fill();
    socket.destroy();
    await closed(socket);
    await expect.poll(() => writer.bufferedBytes).toBe(0);
    expect(errors).toEqual([]);
  });
});
