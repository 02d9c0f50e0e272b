/**
 * Worker processes, as the supervisor and the hand-off see them: forked by `node:cluster`, or, with WORKERS=0, the
 * same code within this process.
 */
import cluster from "node:cluster";
import type { PrimaryLink, SocketHandle } from "../ipc/channel.ts";
import { localChannel } from "../ipc/channel.ts";
import type { PrimaryToWorker, WorkerToPrimary } from "../ipc/messages.ts";
import { handleSender } from "../transport/socket-handle.ts";
import type { WorkerProcess } from "./worker-slot.ts";

/** What becomes of a worker process, for whoever started it. */
export type WorkerEvents = {
  readonly onMessage: (workerId: number, message: WorkerToPrimary) => void;
  readonly onExit: (workerId: number, code: number | null, signal: string | null) => void;
  readonly onDisconnect: (workerId: number) => void;
};

/** A worker process that can also be passed socket handles. */
export interface WorkerPort extends WorkerProcess {
  send(message: PrimaryToWorker, handle?: SocketHandle): void;
  /** A handle that is passed leaves a copy at this side. Within one process there is only the handle itself. */
  readonly leavesCopies: boolean;
}

/** What a worker process is told by its environment. */
export type WorkerEnvironment = {
  readonly slot: number;
  readonly rehearses: boolean;
  /** Of resume tokens. */
  readonly tokenKey: Uint8Array;
  /** Where compiled code is kept: a worker that replaces another starts in half the time. */
  readonly codeDirectory: string;
};

export function forkWorker(
  { slot, rehearses, tokenKey, codeDirectory }: WorkerEnvironment,
  events: WorkerEvents,
): WorkerPort {
  const worker = cluster.fork({
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? codeDirectory,
    ROOKERY_WORKER: String(slot),
    ROOKERY_REHEARSES: rehearses ? "1" : "",
    ROOKERY_TOKEN_KEY: Buffer.from(tokenKey).toString("base64url"),
  });
  worker.on("message", (messages: unknown) => {
    // Others have the same channel: with `node --watch` each module that is loaded is reported, and a room's code, or
    // what it imports, may say something to its parent process, whoever that is. Rookery sends arrays.
    if (!Array.isArray(messages)) return;
    for (const message of messages as readonly WorkerToPrimary[]) events.onMessage(worker.id, message);
  });
  worker.on("exit", (code, signal) => events.onExit(worker.id, code, signal));
  worker.on("disconnect", () => events.onDisconnect(worker.id));
  // Writing to a process that is gone: `exit` and `disconnect` tell of it.
  worker.on("error", () => undefined);
  const send = handleSender(worker.process);
  return {
    id: worker.id,
    pid: worker.process.pid,
    kill: (signal) => void worker.process.kill(signal),
    send: (message, handle) => {
      if (worker.isConnected()) send(message, handle);
    },
    leavesCopies: true,
  };
}

let lastLocalId = 0;

/** Runs a worker within this process. It cannot be killed: when it is told to end, it has ended. */
export function localWorker(
  start: (primary: PrimaryLink) => Promise<void>,
  events: WorkerEvents,
): WorkerPort {
  const id = ++lastLocalId;
  const [worker, primary] = localChannel<PrimaryToWorker, WorkerToPrimary>();
  const end = (code: number) => {
    queueMicrotask(() => {
      events.onExit(id, code, null);
      events.onDisconnect(id);
    });
  };
  worker.onMessage((message) => events.onMessage(id, message));
  start(primary).catch((error: unknown) => {
    end(1);
    throw error;
  });
  return {
    id,
    pid: process.pid,
    kill: () => end(0),
    send: (message, handle) => worker.send(message, handle),
    leavesCopies: false,
  };
}
