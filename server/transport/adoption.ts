/**
 * Takes over a client's connection from a worker that has died. The connection lives on in the kernel; what is lost is
 * where in both streams the dead worker was. So the client is sent RESUME and nothing else, and all that it sends is
 * thrown away, until its RESYNC has been found: there the stream is read again, by a WebSocket like any other.
 *
 * The message that the dead worker may have written in part is found out by the client: RESUME is then taken for the
 * rest of it, which ends in a wrong tag or never ends, and the client closes, or the time is over here.
 */
import type { Socket } from "node:net";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import type { SocketHandle } from "../ipc/channel.ts";
import { LIMITS } from "../limits.ts";
import { frameOf } from "./frame-writer.ts";
import { findResync, RESYNC_FRAME_BYTES_MAX } from "./resync-scan.ts";
import { attachSocket, type ByteReader, readBy } from "./socket-handle.ts";
import { WsTransport } from "./ws-transport.ts";

export type AdoptionOptions = {
  /** The message that asks for RESYNC. */
  readonly resume: Uint8Array;
  /** What the RESYNC must repeat. */
  readonly nonce: number;
  readonly timeoutMs: number;
  readonly scheduler: Scheduler;
  /** @param heard what the client has of its session */
  readonly onResynced: (
    transport: WsTransport,
    heard: { readonly eventsReceived: number; readonly schemaHash: string },
  ) => void;
  /** The connection is gone, or no RESYNC came in time: it is closed. */
  readonly onFailed: () => void;
};

export class Adoption implements ByteReader {
  readonly #options: AdoptionOptions;
  readonly #handle: SocketHandle;
  readonly #socket: Socket;
  readonly #timer: TimerHandle;
  #bytesRead = 0;
  /** What may be the beginning of the RESYNC. */
  #unread: Buffer = Buffer.alloc(0);

  /** @param handle the detached socket handle, which belongs to the adoption from now on */
  constructor(handle: SocketHandle, options: AdoptionOptions) {
    this.#options = options;
    this.#handle = handle;
    this.#socket = attachSocket(handle);
    readBy(handle, this);
    this.#timer = options.scheduler.setTimeout(this.#fail, options.timeoutMs);
    this.#socket.setNoDelay(true);
    this.#socket.resume();
    this.#socket.on("end", this.#fail);
    this.#socket.on("error", this.#fail);
    this.#socket.on("close", this.#fail);
    this.#socket.write(frameOf(options.resume));
  }

  /** For the handle: what the client sends, until the RESYNC. */
  read(bytes: Uint8Array, length: number): void {
    this.#bytesRead += length;
    if (this.#bytesRead > LIMITS.resyncBytesMax) return this.#fail();
    this.#unread = Buffer.concat([this.#unread, bytes.subarray(0, length)]);
    const found = findResync(this.#unread, this.#options.nonce);
    if (found === undefined) {
      this.#unread = this.#unread.subarray(-RESYNC_FRAME_BYTES_MAX);
      return;
    }
    this.#letGo();
    const [, , eventsReceived, schemaHash] = found.resync;
    const transport = new WsTransport(this.#socket);
    readBy(this.#handle, transport);
    transport.readLater(this.#unread.subarray(found.end));
    this.#options.onResynced(transport, { eventsReceived, schemaHash });
  }

  readonly #fail = (): void => {
    this.#letGo();
    this.#socket.on("error", () => undefined);
    // No FIN goes out as long as the primary has its copy; it closes that as soon as it hears of this.
    this.#socket.destroy();
    this.#options.onFailed();
  };

  #letGo(): void {
    this.#options.scheduler.clearTimeout(this.#timer);
    this.#socket.off("end", this.#fail);
    this.#socket.off("error", this.#fail);
    this.#socket.off("close", this.#fail);
  }
}
