/**
 * Takes the raw handle out of a socket, so that it can be passed to another process, and makes a socket of one.
 *
 * Beside `socket-writer.ts` this is the only place that touches semi-internal parts of Node (`_handle.readStop`,
 * `reading`, `onread`, `net.Socket` with `handle`, `manualStart` and `onread`, and the binding of `stream-wrap.ts`). The
 * documented way, `send(message, socket)`, loses what the client sends before the receiver reads: the handle goes on
 * reading with nobody listening. Regression test: test/server/transport/socket-handle.test.ts.
 */
import assert from "node:assert/strict";
import type { ChildProcess, Serializable } from "node:child_process";
import { Socket, type SocketConstructorOpts } from "node:net";
import type { Duplex } from "node:stream";
import type { SocketHandle } from "../ipc/channel.ts";
import { STREAM_WRAP } from "./stream-wrap.ts";

const READER = Symbol("reader");
const SOCKET_READ = Symbol("socketRead");

export interface ByteReader {
  /** Gets the first `length` of these bytes, which are its own only until it returns. */
  read(bytes: Uint8Array, length: number): void;
}

type OnRead = (this: RawHandle, bytes: unknown) => unknown;
type RawHandle = SocketHandle & {
  reading: boolean;
  onread: OnRead;
  readStop(): number;
  /** Gets what is read. */
  [READER]?: ByteReader;
  /** The socket's own `onread`. */
  [SOCKET_READ]?: OnRead;
};
type WithHandle = { _handle: RawHandle | null };

/**
 * Detaches a socket that was given to an `upgrade` listener.
 *
 * @param head what Node gave the listener with it
 * @returns the handle, with everything that was read and not used; undefined when the connection is gone already
 */
export function detachHandle(
  socket: Duplex,
  head: Uint8Array,
): { handle: SocketHandle; rest: Uint8Array } | undefined {
  assert(socket instanceof Socket);
  const holder = socket as unknown as WithHandle;
  const handle = holder._handle;
  if (handle === null || socket.destroyed) return undefined;
  handle.readStop();
  handle.reading = false;
  handle.onread = () => undefined;
  const buffered = socket.read() as Buffer | null;
  holder._handle = null;
  socket.destroy();
  return { handle, rest: buffered === null ? head : Buffer.concat([head, buffered]) };
}

/** All sockets are read into this one: what was read is used before the next socket is. */
const READ_BUFFER = new Uint8Array(64 * 1024);

const { streamBaseState: READ_STATE = new Int32Array(1), kReadBytesOrError: READ_LENGTH = 0 } =
  STREAM_WRAP ?? {};

/**
 * A socket on a detached handle; it does not read before it is resumed. What it reads goes to a reader, if it is given
 * one by `readBy`; otherwise nobody gets it.
 */
export function attachSocket(handle: SocketHandle): Socket {
  const raw: RawHandle = handle as RawHandle;
  const callback = (length: number) => {
    raw[READER]?.read(READ_BUFFER, length);
    return true;
  };
  const onread = { buffer: READ_BUFFER, callback };
  const options: object = { handle, readable: true, writable: true, manualStart: true, onread };
  const socket = new Socket(options as SocketConstructorOpts);
  if (STREAM_WRAP === undefined) return socket;
  raw[SOCKET_READ] = raw.onread;
  raw.onread = readPastSocket;
  return socket;
}

/** From now on the reader gets what is read from the handle. */
export function readBy(handle: SocketHandle, reader: ByteReader): void {
  (handle as RawHandle)[READER] = reader;
}

/**
 * The socket would look at its state, and that of its streams, for each read. One function for all handles, which finds
 * the reader by way of the handle: closures of each were four more things to look at that are in no cache.
 */
function readPastSocket(this: RawHandle, bytes: unknown): void {
  const length = READ_STATE[READ_LENGTH] as number;
  if (length > 0) this[READER]?.read(READ_BUFFER, length);
  else this[SOCKET_READ]?.(bytes);
}

/**
 * Node has one handle on its way to a process at a time, and holds back every message behind it until that has been
 * acknowledged: two turns of both event loops for each. Its receiving end allows for any number, since the system
 * delivers at most one with each read. So this keeps Node from queueing; how many may be on their way is up to the caller.
 *
 * @returns sends a message, with a handle or without; this side's copy of the handle stays open
 */
export function handleSender(child: ChildProcess): (message: Serializable, handle?: SocketHandle) => void {
  const holder = child as unknown as { _handleQueue: unknown[] | null };
  child.prependListener("internalMessage" as "message", (message) => {
    const { cmd } = message as { readonly cmd?: string };
    // Node looks into its queue whenever a handle is acknowledged.
    if (cmd === "NODE_HANDLE_ACK" || cmd === "NODE_HANDLE_NACK") holder._handleQueue ??= [];
  });
  return (message, handle) => {
    // The types know sockets and servers only; a raw handle is passed as it is.
    child.send(message, handle as Parameters<typeof child.send>[1], undefined, () => undefined);
    holder._handleQueue = null;
  };
}
