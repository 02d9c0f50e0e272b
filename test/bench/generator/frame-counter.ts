/**
 * Finds where the frames of a server's byte stream end, and looks at nothing else: what is measured is the server, so
 * the client must cost next to nothing.
 */
const OPCODE = { CLOSE: 0x8, PING: 0x9 } as const;
const OPCODE_MASK = 0x0f;
const FINAL = 0x80;
/** Opcodes from here on are of control frames. */
const CONTROL = 0x8;
const LENGTH_MASK = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const SHORT_HEADER_BYTES = 2;
const LONGEST_HEADER_BYTES = 10;

export class FrameCounter {
  /** Messages that have ended so far. */
  messages = 0;
  pings = 0;
  isClosed = false;
  readonly #header = Buffer.alloc(LONGEST_HEADER_BYTES);
  #headerBytes = 0;
  #headerLength = SHORT_HEADER_BYTES;
  #payloadRest = 0;

  /** Takes the next `length` bytes of the stream. */
  push(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#payloadRest > 0) {
        const taken = Math.min(this.#payloadRest, length - at);
        at += taken;
        this.#payloadRest -= taken;
        if (this.#payloadRest === 0) this.#endFrame();
        continue;
      }
      this.#header[this.#headerBytes++] = bytes[at++] as number;
      if (this.#headerBytes === SHORT_HEADER_BYTES) this.#headerLength = this.#fullHeaderLength();
      if (this.#headerBytes < this.#headerLength) continue;
      this.#payloadRest = this.#payloadLength();
      if (this.#payloadRest === 0) this.#endFrame();
    }
  }

  #fullHeaderLength(): number {
    const short = (this.#header[1] as number) & LENGTH_MASK;
    if (short < LENGTH_16) return SHORT_HEADER_BYTES;
    return short === LENGTH_16 ? SHORT_HEADER_BYTES + 2 : LONGEST_HEADER_BYTES;
  }

  #payloadLength(): number {
    const short = (this.#header[1] as number) & LENGTH_MASK;
    if (short === LENGTH_16) return this.#header.readUInt16BE(SHORT_HEADER_BYTES);
    if (short === LENGTH_64) return Number(this.#header.readBigUInt64BE(SHORT_HEADER_BYTES));
    return short;
  }

  #endFrame(): void {
    this.#headerBytes = 0;
    this.#headerLength = SHORT_HEADER_BYTES;
    const first = this.#header[0] as number;
    const opcode = first & OPCODE_MASK;
    if (opcode === OPCODE.PING) this.pings += 1;
    else if (opcode === OPCODE.CLOSE) this.isClosed = true;
    else if (opcode < CONTROL && (first & FINAL) !== 0) this.messages += 1;
  }
}
