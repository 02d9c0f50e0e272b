/**
 * Turns a socket handle into a WebSocket: answers a handshake whose head the primary has read and checked. Workers
 * do it for the clients of their rooms, the primary for those it refuses.
 */
import { hash } from "node:crypto";
import { SUBPROTOCOL } from "../../shared/protocol/wire.ts";
import type { SocketHandle } from "../ipc/channel.ts";
import type { UpgradeHead } from "../ipc/messages.ts";
import { attachSocket, readBy } from "./socket-handle.ts";
import { WsTransport } from "./ws-transport.ts";

/** RFC 6455, section 1.3. */
const HANDSHAKE_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** @param handle the detached socket handle, which belongs to the transport from now on */
export function acceptUpgrade(handle: SocketHandle, { key, rest }: UpgradeHead): WsTransport {
  const socket = attachSocket(handle);
  // What a room without ticks says to a new client travels along with the answer: it steps later in this turn of the
  // event loop, and what it defers while it is given the connection comes before what is deferred behind that.
  socket.cork();
  process.nextTick(() => setImmediate(() => socket.uncork()));
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${hash("sha1", key + HANDSHAKE_GUID, "base64")}\r\n` +
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
    "latin1",
  );
  const transport = new WsTransport(socket);
  readBy(handle, transport);
  transport.readLater(rest);
  return transport;
}
