/**
 * A WebSocket client on a bare TCP socket, for what a well-behaved library never does: bytes cut anywhere, frames
 * sent before the handshake is answered, connections that vanish.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { decodeServerMessage, encodeClientValue, tagToldBy } from "../../shared/protocol/codec.ts";
import { formatOffer } from "../../shared/protocol/handshake.ts";
import { type ClientValue, ServerMessage, type ServerValue } from "../../shared/protocol/wire.ts";

const BINARY = 0x82;
const CLOSE = 0x88;
const WAIT_MS = 20_000;

/** @returns the head of a WebSocket handshake */
export function handshakeHead(
  path: string,
  offer: Parameters<typeof formatOffer>[0] = { eventsReceived: 0 },
): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n` +
      `Sec-WebSocket-Protocol: ${formatOffer(offer).join(", ")}\r\n\r\n`,
  );
}

/** @returns a masked binary frame with one value */
export function clientFrame(value: ClientValue): Buffer {
  return frame(BINARY, encodeClientValue(value));
}

/** @returns a masked frame of any kind; first is its first byte */
export function frame(first: number, payload: Uint8Array, mask: Uint8Array = randomBytes(4)): Buffer {
  const head = Buffer.concat([frameHead(first, payload.length, 0x80), mask]);
  return Buffer.concat([head, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

/** @returns a frame as servers send it: not masked */
export function serverFrame(first: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHead(first, payload.length, 0), payload]);
}

/** The first 2, 4 or 10 bytes of a frame. */
function frameHead(first: number, length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([first, maskBit | length]);
  const isShort = length < 65_536;
  const head = Buffer.alloc(isShort ? 4 : 10);
  head.set([first, maskBit | (isShort ? 126 : 127)]);
  if (isShort) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export class RawClient {
  readonly socket: Socket;
  /** All values received so far, in order. */
  readonly values: ServerValue[] = [];
  /** The status line's number, once it is here. */
  status: number | undefined;
  /** From a close frame. */
  closeCode: number | undefined;
  isClosed = false;
  #bytes: Buffer = Buffer.alloc(0);
  #tag: number | undefined;
  #onChange: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      this.#parse();
      this.#onChange?.();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#onChange?.();
    });
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, "connect");
    return this;
  }

  /** Waits until something received makes `condition` true. */
  async until(condition: (client: this) => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (condition(this)) resolve();
      else if (this.isClosed)
        reject(new Error(`closed (status ${this.status}, code ${this.closeCode}) before ${what}`));
    };
    const timer = setTimeout(() => reject(new Error(`no ${what} within ${WAIT_MS} ms`)), WAIT_MS);
    this.#onChange = check;
    check();
    await promise.finally(() => clearTimeout(timer));
  }

  /** The payload of the first event of this name. */
  async event(name: string): Promise<unknown> {
    const isIt = (value: ServerValue) => value[0] === ServerMessage.EVENT && value[1] === name;
    await this.until((client) => client.values.some(isIt), `event ${name}`);
    return this.values.find(isIt)?.[2];
  }

  #parse(): void {
    if (this.status === undefined) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.status = Number(this.#bytes.subarray(9, 12).toString());
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    if (this.status !== 101) return;
    for (let next = splitFrame(this.#bytes); next !== undefined; next = splitFrame(this.#bytes)) {
      this.#bytes = next.rest;
      if (next.first === CLOSE) this.closeCode = next.payload.readUInt16BE(0);
      if (next.first !== BINARY) continue;
      const values = decodeServerMessage(next.payload, this.#tag);
      this.#tag = tagToldBy(values[0]) ?? this.#tag;
      this.values.push(...values);
    }
  }
}

function splitFrame(bytes: Buffer): { first: number; payload: Buffer; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1);
  const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headBytes) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < headBytes + length) return undefined;
  return {
    first: bytes.readUInt8(0),
    payload: bytes.subarray(headBytes, headBytes + length),
    rest: bytes.subarray(headBytes + length),
  };
}
