/**
 * Passes socket handles to one worker. A handle occupies the IPC channel until it has arrived, and plain messages
 * queue behind it: so only a few are on their way at once, and the rest waits here. The primary's copy of a handle is
 * closed when the worker says that it has it.
 */
import type { SocketHandle } from "../ipc/channel.ts";
import type { PrimaryToWorker } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import type { WorkerPort } from "./worker-process.ts";

export type Accept = Extract<PrimaryToWorker, { type: "accept" }>;
type Passing = { readonly message: Accept; readonly handle: SocketHandle };

export class Handoff {
  readonly #port: Pick<WorkerPort, "send" | "release">;
  readonly #waiting: Passing[] = [];
  readonly #sent = new Map<number, Passing>();

  constructor(port: Pick<WorkerPort, "send" | "release">) {
    this.#port = port;
  }

  /** @returns false when too many handles wait; the handle is still the caller's then */
  pass(message: Accept, handle: SocketHandle): boolean {
    if (this.#waiting.length >= LIMITS.handoffQueueMax) return false;
    this.#waiting.push({ message, handle });
    this.#fillWindow();
    return true;
  }

  /** The worker has the handle. */
  accepted(connectionId: number): void {
    const passed = this.#sent.get(connectionId);
    if (passed === undefined) return;
    this.#sent.delete(connectionId);
    this.#port.release(passed.handle);
    this.#fillWindow();
  }

  /** The worker is gone: what it had not taken is closed. @returns the ids of those connections */
  lost(): number[] {
    const passings = [...this.#sent.values(), ...this.#waiting];
    this.#sent.clear();
    this.#waiting.length = 0;
    for (const { handle } of passings) handle.close();
    return passings.map(({ message }) => message.connectionId);
  }

  #fillWindow(): void {
    while (this.#sent.size < LIMITS.handoffWindow) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#sent.set(next.message.connectionId, next);
      this.#port.send(next.message, next.handle);
    }
  }
}
