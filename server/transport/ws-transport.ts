/**
 * A client connection over `ws`, which ends it and knows the protocol. Two things go around it, because they are done for
 * every input and every update:
 *
 * - Reading: what the socket reads comes here, and whole binary messages are told from the rest by `readFrames`,
 *   without a stream's `data` event, a copy or ws' receiver. The rest goes to ws as a `data` event.
 * - Writing: a frame, which may be the same for many clients, is written in one piece instead of head and body, past the
 *   socket's stream.
 *
 * So most connections have nothing for ws until they end: it comes to them only then, or with the first frame that is
 * for it. That saves a quarter of a connection's memory.
 */
import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { ERRORS, type ErrorCode } from "../../shared/errors.ts";
import { LIMITS } from "../limits.ts";
import { type FrameReader, type FrameSink, readFrames } from "./frame-reader.ts";
import { frameOf } from "./frame-writer.ts";
import { serverWebSocket } from "./server-web-socket.ts";
import { SocketWriter } from "./socket-writer.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** It is a writer itself, because it is one object less to look at for each update. */
export class WsTransport extends SocketWriter implements Transport, FrameSink {
  readonly #socket: Socket;
  /** Once there is something for it. */
  #webSocket: WebSocket | undefined;
  /** While something has come that is not a whole message. */
  #reader: FrameReader | undefined;
  #listener: TransportListener | undefined;
  /** A message has come since that was last asked. */
  #isHeard = true;
  #isClosing = false;
  #isClosed = false;

  /** @param socket the transport's own; what it reads is given to `read` */
  constructor(socket: Socket) {
    super(socket);
    this.#socket = socket;
    socket.on("error", closeFollows);
    socket.once("close", () => {
      this.#isClosed = true;
      this.#listener?.onClosed();
    });
    socket.setNoDelay(true);
    socket.resume();
  }

  #webSocketOf(): WebSocket {
    if (this.#webSocket !== undefined) return this.#webSocket;
    const webSocket = serverWebSocket(this.#socket);
    this.share();
    webSocket.on("message", (data: RawData, isBinary: boolean) => {
      if (!isBinary) return this.close("PROTOCOL_ERROR");
      const bytes = data as Buffer;
      this.onMessage(bytes, 0, bytes.length);
    });
    // ws closes the connection itself.
    webSocket.on("error", () => {
      this.#isClosing = true;
    });
    this.#webSocket = webSocket;
    return webSocket;
  }

  /** @param bytes the first `length` of them are the next of the stream, the transport's only until it returns */
  read(bytes: Uint8Array, length: number): void {
    this.#reader = readFrames(this.#reader, bytes, length, LIMITS.messageBytesMax, this);
  }

  /** Reads bytes that came before the transport, as soon as there is a listener: before any that come later. */
  readLater(bytes: Uint8Array): void {
    if (bytes.length > 0) process.nextTick(() => this.read(bytes, bytes.length));
  }

  /** @returns whether a message has come since this was last asked, or the connection has */
  takeHeard(): boolean {
    const isHeard = this.#isHeard;
    this.#isHeard = false;
    return isHeard;
  }

  get isOpen(): boolean {
    return !this.#isClosing && this.#socket.writable;
  }

  onceClosed(callback: () => void): void {
    this.#socket.once("close", callback);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    if (this.#isClosed) queueMicrotask(() => listener.onClosed());
  }

  send(message: Uint8Array): void {
    this.sendFrame(frameOf(message));
  }

  sendFrame(frame: Uint8Array): void {
    if (!this.#isClosing) this.write(frame);
  }

  close(code: ErrorCode): void {
    this.#isClosing = true;
    if (this.#socket.destroyed) return;
    this.#webSocketOf().close(ERRORS[code].close, code);
    // A client that does not answer the closing handshake, or does not read, is not waited for.
    const timer = setTimeout(() => this.#socket.destroy(), LIMITS.closeTimeoutMs);
    timer.unref();
    this.#socket.once("close", () => clearTimeout(timer));
  }

  terminate(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  letGo(): void {
    this.#listener = undefined;
    // The kernel sends no FIN while another process has the socket.
    this.terminate();
  }

  /** For the frame reader: a whole message. */
  onMessage(bytes: Uint8Array, from: number, end: number): void {
    this.#isHeard = true;
    this.#listener?.onMessage(bytes, from, end);
  }

  /** For the frame reader: what is left to ws. */
  onOther(copy: Buffer): void {
    this.#webSocketOf();
    this.#socket.emit("data", copy);
  }
}

/** An error of a socket destroys it. */
function closeFollows(): void {}
