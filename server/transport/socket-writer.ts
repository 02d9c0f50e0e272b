/**
 * Writes to a socket past its stream. An update goes to hundreds of sockets in one turn of the event loop, and nearly
 * always the system takes it at once: then all that a `Writable` does around the one call (an object for the request,
 * its state, a callback in a later turn) is for nothing.
 *
 * This uses semi-internal parts of Node, as `net.Socket` itself does: `_handle.writeBuffer`, and of the binding
 * "stream_wrap" the class of write requests and what the last write has come to. Where they are not to be had (a Node that
 * has them no more, or one with `--permission`), and for what must wait behind bytes that the stream still holds, it writes
 * by way of the stream.
 */
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

type WriteRequest = { oncomplete: (status: number) => void; buffer: Uint8Array | undefined };
type StreamHandle = { writeBuffer(request: WriteRequest, bytes: Uint8Array): number };
type StreamWrap = {
  readonly WriteWrap: new () => WriteRequest;
  /** What the last call has come to, by the indexes below. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
};

const STREAM_WRAP = streamWrap();
/**
 * The next write's. Node takes it up only when bytes have to wait: neither one that the system takes at once nor one that
 * fails at once keeps it.
 */
let request = STREAM_WRAP && new STREAM_WRAP.WriteWrap();

export class SocketWriter {
  readonly #socket: Socket;
  readonly #handle: StreamHandle | undefined;
  #waitingBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { _handle: handle } = socket as unknown as { readonly _handle: StreamHandle | null };
    this.#handle = typeof handle?.writeBuffer === "function" ? handle : undefined;
  }

  /** Bytes that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#waitingBytes + this.#socket.writableLength;
  }

  /**
   * Nothing is written once the socket has ended. A write that fails, now or later, destroys it with its error.
   *
   * @param bytes not changed any more
   */
  write(bytes: Uint8Array): void {
    if (!this.#socket.writable) return;
    const isPast = this.#handle !== undefined && this.#socket.writableLength === 0;
    if (!isPast || STREAM_WRAP === undefined || request === undefined) return void this.#socket.write(bytes);
    const status = this.#handle.writeBuffer(request, bytes);
    if (status !== 0) return this.#fail(status);
    if (STREAM_WRAP.streamBaseState[STREAM_WRAP.kLastWriteWasAsync] === 0) return;
    this.#waitFor(request, bytes);
    request = new STREAM_WRAP.WriteWrap();
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

  #fail(status: number): void {
    const code = getSystemErrorName(status);
    this.#socket.destroy(
      Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: "write" }),
    );
  }
}

function streamWrap(): StreamWrap | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
  try {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding?.("stream_wrap") ?? {};
    if (WriteWrap === undefined || streamBaseState === undefined || kLastWriteWasAsync === undefined)
      return undefined;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}
