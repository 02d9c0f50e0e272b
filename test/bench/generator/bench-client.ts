/**
 * One client of the load generator: a bare TCP socket that does the WebSocket handshake, joins, and from then on counts
 * what comes and writes a prepared frame when it is told to.
 */
import { connect, type Socket } from "node:net";
import { FrameCounter } from "./frame-counter.ts";
import { MarkerCounter } from "./marker-counter.ts";
import { FIRST_BYTE, MaskedFrame } from "./masked-frame.ts";
import type { InputForm, Load } from "./messages.ts";
import type { InputFrame, Joining, Ticket } from "./protocols.ts";

/** Servers do not care whether it is another for each connection; random bytes would cost this process more. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HEAD_END = "\r\n\r\n";
const SWITCHING = "HTTP/1.1 101 ";
const BYTE_BITS = 8;
const BYTE_MASK = 0xff;
const READ_BYTES = 64 * 1024;
/** All sockets read into it: what is read is used up before the next one reads. */
const READ_BUFFER = new Uint8Array(READ_BYTES);

export type ClientEvents = {
  /** @param updates that have come with these bytes */
  readonly onData: (client: BenchClient, bytes: number, updates: number) => void;
  readonly onLost: () => void;
};

type Seat = Pick<Load, "inputBytes" | "inputForm" | "updates"> & {
  readonly port: number;
  readonly roomType: string;
};

export class BenchClient {
  /** When it last got a message, in milliseconds; 0: not in this window yet. */
  lastMessageMs = 0;
  readonly #listener: ClientEvents;
  readonly #counter = new FrameCounter();
  readonly #pong = new MaskedFrame(new Uint8Array(), FIRST_BYTE.PONG);
  /** Undefined when updates are messages. */
  readonly #events: MarkerCounter | undefined;
  readonly #input: MaskedFrame;
  readonly #frame: InputFrame;
  readonly #protocol: Joining;
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<Buffer>();
  /** Until the acknowledgement is answered, for those that are. */
  #answered: PromiseWithResolvers<void> | undefined;
  /** Everything received, until the client has joined. */
  #joining: Buffer | undefined = Buffer.alloc(0);
  #isWelcomed: (bytes: Buffer) => boolean = () => false;
  #sequence = 0;
  #pingsAnswered = 0;

  private constructor(seat: Seat, joining: Joining, listener: ClientEvents) {
    this.#listener = listener;
    const form: InputForm = seat.inputForm ?? "bytes";
    this.#frame = joining.inputFrame(seat.inputBytes, form);
    this.#input = new MaskedFrame(this.#frame.payload, joining.firstByte);
    this.#protocol = joining;
    const { eventStart } = joining;
    this.#events =
      seat.updates === "events" && eventStart !== undefined ? new MarkerCounter(eventStart) : undefined;
    this.#socket = connect({
      port: seat.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length, bytes) => this.#onRead(bytes, length) },
    });
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      const early = new Error("closed before it had joined");
      this.#answered?.reject(early);
      if (this.#joining !== undefined) this.#opened.reject(early);
      else listener.onLost();
    });
  }

  /**
   * @returns the client, once it has its seat, and what gives the name of its room where the server tells: to look for
   * it costs this process more than all the rest of a join
   * @throws Error when it is not welcomed
   */
  static async join(
    seat: Seat,
    joining: Joining,
    listener: ClientEvents,
  ): Promise<{ client: BenchClient; roomId: () => string | undefined }> {
    const ticket = await joining.reserve(seat.port, seat.roomType);
    const client = new BenchClient(seat, joining, listener);
    const welcome = await client.#open(ticket, joining);
    if (!joining.welcomeStart.every((byte, index) => welcome[index] === byte))
      throw new Error(`refused: ${Buffer.from(welcome).toString()}`);
    return { client, roomId: () => ticket.roomId ?? joining.roomOf(welcome) };
  }

  /** Sends one input. The frame is changed in place, unless the last one has not left this process yet. */
  sendInput(input: Uint8Array): void {
    if (this.#socket.writableLength > 0) this.#input.bytes = Buffer.from(this.#input.bytes);
    const { inputOffset, sequenceOffset, eventsOffset } = this.#frame;
    this.#sequence += 1;
    if (sequenceOffset !== undefined) this.#writeNumber(sequenceOffset, this.#sequence);
    if (eventsOffset !== undefined) this.#writeNumber(eventsOffset, this.#events?.count ?? 0);
    this.#input.write(inputOffset, input);
    this.#socket.write(this.#input.bytes);
  }

  /** Gives up the seat, and waits until the connection has ended. */
  async leave(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", () => resolve());
    const { leaving, firstByte } = this.#protocol;
    this.#socket.write(new MaskedFrame(leaving, firstByte).bytes);
    await promise;
  }

  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  #writeNumber(offset: number, value: number): void {
    this.#input.writeByte(offset, (value >> BYTE_BITS) & BYTE_MASK);
    this.#input.writeByte(offset + 1, value & BYTE_MASK);
  }

  async #open({ path, headers }: Ticket, joining: Joining): Promise<Uint8Array> {
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${KEY}`,
      ...headers,
    ];
    this.#isWelcomed = (bytes) => {
      const head = bytes.indexOf(HEAD_END);
      if (head < 0) return false;
      if (!bytes.toString("latin1").startsWith(SWITCHING)) {
        this.#opened.reject(new Error(`refused: ${bytes.toString("latin1", 0, head)}`));
        return false;
      }
      return !joining.isWelcomed || firstMessage(bytes.subarray(head + HEAD_END.length)) !== undefined;
    };
    this.#socket.write(`${lines.join("\r\n")}${HEAD_END}`);
    const received = await this.#opened.promise;
    const stream = received.subarray(received.indexOf(HEAD_END) + HEAD_END.length);
    if (joining.acknowledgement !== undefined) {
      if (joining.isAnswered) this.#answered = Promise.withResolvers();
      this.#socket.write(new MaskedFrame(joining.acknowledgement, joining.firstByte).bytes);
      await this.#answered?.promise;
      this.#answered = undefined;
    }
    return firstMessage(stream) ?? new Uint8Array();
  }

  #onRead(bytes: Uint8Array, length: number): boolean {
    if (this.#joining === undefined) {
      this.#count(bytes, length);
      return true;
    }
    this.#joining = Buffer.concat([this.#joining, bytes.subarray(0, length)]);
    if (this.#isWelcomed(this.#joining)) {
      const received = this.#joining;
      this.#joining = undefined;
      const stream = received.subarray(received.indexOf(HEAD_END) + HEAD_END.length);
      this.#count(stream, stream.length);
      this.#opened.resolve(received);
    }
    return true;
  }

  #count(bytes: Uint8Array, length: number): void {
    const counter = this.#counter;
    const before = this.#updates();
    counter.push(bytes, length);
    // The first one was the welcome.
    if (this.#answered !== undefined && counter.messages > 1) this.#answered.resolve();
    this.#events?.push(bytes, length);
    for (; this.#pingsAnswered < counter.pings; this.#pingsAnswered++) this.#socket.write(this.#pong.bytes);
    if (counter.isClosed) this.#socket.end();
    this.#listener.onData(this, length, this.#updates() - before);
  }

  /** Received so far. */
  #updates(): number {
    return this.#events === undefined ? this.#counter.messages : this.#events.count;
  }
}

const LENGTH_16 = 126;
const OPCODE_MASK = 0x0f;
/** Opcodes from here on are of control frames, which may come first. */
const CONTROL = 0x8;

/** @returns the payload of the first message, when all of it is there; welcomes are shorter than 64 KiB */
function firstMessage(stream: Buffer): Uint8Array | undefined {
  for (let at = 0; at + 2 <= stream.length; ) {
    const short = stream.readUInt8(at + 1);
    const start = at + (short < LENGTH_16 ? 2 : 4);
    if (start > stream.length) return undefined;
    const end = start + (short < LENGTH_16 ? short : stream.readUInt16BE(at + 2));
    if (end > stream.length) return undefined;
    if ((stream.readUInt8(at) & OPCODE_MASK) < CONTROL) return stream.subarray(start, end);
    at = end;
  }
  return undefined;
}
