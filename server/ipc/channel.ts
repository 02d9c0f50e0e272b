/**
 * A typed, ordered channel between the primary and one worker: over `node:cluster` IPC, or within one process
 * (WORKERS=0). Socket handles are passed beside a message.
 */
import type { PrimaryToWorker, WorkerToPrimary } from "./messages.ts";

/** A raw libuv socket handle, detached from its net.Socket (see handoff). */
export type SocketHandle = { close(callback?: () => void): void };

export interface Channel<Out, In> {
  /** Never throws: a message to a process that is gone is lost, and its death is reported separately. */
  send(message: Out, handle?: SocketHandle): void;
  /** Exactly one listener; messages that came before it was set are kept for it. */
  onMessage(listener: (message: In, handle: SocketHandle | undefined) => void): void;
}

export type WorkerLink = Channel<PrimaryToWorker, WorkerToPrimary>;
export type PrimaryLink = Channel<WorkerToPrimary, PrimaryToWorker>;

/** A channel within one process, as its two ends. Messages arrive in later turns of the event loop, in order. */
export function localChannel<Down, Up>(): [Channel<Down, Up>, Channel<Up, Down>] {
  const down = new LocalQueue<Down>();
  const up = new LocalQueue<Up>();
  return [
    { send: (message, handle) => down.push(message, handle), onMessage: (listener) => up.listen(listener) },
    { send: (message, handle) => up.push(message, handle), onMessage: (listener) => down.listen(listener) },
  ];
}

type Listener<Message> = (message: Message, handle: SocketHandle | undefined) => void;

class LocalQueue<Message> {
  readonly #waiting: [Message, SocketHandle | undefined][] = [];
  #listener: Listener<Message> | undefined;

  push(message: Message, handle: SocketHandle | undefined): void {
    this.#waiting.push([message, handle]);
    if (this.#waiting.length === 1) this.#deliverLater();
  }

  listen(listener: Listener<Message>): void {
    this.#listener = listener;
    if (this.#waiting.length > 0) this.#deliverLater();
  }

  #deliverLater(): void {
    setImmediate(() => {
      if (this.#listener === undefined) return;
      for (const [message, handle] of this.#waiting.splice(0)) this.#listener(message, handle);
    });
  }
}

/**
 * Gathers what is sent in one turn of the event loop: a message of its own costs both processes several times what it
 * costs to be one of many.
 *
 * @param defer runs a callback later in this turn, such as setImmediate
 * @param send gets the messages in their order
 */
export function gather<Message>(
  defer: (callback: () => void) => void,
  send: (messages: readonly Message[]) => void,
): (message: Message) => void {
  let waiting: Message[] = [];
  const flush = () => {
    const messages = waiting;
    waiting = [];
    send(messages);
  };
  return (message) => {
    if (waiting.push(message) === 1) defer(flush);
  };
}

/** A worker process' end of its channel to the primary, which is sent arrays of messages. */
export function primaryLinkOfProcess(): PrimaryLink {
  return {
    send: gather(setImmediate, (messages) => {
      // The primary may be gone; node:cluster then ends this process.
      if (process.connected) process.send?.(messages, undefined, undefined, () => undefined);
    }),
    onMessage: (listener) => {
      process.on("message", (message, handle) =>
        listener(message as PrimaryToWorker, handle as SocketHandle | undefined),
      );
    },
  };
}
