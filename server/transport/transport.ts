/** One client connection, as sessions use it. `WsTransport` is the real one. */
import type { ErrorCode } from "../../shared/errors.ts";

export interface TransportListener {
  /** A whole message, the bytes from `from` to before `end`. They are the listener's only until it returns. */
  onMessage(bytes: Uint8Array, from: number, end: number): void;
  /** The connection is gone. Called exactly once, never from within a call of the transport's own methods. */
  onClosed(): void;
}

export interface Transport {
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** False from the closing handshake on, whoever began it. */
  readonly isOpen: boolean;
  listen(listener: TransportListener): void;
  /** One message, one write. Ignored once the connection is closing. */
  send(message: Uint8Array): void;
  /** The same for a message in its WebSocket frame (frame-writer.ts). The bytes are not changed any more. */
  sendFrame(frame: Uint8Array): void;
  /** Closes in order, with the error's close code and its name as the reason. */
  close(code: ErrorCode): void;
  /** Drops the connection at once, unsent bytes included. */
  terminate(): void;
  /**
   * Lets go of a connection that another process has, too: it stays open, and this transport says and hears no more of
   * it. Only with no bytes buffered, which would be lost.
   */
  letGo(): void;
}
