/**
 * Turns a socket handle into a WebSocket: answers a handshake whose head the primary has read and checked. Workers
 * do it for the clients of their rooms, the primary for those it refuses.
 */
import { hash } from "node:crypto";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { SUBPROTOCOL } from "../../shared/protocol/wire.ts";
import type { SocketHandle } from "../ipc/channel.ts";
import type { UpgradeHead } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import { attachSocket } from "./socket-handle.ts";
import { WsTransport } from "./ws-transport.ts";

const NOTHING = Buffer.alloc(0);

/** How what clients send is read, by whichever process. */
export const RECEIVER_OPTIONS = {
  allowSynchronousEvents: true,
  maxPayload: LIMITS.messageBytesMax,
  maxFragments: LIMITS.messageFragmentsMax,
  maxBufferedChunks: LIMITS.messageChunksMax,
} as const;
/** How a connection is kept up and ended. */
export const CONNECTION_OPTIONS = {
  autoPong: true,
  maxPendingAutoPongs: LIMITS.pendingPongsMax,
  closeTimeout: LIMITS.closeTimeoutMs,
} as const;

/** RFC 6455, section 1.3. */
const HANDSHAKE_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** @param handle the detached socket handle, which belongs to the transport from now on */
export function acceptUpgrade(
  handle: SocketHandle,
  { key, rest }: UpgradeHead,
  now: () => number,
): WsTransport {
  const socket = attachSocket(handle, (bytes, length) => transport.read(bytes, length));
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
  const transport = new WsTransport(serverWebSocket(socket), socket, now);
  transport.readLater(rest);
  return transport;
}

/** A WebSocket whose handshake is answered. `setSocket` is how ws itself makes one. */
export function serverWebSocket(socket: Socket): WebSocket {
  const Constructor = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WebSocket;
  const webSocket = new Constructor(null, undefined, CONNECTION_OPTIONS);
  const holder = webSocket as unknown as { setSocket(socket: Socket, head: Buffer, options: object): void };
  holder.setSocket(socket, NOTHING, RECEIVER_OPTIONS);
  return webSocket;
}
