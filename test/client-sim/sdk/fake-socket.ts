/**
 * A WebSocket in memory, with the server's end as methods. Bytes take `latencyMs` in each direction on simulated time;
 * what is under way when the connection drops is lost.
 */

import type { CloseLike, MessageLike, WebSocketLike } from "../../../client-sim/sdk/socket.ts";
import { decodeClientValue } from "../../../shared/protocol/codec.ts";
import type { ClientValue } from "../../../shared/protocol/wire.ts";
import type { SimulatedTime } from "../../support/simulated-time.ts";

const OPEN = 1;
const CLOSED = 3;

export class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly openedAtMs: number;
  binaryType = "blob";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageLike) => void) | null = null;
  onclose: ((event: CloseLike) => void) | null = null;
  onerror: (() => void) | null = null;
  latencyMs = 0;
  /** By how much longer what the server sends next is held up, and all that comes after it. */
  holdMs = (): number => 0;
  #inwardDueMs = 0;
  /** What the client has sent, arrived or not. */
  readonly sent: Uint8Array[] = [];
  /** What has arrived at the server. */
  readonly received: Uint8Array[] = [];
  /** The code the client closed with. */
  closedWith: number | undefined;
  readonly #time: SimulatedTime;
  readonly #onReceived: () => void;

  constructor(url: string, protocols: string[], time: SimulatedTime, onReceived: () => void) {
    this.url = url;
    this.protocols = protocols;
    this.openedAtMs = time.now();
    this.#time = time;
    this.#onReceived = onReceived;
  }

  /** What has arrived at the server, decoded. */
  get messages(): ClientValue[] {
    return this.received.map(decodeClientValue);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== OPEN) throw new Error("the socket is not open");
    const copy = data.slice();
    this.sent.push(copy);
    this.#later(this.latencyMs, () => {
      this.received.push(copy);
      this.#onReceived();
    });
  }

  close(code = 1000): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.closedWith = code;
    this.#time.setTimeout(() => this.onclose?.({ code }), 2 * this.latencyMs);
  }

  open(): void {
    this.readyState = OPEN;
    this.onopen?.();
  }

  deliver(bytes: Uint8Array): void {
    const copy = bytes.slice().buffer;
    this.#inward(() => this.onmessage?.({ data: copy }));
  }

  closeByServer(code: number): void {
    this.#inward(() => this.#end(code));
  }

  /** The connection breaks. */
  drop(): void {
    this.onerror?.();
    this.#end(1006);
  }

  #end(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.({ code });
  }

  #inward(action: () => void): void {
    const nowMs = this.#time.now();
    this.#inwardDueMs = Math.max(this.#inwardDueMs, nowMs + this.latencyMs + this.holdMs());
    this.#later(this.#inwardDueMs - nowMs, action);
  }

  /** In order even at equal times, and never once the socket is closed. */
  #later(delayMs: number, action: () => void): void {
    this.#time.setTimeout(() => {
      if (this.readyState !== CLOSED) action();
    }, delayMs);
  }
}
