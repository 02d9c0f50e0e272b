/**
 * Writes to a socket past its stream. An update goes to hundreds of sockets in one turn of the event loop, and nearly
 * always the system takes it at once: then all that a `Writable` does around the one call (an object for the request,
 * its state, a callback in a later turn) is for nothing, and so is looking at its state.
 *
 * Where `_handle.writeBuffer` and the binding are not to be had, and for what must wait behind bytes that the stream still
 * holds, it writes by way of the stream.
 */
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { STREAM_WRAP, type WriteRequest } from "./stream-wrap.ts";

type StreamHandle = { writeBuffer(request: WriteRequest, bytes: Uint8Array): number };

/**
 * The next write's. Node takes it up only when bytes have to wait: neither one that the system takes at once nor one that
 * fails at once keeps it.
 */
let request = STREAM_WRAP && new STREAM_WRAP.WriteWrap();

export class SocketWriter {
  readonly #socket: Socket;
  readonly #handle: StreamHandle | undefined;
  /** The stream may hold bytes: what was written to it before, or what others write. */
  #mayHold = true;
  #isShared = false;
  #waitingBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { _handle: handle } = socket as unknown as { readonly _handle: StreamHandle | null };
    this.#handle = typeof handle?.writeBuffer === "function" ? handle : undefined;
  }

  /** Somebody else is going to write to the socket's stream, whenever he likes. */
  share(): void {
    this.#isShared = true;
    this.#mayHold = true;
  }

  /** Bytes that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#mayHold ? this.#waitingBytes + this.#heldBytes() : this.#waitingBytes;
  }

  #heldBytes(): number {
    const { writableLength } = this.#socket;
    if (writableLength === 0) this.#mayHold = this.#isShared;
    return writableLength;
  }

  /**
   * Nothing is written once the socket is destroyed. A write that fails, now or later, destroys it with its error.
   *
   * @param bytes not changed any more
   */
  write(bytes: Uint8Array): void {
    if (this.#handle === undefined || STREAM_WRAP === undefined || request === undefined)
      return this.#writeToStream(bytes);
    if (this.#mayHold && (this.#heldBytes() > 0 || !this.#socket.writable)) return this.#writeToStream(bytes);
    const status = this.#handle.writeBuffer(request, bytes);
    if (status !== 0) return this.#fail(status);
    if (STREAM_WRAP.streamBaseState[STREAM_WRAP.kLastWriteWasAsync] === 0) return;
    this.#waitFor(request, bytes);
    request = new STREAM_WRAP.WriteWrap();
  }

  #writeToStream(bytes: Uint8Array): void {
    if (!this.#socket.writable) return;
    this.#mayHold = true;
    this.#socket.write(bytes);
  }

  /** The system takes the rest when it can; what is written meanwhile comes behind it. */
  #waitFor(waiting: WriteRequest, bytes: Uint8Array): void {
    this.#waitingBytes += bytes.length;
    waiting.buffer = bytes; // kept, since perhaps nobody else does
    waiting.oncomplete = (status) => {
      waiting.buffer = undefined;
      this.#waitingBytes -= bytes.length;
      if (status !== 0) this.#fail(status);
    };
  }

  /** @param status undefined when the handle is no more */
  #fail(status: number | undefined): void {
    if (this.#socket.destroyed || status === undefined) return;
    const code = getSystemErrorName(status);
    this.#socket.destroy(
      Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: "write" }),
    );
  }
}
