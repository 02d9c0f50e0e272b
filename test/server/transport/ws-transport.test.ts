/** Connections over `ws`, from a detached handle on: what sessions are promised of them. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { LIMITS } from "../../../server/limits.ts";
import { acceptUpgrade } from "../../../server/transport/accept.ts";
import { frameOf } from "../../../server/transport/frame-writer.ts";
import { detachHandle } from "../../../server/transport/socket-handle.ts";
import type { WsTransport } from "../../../server/transport/ws-transport.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { SUBPROTOCOL } from "../../../shared/protocol/wire.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { turns, UpgradeServer } from "./upgrade-server.ts";

/** One accepted connection, with its client. */
type Pair = {
  readonly time: SimulatedTime;
  readonly transport: WsTransport;
  readonly client: WebSocket;
  /** What the transport's listener was given. */
  readonly received: Buffer[];
  readonly listener: { closedCount: number };
};

/** All is closed when the test ends. */
async function open(): Promise<Pair> {
  const time = new SimulatedTime();
  const received: Buffer[] = [];
  const listener = { closedCount: 0 };
  const accepted = Promise.withResolvers<WsTransport>();
  const server = await UpgradeServer.start((socket, head, request) => {
    const detached = detachHandle(socket, head);
    if (detached === undefined) return accepted.reject(new Error("the connection is gone"));
    const { handle, rest } = detached;
    const key = String(request.headers["sec-websocket-key"]);
    const upgrade = { key, rest, schemaHash: undefined, eventsReceived: 0 };
    const transport = acceptUpgrade(handle, upgrade);
    transport.listen({
      onMessage: (bytes, from, end) => void received.push(Buffer.from(bytes.subarray(from, end))),
      onClosed: () => {
        listener.closedCount += 1;
      },
    });
    accepted.resolve(transport);
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, [SUBPROTOCOL, "ticket.x"]);
  client.on("error", () => undefined);
  const [transport] = await Promise.all([accepted.promise, once(client, "open")]);
  onTestFinished(async () => {
    client.terminate();
    transport.terminate();
    await server[Symbol.asyncDispose]();
  });
  return { time, transport, client, received, listener };
}

/** Waits for the client's end. @returns close code and reason */
async function closed({ client }: Pair): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(client, "close")) as [number, Buffer];
  return [code, reason.toString()];
}

function socketOf({ client }: Pair): Socket {
  return (client as unknown as { readonly _socket: Socket })._socket;
}

test("[H3] the handshake chooses the subprotocol and no extension", async () => {
  const { client } = await open();
  expect(client.protocol).toBe(SUBPROTOCOL);
  expect(client.extensions).toBe("");
});

test("[F1] messages go both ways, binary, one for one", async () => {
  const { client, transport, received } = await open();
  client.send(Buffer.from([1, 2, 3]));
  client.send(Buffer.alloc(LIMITS.messageBytesMax, 7));
  await expect.poll(() => received.length).toBe(2);
  expect([...(received[0] ?? [])]).toEqual([1, 2, 3]);
  expect(received[1]).toHaveLength(LIMITS.messageBytesMax);
  const answers: [Buffer, boolean][] = [];
  client.on("message", (data: Buffer, isBinary: boolean) => answers.push([data, isBinary]));
  transport.send(Uint8Array.of(4, 5));
  transport.send(Uint8Array.of(6));
  await expect.poll(() => answers.length).toBe(2);
  expect(answers.map(([data, isBinary]) => [[...data], isBinary])).toEqual([
    [[4, 5], true],
    [[6], true],
  ]);
});

test("[F1] text is refused", async () => {
  const pair = await open();
  pair.client.send("text");
  expect(await closed(pair)).toEqual([ERRORS.PROTOCOL_ERROR.close, "PROTOCOL_ERROR"]);
  expect(pair.received).toEqual([]);
});

test("[L1] a message that is too large, or in too many fragments, ends the connection with ws' own codes", async () => {
  const large = await open();
  large.client.send(Buffer.alloc(LIMITS.messageBytesMax + 1));
  expect((await closed(large))[0]).toBe(1009);
  const pieces = await open();
  for (let index = 0; index <= LIMITS.messageFragmentsMax; index++)
    pieces.client.send(Buffer.of(0), { fin: false });
  expect((await closed(pieces))[0]).toBe(1008);
});

test("[C1] closing tells the code and its name, and sends what was written before", async () => {
  const pair = await open();
  const messages: Buffer[] = [];
  pair.client.on("message", (data: Buffer) => messages.push(data));
  const socket = socketOf(pair);
  const { bytesRead } = socket;
  pair.transport.send(Uint8Array.of(1));
  pair.transport.close("KICKED");
  pair.transport.send(Uint8Array.of(2));
  pair.transport.sendFrame(frameOf(Uint8Array.of(3)));
  pair.transport.close("ROOM_CLOSED");
  expect(pair.listener.closedCount).toBe(0);
  expect(await closed(pair)).toEqual([ERRORS.KICKED.close, "KICKED"]);
  expect(messages.map((data) => [...data])).toEqual([[1]]);
  // Nothing is behind the close: two frames have come, with heads of 2 bytes, and a code of 2.
  expect(socket.bytesRead - bytesRead).toBe(2 + 1 + 2 + 2 + "KICKED".length);
  await expect.poll(() => pair.listener.closedCount).toBe(1);
  await turns(5);
  expect(pair.listener.closedCount).toBe(1);
});

test("the end is told once, also to who asks only after it", async () => {
  const pair = await open();
  let others = 0;
  pair.transport.onceClosed(() => {
    others += 1;
  });
  pair.client.terminate();
  await expect.poll(() => pair.listener.closedCount).toBe(1);
  expect(others).toBe(1);
  let late = 0;
  pair.transport.listen({
    onMessage: () => undefined,
    onClosed: () => {
      late += 1;
    },
  });
  expect(late).toBe(0);
  await turns(1);
  expect(late).toBe(1);
});

test("a connection that the client ends without a closing handshake is ended", async () => {
  const pair = await open();
  const socket = socketOf(pair);
  socket.end();
  await once(socket, "close");
  await expect.poll(() => pair.listener.closedCount).toBe(1);
  expect(pair.transport.isOpen).toBe(false);
  // And what is asked of it then changes nothing, and leaves nothing to be waited for.
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const timersBefore = timers();
  pair.transport.send(Uint8Array.of(1));
  pair.transport.close("KICKED");
  pair.transport.terminate();
  expect(timers()).toBe(timersBefore);
  await turns(5);
  expect(pair.listener.closedCount).toBe(1);
});

test("what the client does not read is counted, and cut off with the connection", async () => {
  const pair = await open();
  expect(pair.transport.bufferedBytes).toBe(0);
  pair.client.pause();
  const chunk = new Uint8Array(256 * 1024);
  for (let count = 0; count < 64; count++) pair.transport.send(chunk);
  await turns(20);
  expect(pair.transport.bufferedBytes).toBeGreaterThan(0);
  pair.transport.close("SLOW_CLIENT");
  pair.transport.terminate();
  await expect.poll(() => pair.listener.closedCount).toBe(1);
});

test("an answer of ws' own that waits behind what is not read is counted, too", async () => {
  const pair = await open();
  pair.client.pause();
  const chunk = new Uint8Array(256 * 1024);
  while (pair.transport.bufferedBytes === 0) pair.transport.send(chunk);
  const waiting = pair.transport.bufferedBytes;
  pair.client.ping("?");
  // The system has all that it takes, so the PONG waits: a head of 2 bytes and what was asked.
  await expect.poll(() => pair.transport.bufferedBytes).toBe(waiting + 2 + 1);
});

test("a client that does not answer the closing handshake is not waited for", async () => {
  const pair = await open();
  pair.client.pause();
  const startMs = performance.now();
  pair.transport.close("KICKED");
  await expect.poll(() => pair.listener.closedCount, { timeout: 2 * LIMITS.closeTimeoutMs }).toBe(1);
  expect(performance.now() - startMs).toBeGreaterThan(LIMITS.closeTimeoutMs - 100);
});

test("it is told once whether a message has come", async () => {
  const { transport, client, received } = await open();
  expect([transport.takeHeard(), transport.takeHeard()]).toEqual([true, false]);
  client.send(Buffer.of(1));
  client.send(Buffer.of(2));
  await expect.poll(() => received.length).toBe(2);
  expect([transport.takeHeard(), transport.takeHeard()]).toEqual([true, false]);
});

test.each(["send", "sendFrame"] as const)(
  "messages of every length arrive as they were sent, and the same bytes again (%s)",
  async (how) => {
    const pair = await open();
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
    const messages = lengths.map((length) => new Uint8Array(length).map((_, index) => index * 7));
    const heard: Buffer[] = [];
    pair.client.on("message", (data: Buffer) => void heard.push(data));
    const sent = messages.flatMap((message) => [message, message, messages[1] ?? message]);
    const frames = new Map(messages.map((message) => [message, frameOf(message)]));
    for (const message of sent)
      pair.transport[how](how === "send" ? message : (frames.get(message) ?? message));
    await expect.poll(() => heard.length).toBe(sent.length);
    expect(heard.map((data) => Uint8Array.from(data))).toEqual(sent);
  },
);

test("fragments, pings and plain messages are all answered or heard, in their order", async () => {
  const pair = await open();
  const pongs: string[] = [];
  pair.client.on("pong", (data) => void pongs.push(data.toString()));
  pair.client.send(Buffer.of(1));
  pair.client.send(Buffer.of(2, 2), { fin: false });
  pair.client.ping("between");
  pair.client.send(Buffer.of(3, 3), { fin: true });
  pair.client.send(Buffer.of(4));
  await expect.poll(() => pair.received.length).toBe(3);
  expect(pair.received.map((data) => [...data])).toEqual([[1], [2, 2, 3, 3], [4]]);
  await expect.poll(() => pongs).toEqual(["between"]);
});
