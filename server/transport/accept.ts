/**
 * Turns a socket handle into a WebSocket: answers a handshake whose head the primary has read and checked. Workers
 * do it for the clients of their rooms, the primary for those it refuses.
 */
import type { IncomingMessage } from "node:http";
import { WebSocketServer } from "ws";
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

const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  ...RECEIVER_OPTIONS,
  ...CONNECTION_OPTIONS,
  handleProtocols: () => SUBPROTOCOL,
} as ConstructorParameters<typeof WebSocketServer>[0]);

/**
 * @param handle the detached socket handle, which belongs to the transport from now on
 * @returns undefined when the connection broke before the handshake could be answered
 */
export function acceptUpgrade(
  handle: SocketHandle,
  upgrade: UpgradeHead,
  now: () => number,
): WsTransport | undefined {
  let transport: WsTransport | undefined;
  const socket = attachSocket(handle, (bytes, length) => transport?.read(bytes, length));
  // Small frames go out at once: a game's update must not wait for the last one's acknowledgement.
  socket.setNoDelay(true);
  const request = {
    method: "GET",
    url: "/ws",
    headers: {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-key": upgrade.key,
      "sec-websocket-version": "13",
      "sec-websocket-protocol": SUBPROTOCOL,
    },
  } as unknown as IncomingMessage;
  // ws calls back before it returns, or not at all.
  server.handleUpgrade(request, socket, NOTHING, (webSocket) => {
    transport = new WsTransport(webSocket, socket, now);
    transport.readLater(upgrade.rest);
  });
  return transport;
}
