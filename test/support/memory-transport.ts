/**
 * A client connection in memory: keeps the very buffers it was given, and what they say. It can be told how much the
 * client has not read, and plays the client's side: messages, and connections that break. It keeps the promises of
 * `Transport`: nothing goes out once it is closing, and its end is told once, in a later microtask.
 */
import type { Transport, TransportListener } from "../../server/transport/transport.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { decodeServerMessage, encodeClientValue, tagToldBy } from "../../shared/protocol/codec.ts";
import {
  type ClientValue,
  ServerMessage,
  type ServerValue,
  type Welcome,
} from "../../shared/protocol/wire.ts";
import { messageIn } from "./message-in.ts";

type ValueOf<Type, Value = ServerValue> = Value extends readonly [infer Types, ...unknown[]]
  ? Type extends Types
    ? Value
    : never
  : never;

export class MemoryTransport implements Transport {
  bufferedBytes = 0;
  /** One for each call of `send` and `sendFrame`: the message, or the frame. */
  readonly sent: Uint8Array[] = [];
  /** The same, decoded. */
  readonly messages: ServerValue[][] = [];
  /** What the server closed it with. */
  closeCode: ErrorCode | undefined;
  isTerminated = false;
  /** It is in its closing handshake. */
  isClosing = false;
  /** Called within each `send`. */
  onSend: ((values: readonly ServerValue[]) => void) | undefined;
  #listener: TransportListener | undefined;
  #isOver = false;
  #tag: number | undefined;

  listen(listener: TransportListener): void {
    this.#listener = listener;
    if (this.#isOver) queueMicrotask(() => listener.onClosed());
  }

  send(message: Uint8Array): void {
    this.#send(message, message);
  }

  sendFrame(frame: Uint8Array): void {
    this.#send(frame, messageIn(frame));
  }

  #send(bytes: Uint8Array, message: Uint8Array): void {
    if (!this.isOpen) return;
    const values = decodeServerMessage(message, this.#tag);
    this.#tag = tagToldBy(values[0]) ?? this.#tag;
    this.sent.push(bytes);
    this.messages.push(values);
    this.onSend?.(values);
  }

  close(code: ErrorCode): void {
    this.closeCode ??= code;
    this.#end();
  }

  terminate(): void {
    this.isTerminated = true;
    this.#end();
  }

  letGo(): void {
    this.#listener = undefined;
    this.#isOver = true;
  }

  get isOpen(): boolean {
    return !this.#isOver && !this.isClosing;
  }

  /** All values in the order in which they came. */
  get values(): ServerValue[] {
    return this.messages.flat();
  }

  get welcome(): Welcome {
    const first = this.values[0];
    if (first?.[0] !== ServerMessage.WELCOME) throw new Error("the connection has not been welcomed");
    return first[2];
  }

  /** Names and payloads of the events that came, in order. */
  get events(): [name: string, payload: unknown][] {
    return this.values.flatMap((value) => (value[0] === ServerMessage.EVENT ? [[value[1], value[2]]] : []));
  }

  ofType<Type extends ServerValue[0]>(type: Type): ValueOf<Type>[] {
    return this.values.filter((value): value is ValueOf<Type> => value[0] === type);
  }

  /** The client sends a value. */
  receive(value: ClientValue): void {
    this.receiveBytes(encodeClientValue(value));
  }

  /** As a socket does, also while it is closing. */
  receiveBytes(bytes: Uint8Array): void {
    this.#listener?.onMessage(bytes, 0, bytes.length);
  }

  /** The connection breaks, and the server learns of it now. */
  lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.onClosed();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    queueMicrotask(() => this.#listener?.onClosed());
  }
}
