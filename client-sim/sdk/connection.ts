/**
 * One WebSocket to a room: decodes what comes, checks that it is whole, keeps the connection alive and notices when
 * the server has gone silent. It ends once, with a `Loss` that says why, and is not used again.
 */
import { RookeryError } from "../../shared/errors.ts";
import { decodeServerMessage, tagToldBy } from "../../shared/protocol/client-codec.ts";
import { ServerMessage, type ServerValue } from "../../shared/protocol/wire.ts";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { type Loss, lossOfClose, lossOfCode, lossOfError } from "./retry-policy.ts";
import { type CloseLike, type MessageLike, SOCKET_OPEN, type WebSocketLike } from "./socket.ts";

export type ConnectionHandlers = {
  /** The parts of one message; whatever it throws loses the connection. */
  readonly onMessage: (values: readonly ServerValue[], bytes: number) => void;
  /** Time to send a PING. */
  readonly onBeat: () => void;
  readonly onLost: (loss: Loss) => void;
};

export class Connection {
  readonly #socket: WebSocketLike;
  readonly #handlers: ConnectionHandlers;
  readonly #scheduler: Scheduler;
  /** Of the messages that come; undefined before the first one. */
  #tag: number | undefined;
  #isWelcomed = false;
  #ended = false;
  #heardAtMs: number;
  #beats = 0;
  #burstPingMs: number = CLIENT_LIMITS.burstPingMs;
  #timer: TimerHandle;

  constructor(socket: WebSocketLike, handlers: ConnectionHandlers, scheduler: Scheduler) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#scheduler = scheduler;
    this.#heardAtMs = scheduler.now();
    this.#timer = scheduler.setTimeout(() => this.#beat(), CLIENT_LIMITS.pingMs);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }: MessageLike) => this.#receive(data);
    socket.onclose = ({ code }: CloseLike) => {
      this.#detach();
      handlers.onLost(lossOfClose(code));
    };
    // Every error is followed by a close event, which says more.
    socket.onerror = () => {};
  }

  /** True from WELCOME on: the server takes messages. */
  get isWelcomed(): boolean {
    return this.#isWelcomed && !this.#ended;
  }

  send(bytes: Uint8Array): void {
    // The copy-free cast: the codec's bytes are never in shared memory.
    if (this.#socket.readyState === SOCKET_OPEN) this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  /** Ends it without a word to `onLost`. */
  close(code: number): void {
    if (this.#ended) return;
    this.#detach();
    this.#socket.close(code);
  }

  #receive(data: unknown): void {
    this.#heardAtMs = this.#scheduler.now();
    try {
      if (!(data instanceof ArrayBuffer)) throw new RookeryError("PROTOCOL_ERROR", "The server sent text.");
      const bytes = new Uint8Array(data);
      const values = decodeServerMessage(bytes, this.#tag);
      this.#tag = tagToldBy(values[0]) ?? this.#tag;
      const isWelcome = values[0]?.[0] === ServerMessage.WELCOME;
      if (isWelcome) {
        this.#burstPingMs = CLIENT_LIMITS[this.#isWelcomed ? "movedBurstPingMs" : "burstPingMs"];
        this.#isWelcomed = true;
      }
      this.#handlers.onMessage(values, bytes.length);
      if (!isWelcome) return;
      // The room's clock may have stood still: it is measured anew.
      this.#beats = 0;
      this.#beat();
    } catch (error) {
      this.#lose(lossOfError(error));
    }
  }

  /** A few pings in quick succession at first, for the clock; then just enough to know that both sides live. */
  #beat(): void {
    if (this.#ended) return;
    this.#scheduler.clearTimeout(this.#timer);
    if (this.#scheduler.now() - this.#heardAtMs >= CLIENT_LIMITS.silenceMs) return this.#lose(silence());
    let delayMs: number = CLIENT_LIMITS.pingMs;
    if (this.#isWelcomed) {
      this.#beats += 1;
      if (this.#beats < CLIENT_LIMITS.burstPings) delayMs = this.#burstPingMs;
      this.#handlers.onBeat();
    }
    this.#timer = this.#scheduler.setTimeout(() => this.#beat(), delayMs);
  }

  /** Our own verdict: the server may not know of it, so nothing waits for its answer. */
  #lose(loss: Loss): void {
    if (this.#ended) return;
    this.close(loss.close);
    this.#handlers.onLost(loss);
  }

  #detach(): void {
    this.#ended = true;
    this.#scheduler.clearTimeout(this.#timer);
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
  }
}

function silence(): Loss {
  return { ...lossOfCode("TIMEOUT"), retry: "resume" };
}
