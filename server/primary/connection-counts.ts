/** Counts client connections, in all and by address, and says when there are too many. */
import { RookeryError } from "../../shared/errors.ts";

export class ConnectionCounts {
  readonly #limits: { readonly total: number; readonly perAddress: number };
  readonly #connections = new Map<number, { readonly address: string; workerId: number | undefined }>();
  readonly #byAddress = new Map<string, number>();

  constructor(limits: { total: number; perAddress: number }) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#connections.size;
  }

  /**
   * Counts a connection until it is reported as closed.
   *
   * @throws RookeryError SERVER_BUSY when the server, or RATE_LIMITED when the address, has no connection left
   */
  open(connectionId: number, address: string): void {
    if (this.total >= this.#limits.total)
      throw new RookeryError("SERVER_BUSY", "The server has no connection left.");
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#limits.perAddress) {
      throw new RookeryError("RATE_LIMITED", "There are too many connections from this address.");
    }
    this.#connections.set(connectionId, { address, workerId: undefined });
    this.#byAddress.set(address, count + 1);
  }

  /** @param workerId undefined: it is at none again */
  passed(connectionId: number, workerId: number | undefined): void {
    const connection = this.#connections.get(connectionId);
    if (connection !== undefined) connection.workerId = workerId;
  }

  closed(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    this.#connections.delete(connectionId);
    const left = (this.#byAddress.get(connection.address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(connection.address, left);
    else this.#byAddress.delete(connection.address);
  }

  /** A snapshot of the connections that were last passed to this worker. */
  ofWorker(workerId: number): number[] {
    return [...this.#connections].flatMap(([connectionId, connection]) =>
      connection.workerId === workerId ? [connectionId] : [],
    );
  }
}
