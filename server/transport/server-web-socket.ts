/** What `ws` knows of a connection that did not begin with it. */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { LIMITS } from "../limits.ts";

const NOTHING = Buffer.alloc(0);

/** How what clients send is read. */
const RECEIVER_OPTIONS = {
  allowSynchronousEvents: true,
  maxPayload: LIMITS.messageBytesMax,
  maxFragments: LIMITS.messageFragmentsMax,
  maxBufferedChunks: LIMITS.messageChunksMax,
} as const;
/** How a connection is kept up and ended. */
const CONNECTION_OPTIONS = {
  autoPong: true,
  maxPendingAutoPongs: LIMITS.pendingPongsMax,
  closeTimeout: LIMITS.closeTimeoutMs,
} as const;

/** @returns the server's side of a WebSocket whose handshake is answered; `setSocket` is how ws itself makes one */
export function serverWebSocket(socket: Socket): WebSocket {
  const Constructor = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WebSocket;
  const webSocket = new Constructor(null, undefined, CONNECTION_OPTIONS);
  const holder = webSocket as unknown as { setSocket(socket: Socket, head: Buffer, options: object): void };
  holder.setSocket(socket, NOTHING, RECEIVER_OPTIONS);
  webSocket.binaryType = "nodebuffer";
  return webSocket;
}
