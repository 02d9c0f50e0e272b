/**
 * Passes socket handles to one worker. Each takes a read of its own at the other end, and plain messages queue behind
 * it: so only a few are on their way at once, and the rest waits here.
 */
import type { SocketHandle } from "../ipc/channel.ts";
import type { PrimaryToWorker } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import type { WorkerPort } from "./worker-process.ts";

export type Accept = Extract<PrimaryToWorker, { type: "accept" }>;
export type Adopt = Extract<PrimaryToWorker, { type: "adopt" }>;
type Passing<Message = Accept | Adopt> = { readonly message: Message; readonly handle: SocketHandle };

export class Handoff {
  readonly #port: Pick<WorkerPort, "send">;
  readonly #onAccepted: (message: Accept, handle: SocketHandle) => void;
  readonly #waiting: Passing[] = [];
  readonly #sent = new Map<number, Passing>();

  /** @param onAccepted the worker has a new connection; the handle is this side's copy */
  constructor(port: Pick<WorkerPort, "send">, onAccepted: (message: Accept, handle: SocketHandle) => void) {
    this.#port = port;
    this.#onAccepted = onAccepted;
  }

  /** @returns false when too many handles wait; the handle is still the caller's then */
  pass(message: Accept, handle: SocketHandle): boolean {
    if (this.#waiting.length >= LIMITS.handoffQueueMax) return false;
    this.#push({ message, handle });
    return true;
  }

  /** Passes a socket that was another worker's. There are never more of them than connections. */
  passOn(message: Adopt, handle: SocketHandle): void {
    this.#push({ message, handle });
  }

  /** Sockets of this room are on their way. */
  isPassingTo(roomId: string): boolean {
    const isOfRoom = ({ message }: Passing) => message.roomId === roomId;
    return this.#waiting.some(isOfRoom) || [...this.#sent.values()].some(isOfRoom);
  }

  /** The worker has the handle. */
  accepted(connectionId: number): void {
    const passed = this.#sent.get(connectionId);
    if (passed === undefined) return;
    this.#sent.delete(connectionId);
    if (passed.message.type === "accept") this.#onAccepted(passed.message, passed.handle);
    this.#fillWindow();
  }

  /**
   * The worker is gone, and all it has sent has been read.
   *
   * @returns new connections that it has not taken: it says so before it answers anything
   */
  lost(): Passing<Accept>[] {
    const untaken = [...this.#sent.values(), ...this.#waiting].flatMap(({ message, handle }) =>
      message.type === "accept" ? [{ message, handle }] : [],
    );
    this.#sent.clear();
    this.#waiting.length = 0;
    return untaken;
  }

  #push(passing: Passing): void {
    this.#waiting.push(passing);
    this.#fillWindow();
  }

  #fillWindow(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { message, handle } = next;
      const window = message.type === "adopt" ? LIMITS.adoptionWindow : LIMITS.handoffWindow;
      if (this.#sent.size >= window) return;
      this.#waiting.shift();
      this.#sent.set(message.connectionId, next);
      this.#port.send(message, handle);
    }
  }
}
