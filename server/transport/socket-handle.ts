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

type OnRead = (this: unknown, bytes: unknown) => unknown;
type RawHandle = SocketHandle & { reading: boolean; onread: OnRead; readStop(): number };
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

/** Gets the first `length` of these bytes, which are its own only until it returns. */
type TakeBytes = (bytes: Uint8Array, length: number) => void;

/**
 * A socket on a detached handle; it does not read before it is resumed.
 *
 * @param take gets what is read, instead of listeners for `data`
 */
export function attachSocket(handle: SocketHandle, take?: TakeBytes): Socket {
  const options: object = { handle, readable: true, writable: true, manualStart: true };
  if (take === undefined) return new Socket(options as SocketConstructorOpts);
  const callback = (length: number) => {
    take(READ_BUFFER, length);
    return true;
  };
  const onread = { buffer: READ_BUFFER, callback };
  const socket = new Socket({ ...options, onread } as SocketConstructorOpts);
  readPast(handle as RawHandle, take);
  return socket;
}

/** What is read does not come by the socket, which looks at its state for each read; the end and errors still do. */
function readPast(handle: RawHandle, take: TakeBytes): void {
  if (STREAM_WRAP === undefined) return;
  const { streamBaseState, kReadBytesOrError } = STREAM_WRAP;
  const { onread } = handle;
  handle.onread = (bytes) => {
    const length = streamBaseState[kReadBytesOrError] as number;
    if (length > 0) take(READ_BUFFER, length);
    else onread.call(handle, bytes);
  };
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
