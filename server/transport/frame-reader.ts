/**
 * Reads WebSocket frames (RFC 6455, section 5.2) as far as a game needs it: whole binary messages in one masked frame,
 * which is nearly all that clients send. They are unmasked where they lie and handed over without a copy. Everything
 * else (control frames, fragments, text, what is too long or breaks the rules) is copied, frame by frame, for a reader
 * that knows the whole protocol.
 *
 * As long as messages come whole nothing need be known of what came before; a `FrameReader` there is only from something
 * that does not to its end.
 */

/** First byte of a final frame of bytes. */
export const BINARY = 0x82;
const CONTINUATION = 0x00;
const FIN = 0x80;
const OPCODE = 0x0f;
const FIRST_CONTROL_OPCODE = 0x08;
/** Top bit of the second byte, whose rest is the length of the payload. */
export const MASKED = 0x80;
/** In place of a length: it follows in 2 bytes; with 127 in 8. */
export const LENGTH_IN_2_BYTES = 126;
export const MASK_BYTES = 4;
const HEAD_BYTES_MAX = 4 + MASK_BYTES;

export type FrameSink = {
  /** A whole message, the bytes from `from` to before `end`. They are the sink's only until it returns. */
  onMessage(bytes: Uint8Array, from: number, end: number): void;
  /** The next bytes of all that is not for `onMessage`. */
  onOther(copy: Buffer): void;
};

/**
 * Reads what has come next of a stream.
 *
 * @param reader what the last call has returned
 * @param chunk the first `length` of them are the next bytes; they are changed, and not kept
 * @param payloadBytesMax longer messages are left to the other reader, which refuses them
 * @returns what is needed to go on: undefined as long as all has come in whole messages
 */
export function readFrames(
  reader: FrameReader | undefined,
  chunk: Uint8Array,
  length: number,
  payloadBytesMax: number,
  sink: FrameSink,
): FrameReader | undefined {
  const at = reader === undefined ? takeMessages(chunk, 0, length, payloadBytesMax, sink) : 0;
  if (at === length) return reader;
  const needed = reader ?? new FrameReader(payloadBytesMax, sink);
  needed.read(chunk, at, length);
  return needed.isIdle ? undefined : needed;
}

/**
 * Hands over the whole messages from `at` on, where a frame begins.
 *
 * @returns where something begins that is for a `FrameReader`, or `length`
 */
function takeMessages(
  chunk: Uint8Array,
  at: number,
  length: number,
  payloadBytesMax: number,
  sink: FrameSink,
): number {
  let next = at;
  while (next < length && chunk[next] === BINARY) {
    const head = headAt(chunk, next, length);
    if (head === undefined || head.payloadBytes > payloadBytesMax) return next;
    const start = next + head.bytes;
    const end = start + head.payloadBytes;
    if (end > length) return next;
    deliver(sink, chunk, start, end);
    next = end;
  }
  return next;
}

function deliver(sink: FrameSink, bytes: Uint8Array, start: number, end: number): void {
  const maskAt = start - MASK_BYTES;
  for (let i = 0; i < end - start; i += 1) {
    bytes[start + i] = (bytes[start + i] as number) ^ (bytes[maskAt + (i & 3)] as number);
  }
  sink.onMessage(bytes, start, end);
}

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #payloadBytesMax: number;
  /** A frame whose end has not come, or as much of it as is needed to tell what it is. */
  #partial: Buffer | undefined;
  #partialBytes = 0;
  /** Of a frame that is not for `onMessage`. */
  #otherBytesLeft = 0;
  /** From here on nothing is understood, or not by this reader. */
  #isOver = false;
  #isFragmented = false;

  constructor(payloadBytesMax: number, sink: FrameSink) {
    this.#payloadBytesMax = payloadBytesMax;
    this.#sink = sink;
  }

  /** Between two frames of the stream, with nothing kept: `takeMessages` can go on. */
  get isIdle(): boolean {
    return this.#partial === undefined && this.#otherBytesLeft === 0 && !this.#isOver && !this.#isFragmented;
  }

  /** The next bytes of the stream are those from `from` to before `length`. */
  read(chunk: Uint8Array, from: number, length: number): void {
    let at = from;
    while (at < length) {
      if (this.#isOver || this.#otherBytesLeft > 0) at = this.#passOn(chunk, at, length);
      else if (this.#partial !== undefined) at = this.#complete(chunk, at, length);
      else {
        if (!this.#isFragmented) at = takeMessages(chunk, at, length, this.#payloadBytesMax, this.#sink);
        if (at < length) at = this.#frame(chunk, at, length);
      }
    }
  }

  /** A frame begins that is none for `takeMessages`. @returns where it is to be gone on, or the end of the chunk */
  #frame(chunk: Uint8Array, at: number, length: number): number {
    const head = headAt(chunk, at, length);
    if (head === undefined) return this.#keep(chunk, at, length, HEAD_BYTES_MAX);
    if (this.#isPlain(chunk[at] as number, head))
      return this.#keep(chunk, at, length, head.bytes + head.payloadBytes);
    this.#beginOther(chunk[at] as number, head);
    return at;
  }

  #isPlain(first: number, { payloadBytes }: Head): boolean {
    return first === BINARY && !this.#isFragmented && payloadBytes <= this.#payloadBytesMax;
  }

  #beginOther(first: number, { bytes, payloadBytes }: Head): void {
    this.#otherBytesLeft = bytes + payloadBytes;
    // Not masked, or longer than any message may be: the connection will not outlive it.
    this.#isOver = payloadBytes > this.#payloadBytesMax;
    const opcode = first & OPCODE;
    if (opcode >= FIRST_CONTROL_OPCODE) return;
    this.#isFragmented = (first & FIN) === 0 || (opcode !== CONTINUATION && this.#isFragmented);
  }

  #passOn(chunk: Uint8Array, at: number, length: number): number {
    const end = this.#isOver ? length : Math.min(length, at + this.#otherBytesLeft);
    this.#otherBytesLeft -= end - at;
    this.#sink.onOther(Buffer.from(chunk.subarray(at, end)));
    return end;
  }

  /** Keeps the beginning of a frame. @param frameBytes room for all of it, as far as that is known */
  #keep(chunk: Uint8Array, at: number, length: number, frameBytes: number): number {
    this.#partial = Buffer.allocUnsafe(frameBytes);
    this.#partial.set(chunk.subarray(at, length));
    this.#partialBytes = length - at;
    return length;
  }

  /** Adds to a frame that has begun in an earlier chunk, and takes it up when there is enough of it. */
  #complete(chunk: Uint8Array, at: number, length: number): number {
    const partial = this.#partial as Buffer;
    const before = this.#partialBytes;
    const end = Math.min(length, at + partial.length - before);
    partial.set(chunk.subarray(at, end), before);
    const bytes = before + end - at;
    const head = headAt(partial, 0, bytes);
    const first = partial[0] as number;
    const isWhole = head !== undefined && bytes >= head.bytes + head.payloadBytes;
    if (head === undefined || (this.#isPlain(first, head) && !isWhole)) {
      this.#partialBytes = bytes;
      if (head !== undefined) this.#grow(head.bytes + head.payloadBytes);
      return end;
    }
    this.#partial = undefined;
    if (this.#isPlain(first, head)) {
      const frameBytes = head.bytes + head.payloadBytes;
      deliver(this.#sink, partial, head.bytes, frameBytes);
      return at + frameBytes - before;
    }
    this.#beginOther(first, head);
    this.#passOn(partial, 0, before);
    return at;
  }

  #grow(frameBytes: number): void {
    const partial = this.#partial as Buffer;
    if (frameBytes <= partial.length) return;
    this.#partial = Buffer.allocUnsafe(frameBytes);
    this.#partial.set(partial.subarray(0, this.#partialBytes));
  }
}

type Head = {
  readonly bytes: number;
  /** Infinity for a frame that is not masked or says its length in 8 bytes: no client sends such a one in order. */
  readonly payloadBytes: number;
};

/** @returns undefined when more of the head is needed than there is before `end` */
function headAt(bytes: Uint8Array, at: number, end: number): Head | undefined {
  if (end - at < 2) return undefined;
  const length = (bytes[at + 1] as number) - MASKED;
  if (length < 0 || length > LENGTH_IN_2_BYTES) return { bytes: 0, payloadBytes: Number.POSITIVE_INFINITY };
  if (length < LENGTH_IN_2_BYTES) {
    return end - at < 2 + MASK_BYTES ? undefined : { bytes: 2 + MASK_BYTES, payloadBytes: length };
  }
  if (end - at < HEAD_BYTES_MAX) return undefined;
  return {
    bytes: HEAD_BYTES_MAX,
    payloadBytes: (bytes[at + 2] as number) * 256 + (bytes[at + 3] as number),
  };
}
