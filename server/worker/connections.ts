/**
 * The open client connections of one worker: finds those that have fallen silent, tells the primary which have closed
 * (it counts them), lets go of those that go elsewhere, and waits for the last one.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { LIMITS } from "../limits.ts";
import type { Transport } from "../transport/transport.ts";
import type { WsTransport } from "../transport/ws-transport.ts";

type LetGo = Pick<Transport, "letGo">;
type Connected = LetGo & Pick<WsTransport, "takeHeard" | "onceClosed" | "close">;

type OpenConnection = { readonly connectionId: number; readonly transport: Connected; silentMs: number };

export type ConnectionsOptions = {
  readonly scheduler: Scheduler;
  /** Runs a callback after what is in flight now, such as setImmediate. */
  readonly defer: (callback: () => void) => void;
  /** Gets the ids of all that closed in one turn of the event loop. */
  readonly onClosed: (connectionIds: readonly number[]) => void;
};

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<LetGo, OpenConnection>();
  #sweep: TimerHandle;
  #closedIds: number[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#sweep = this.#sweepLater();
  }

  get size(): number {
    return this.#open.size;
  }

  add(connectionId: number, transport: Connected): void {
    this.#open.set(transport, { connectionId, transport, silentMs: 0 });
    transport.onceClosed(() => {
      if (!this.#open.delete(transport)) return;
      this.closed(connectionId);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
  }

  /** Lets go of connections that are to go on at another worker. @returns the ids of those that are open */
  letGo(transports: Iterable<LetGo>): number[] {
    const connectionIds: number[] = [];
    for (const transport of transports) {
      const connectionId = this.#open.get(transport)?.connectionId;
      if (connectionId === undefined) continue;
      connectionIds.push(connectionId);
      this.#open.delete(transport);
      transport.letGo();
    }
    return connectionIds;
  }

  /** Reports a connection as closed. */
  closed(connectionId: number): void {
    if (this.#closedIds.push(connectionId) > 1) return;
    this.#options.defer(() => {
      const closedIds = this.#closedIds;
      this.#closedIds = [];
      this.#options.onClosed(closedIds);
    });
  }

  /** Settles when no connection is open any more; each is bounded by `closeTimeoutMs` once it is closing. */
  async allClosed(): Promise<void> {
    this.#options.scheduler.clearTimeout(this.#sweep);
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #sweepLater(): TimerHandle {
    return this.#options.scheduler.setTimeout(() => {
      for (const connection of this.#open.values()) {
        // Of time in which this process did not run, nobody is accused.
        connection.silentMs = connection.transport.takeHeard()
          ? 0
          : connection.silentMs + LIMITS.silenceCheckMs;
        if (connection.silentMs >= LIMITS.clientSilenceMs) connection.transport.close("CLIENT_SILENT");
      }
      this.#sweep = this.#sweepLater();
    }, LIMITS.silenceCheckMs);
  }
}
