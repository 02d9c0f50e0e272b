/**
 * Handles are passed to a process without waiting for each to be acknowledged, and each arrives with its message. Covers
 * the semi-internal part of Node that `handleSender` relies on.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { SocketHandle } from "../../../server/ipc/channel.ts";
import { detachHandle, handleSender } from "../../../server/transport/socket-handle.ts";
import { handshakeHead } from "../../support/raw-client.ts";
import { UpgradeServer } from "./upgrade-server.ts";

const RECEIVER = fileURLToPath(new URL("handle-receiver.ts", import.meta.url));
const WAIT_MS = 5_000;

async function setUp(count: number) {
  const directory = mkdtempSync(join(tmpdir(), "rookery-handles-"));
  const file = join(directory, "received");
  const child = fork(RECEIVER, [file], { serialization: "advanced", execArgv: [] });
  await once(child, "message");
  const handles: SocketHandle[] = [];
  const server = await UpgradeServer.start((socket, head) => {
    const detached = detachHandle(socket, head);
    if (detached !== undefined) handles.push(detached.handle);
  });
  const answers: Promise<string>[] = [];
  for (let index = 0; index < count; index++) {
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    socket.setEncoding("utf8");
    answers.push(once(socket, "data").then(([text]) => String(text)));
    socket.write(handshakeHead("/ws"));
    await expect.poll(() => handles.length).toBe(index + 1);
  }
  /** Waits without giving this process' event loop a turn. */
  const receivedMeanwhile = (lines: number): string[] => {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + WAIT_MS;
    for (;;) {
      const received = readLines(file);
      if (received.length >= lines || performance.now() > until) return received;
      Atomics.wait(sleeper, 0, 0, 5);
    }
  };
  return {
    child,
    handles,
    answers,
    receivedMeanwhile,
    received: () => readLines(file),
    [Symbol.asyncDispose]: async () => {
      for (const handle of handles) handle.close();
      await server[Symbol.asyncDispose]();
      const exit = once(child, "exit");
      if (child.connected) child.disconnect();
      await exit;
      rmSync(directory, { recursive: true });
    },
  };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

test("all arrive while no acknowledgement can be read, with what is sent between and behind them", async () => {
  await using passing = await setUp(12);
  const { child, handles, answers, receivedMeanwhile } = passing;
  const send = handleSender(child);
  const expected: string[] = [];
  for (const [index, handle] of handles.entries()) {
    send(`handle ${index}`, handle);
    send(`plain ${index}`);
    expected.push(`handle ${index}`, `plain ${index}`);
  }
  expect(receivedMeanwhile(expected.length)).toEqual(expected);
  // Each socket came with its own message.
  for (const handle of handles.splice(0)) handle.close();
  expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `handle ${index}`));
});

test("acknowledgements that come later are taken, and the channel goes on and ends as any other", async () => {
  await using passing = await setUp(6);
  const { child, handles, received } = passing;
  const send = handleSender(child);
  for (const [index, handle] of handles.slice(0, 3).entries()) send(`${index}`, handle);
  await expect.poll(() => received().length).toBe(3);
  for (const handle of handles.slice(3)) send("again", handle);
  child.send("by Node itself");
  await expect.poll(() => received().slice(3)).toEqual(["again", "again", "again", "by Node itself"]);
});
