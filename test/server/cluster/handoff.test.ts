/**
 * The hand-off of a connection from the primary to a worker loses no byte, however the client cuts its handshake and
 * its first frames, and whatever comes early. Covers the semi-internal surface in server/transport/socket-handle.ts.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { clientFrame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import { ServerProcess } from "../../support/server-process.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(async () => {
  await server.stop();
});

/** Long enough for the server to have read what was written before. */
const GAP_MS = 3;
const AT_ONCE = 50;

function early(text: string): Buffer {
  return clientFrame([ClientMessage.MESSAGE, 1, 0, "echo", text]);
}

async function echoesWhatComesIn(pieces: readonly Buffer[], text: string): Promise<void> {
  const client = await new RawClient(server.port).connected();
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await delay(GAP_MS);
    client.socket.write(piece);
  }
  expect(await client.event("echo")).toBe(text);
  client.socket.end(clientFrame([ClientMessage.LEAVE]));
}

async function inBatches<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    await Promise.all(items.slice(start, start + AT_ONCE).map(run));
  }
}

test("a handshake and a first frame cut at every byte arrive whole", async () => {
  const length = handshakeHead("/ws/echo").length + early("cut 999").length;
  const cuts = Array.from({ length: length - 1 }, (_, index) => index + 1);
  await inBatches(cuts, async (cut) => {
    const text = `cut ${String(cut).padStart(3, "0")}`;
    const bytes = Buffer.concat([handshakeHead("/ws/echo"), early(text)]);
    await echoesWhatComesIn([bytes.subarray(0, cut), bytes.subarray(cut)], text);
  });
});

test("head and frames in one segment arrive whole", async () => {
  const runs = Array.from({ length: 50 }, (_, index) => `one segment ${index}`);
  await inBatches(runs, (text) =>
    echoesWhatComesIn([Buffer.concat([handshakeHead("/ws/echo"), early(text)])], text),
  );
});

test("frames sent one by one before the handshake is answered arrive in order", async () => {
  const client = await new RawClient(server.port).connected();
  client.socket.write(handshakeHead("/ws/echo"));
  const texts = Array.from({ length: 20 }, (_, index) => `early ${index}`);
  for (const [index, text] of texts.entries()) {
    client.socket.write(clientFrame([ClientMessage.MESSAGE, index + 1, 0, "echo", text]));
    await delay(1);
  }
  await client.until(
    ({ values }) => values.filter(([, name]) => name === "echo").length === texts.length,
    "all echoes",
  );
  expect(client.values.filter(([, name]) => name === "echo").map(([, , payload]) => payload)).toEqual(texts);
  client.socket.destroy();
});

test("a head that comes byte by byte is answered", async () => {
  const head = handshakeHead("/ws/echo");
  const pieces = Array.from(head, (byte) => Buffer.from([byte]));
  await echoesWhatComesIn([...pieces, early("slow")], "slow");
});
