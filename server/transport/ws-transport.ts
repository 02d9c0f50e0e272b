/** A client connection over `ws`. */
import type { RawData, WebSocket } from "ws";
import { ERRORS, type ErrorCode } from "../../shared/errors.ts";
import { LIMITS } from "../limits.ts";
import type { Transport, TransportListener } from "./transport.ts";

const SEND_OPTIONS = { binary: true, compress: false } as const;

export class WsTransport implements Transport {
  readonly #socket: WebSocket;
  #listener: TransportListener | undefined;
  #lastHeardMs: number;
  readonly #now: () => number;

  constructor(socket: WebSocket, now: () => number) {
    this.#socket = socket;
    this.#now = now;
    this.#lastHeardMs = now();
    socket.binaryType = "nodebuffer";
    socket.on("message", (data: RawData, isBinary: boolean) => {
      this.#lastHeardMs = this.#now();
      if (!isBinary) return this.close("PROTOCOL_ERROR");
      const { buffer, byteOffset, byteLength } = data as Buffer;
      // Plain bytes: what a room is given live must be what it is given when its journal is applied again.
      this.#listener?.onMessage(new Uint8Array(buffer, byteOffset, byteLength));
    });
    // ws closes the connection itself after an error; `close` follows.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#listener?.onClosed());
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get silentMs(): number {
    return this.#now() - this.#lastHeardMs;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  onceClosed(callback: () => void): void {
    this.#socket.once("close", callback);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    if (this.#socket.readyState === this.#socket.CLOSED) queueMicrotask(() => listener.onClosed());
  }

  send(message: Uint8Array): void {
    if (this.isOpen) this.#socket.send(message, SEND_OPTIONS);
  }

  close(code: ErrorCode): void {
    this.#socket.close(ERRORS[code].close, code);
    // A client that does not answer the closing handshake, or does not read, is not waited for.
    const timer = setTimeout(() => this.#socket.terminate(), LIMITS.closeTimeoutMs);
    timer.unref();
    this.#socket.once("close", () => clearTimeout(timer));
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
