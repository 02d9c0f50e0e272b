/**
 * A client that costs next to nothing, for crowds and for large messages: it says hello, finds the messages in what it
 * reads and hands them on as bytes. Nothing is copied but messages that come in pieces.
 */
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";
const SWITCHING = "HTTP/1.1 101 ";
const BINARY = 0x82;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;
const WAIT_MS = 20_000;
/** All of them read into it: what is read is used up before the next one reads. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

export class LeanClient {
  readonly socket: Socket;
  /** Read so far. */
  bytes = 0;
  messages = 0;
  isClosed = false;
  readonly #onMessage: (payload: Buffer) => void;
  #isOpen = false;
  /** The beginning of a frame, or of the answer to the handshake, that has not come whole. */
  #piece = Buffer.alloc(0);
  #pieceBytes = 0;
  readonly #waiting = new Set<() => void>();

  /**
   * @param head of the handshake
   * @param onMessage its payload is the client's only until it returns
   */
  constructor(port: number, head: Buffer, onMessage: (payload: Buffer) => void) {
    this.#onMessage = onMessage;
    const callback = (length: number) => {
      this.bytes += length;
      this.#read(READ_BUFFER.subarray(0, length));
      this.#check();
      return true;
    };
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback },
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#check();
    });
    this.socket.write(head);
  }

  /** Waits until something that comes, or the end, makes `condition` true. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (condition()) resolve();
      else if (this.isClosed) reject(new Error(`closed before ${what}`));
    };
    this.#waiting.add(check);
    const timer = setTimeout(() => reject(new Error(`no ${what} within ${WAIT_MS} ms`)), WAIT_MS);
    check();
    await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(check);
    });
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  #read(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0; ) {
      const length = this.#pieceBytes === 0 ? this.#lengthOf(rest) : undefined;
      if (length !== undefined && length <= rest.length) {
        this.#take(rest.subarray(0, length));
        rest = rest.subarray(length);
      } else {
        rest = rest.subarray(this.#append(rest));
      }
    }
  }

  /** @returns how many of the bytes belong to the piece; until it tells its length, they are taken one by one */
  #append(bytes: Buffer): number {
    const length = this.#lengthOf(this.#piece.subarray(0, this.#pieceBytes)) ?? this.#pieceBytes + 1;
    if (length > this.#piece.length) {
      const longer = Buffer.alloc(2 * length);
      this.#piece.copy(longer, 0, 0, this.#pieceBytes);
      this.#piece = longer;
    }
    const count = bytes.copy(this.#piece, this.#pieceBytes, 0, length - this.#pieceBytes);
    this.#pieceBytes += count;
    const piece = this.#piece.subarray(0, this.#pieceBytes);
    if (this.#lengthOf(piece) === this.#pieceBytes) {
      this.#pieceBytes = 0;
      this.#take(piece);
    }
    return count;
  }

  /** @returns the length of what begins here, if there is enough of it to tell */
  #lengthOf(bytes: Buffer): number | undefined {
    if (this.#isOpen) return frameLength(bytes);
    const end = bytes.indexOf(HEAD_END);
    return end < 0 ? undefined : end + HEAD_END.length;
  }

  #take(whole: Buffer): void {
    if (!this.#isOpen) {
      if (!whole.toString("latin1").startsWith(SWITCHING)) throw new Error(`refused: ${whole}`);
      this.#isOpen = true;
    } else if (whole[0] === BINARY) {
      this.messages += 1;
      this.#onMessage(whole.subarray(headLength(whole)));
    }
  }
}

/** Of a frame that is not masked; its second byte is there. */
function headLength(frame: Buffer): number {
  const short = frame.readUInt8(1);
  return short === LENGTH_IN_8_BYTES ? 10 : short === LENGTH_IN_2_BYTES ? 4 : 2;
}

function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2 || bytes.length < headLength(bytes)) return undefined;
  const short = bytes.readUInt8(1);
  if (short === LENGTH_IN_8_BYTES) return 10 + Number(bytes.readBigUInt64BE(2));
  return short === LENGTH_IN_2_BYTES ? 4 + bytes.readUInt16BE(2) : 2 + short;
}
