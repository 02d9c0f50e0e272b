/** Where Node does not give its stream binding away, sockets are read and written by their streams. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { UpgradeServer } from "./upgrade-server.ts";

const HEAD = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

type Holder = { binding: unknown };
const holder = process as unknown as Holder;
const { binding } = holder;

afterEach(() => {
  holder.binding = binding;
  vi.resetModules();
});

function refused(): never {
  throw new Error("ERR_ACCESS_DENIED");
}

async function echo(): Promise<{ answer: string; streamWrites: number }> {
  const { attachSocket, detachHandle, readBy } = await import("../../../server/transport/socket-handle.ts");
  const { SocketWriter } = await import("../../../server/transport/socket-writer.ts");
  const accepted = Promise.withResolvers<Socket>();
  let streamWrites = 0;
  await using server = await UpgradeServer.start((socket, head) => {
    const detached = detachHandle(socket, head);
    if (detached === undefined) return accepted.reject(new Error("the connection is gone"));
    const attached = attachSocket(detached.handle);
    readBy(detached.handle, { read: (bytes, length) => writer.write(bytes.slice(0, length)) });
    const write = vi.spyOn(attached, "write");
    const writer = new SocketWriter(attached);
    attached.on("close", () => {
      streamWrites = write.mock.calls.length;
    });
    attached.resume();
    accepted.resolve(attached);
  });
  const client = connect(server.port, "127.0.0.1");
  client.write(HEAD);
  const attached = await accepted.promise;
  client.write("hello");
  const [answer] = (await once(client, "data")) as [Buffer];
  client.end();
  await once(attached, "close");
  return { answer: answer.toString(), streamWrites };
}

test.each([
  ["there is no such function", undefined],
  ["it is refused", refused],
  ["it gives something else", () => ({})],
])("%s", async (_, value) => {
  holder.binding = value;
  expect(await echo()).toEqual({ answer: "hello", streamWrites: 1 });
});

test("otherwise the streams have nothing to do", async () => {
  expect(await echo()).toEqual({ answer: "hello", streamWrites: 0 });
});
