/**
 * Puts together messages, and parts of them, from what was encoded for many clients. Each part is copied once, to where
 * the message lies, and messages lie one behind the other in memory that is allocated for many of them, each in the frame
 * in which it is sent.
 */
import assert from "node:assert/strict";
import { type Ack, TRAILER_BYTES } from "../../shared/protocol/wire.ts";
import { FRAME_HEAD_BYTES_MAX, writeHeadBefore } from "../transport/frame-writer.ts";

/** Of the memory for many messages. */
export const SLAB_BYTES = 32 * 1024;
/** Up to this many bytes a loop is faster than copying at one go. */
const SHORT_COPY_BYTES = 24;
/** MessagePack's byte strings, with a length of 1, 2 and 4 bytes. */
const BIN_8 = 0xc4;
const BIN_16 = 0xc5;
const BIN_32 = 0xc6;
const BIN_HEAD_BYTES_MAX = 5;
/** And its arrays of up to 15 values, integers that have no sign in 1, 2 and 4 bytes, and doubles. */
const FIX_ARRAY = 0x90;
const FIX_ARRAY_MAX = 15;
const UINT_8 = 0xcc;
const UINT_16 = 0xcd;
const UINT_32 = 0xce;
const DOUBLE = 0xcb;
const FIX_UINT_MAX = 0x7f;
const NUMBER_BYTES_MAX = 9;
/** In a table of acknowledgements: one row, and how long its sequence is. */
const ROW_OF_2_BYTES = 3;
/** A slot of 32 bits, the above and the sequence. */
const ACK_BYTES_MAX = 5 + 1 + 2;

export class MessageWriter {
  #slab = new Uint8Array(SLAB_BYTES);
  /** What lies before it belongs to others. */
  #free = 0;
  /** Of the message that is being written, behind room for the head of its frame. */
  #start = FRAME_HEAD_BYTES_MAX;
  #end = FRAME_HEAD_BYTES_MAX;

  /** A new message, or part of one; one that was not taken is given up. */
  begin(): void {
    this.#start = this.#free + FRAME_HEAD_BYTES_MAX;
    this.#end = this.#start;
  }

  get isEmpty(): boolean {
    return this.#end === this.#start;
  }

  /** An encoded value, or a piece of one. */
  part(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    if (length > SHORT_COPY_BYTES) this.#slab.set(bytes, this.#end);
    else for (let i = 0; i < length; i++) this.#slab[this.#end + i] = bytes[i] as number;
    this.#end += length;
  }

  /** A value, or one of a value's, that is a byte string. */
  byteString(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(BIN_HEAD_BYTES_MAX);
    const lengthBytes = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 4;
    this.#slab[this.#end++] = lengthBytes === 1 ? BIN_8 : lengthBytes === 2 ? BIN_16 : BIN_32;
    this.#bigEndian(length, lengthBytes);
    this.part(bytes);
  }

  /** What a value begins with that is an array; its values follow. @param count at most 15 */
  array(count: number): void {
    assert(count <= FIX_ARRAY_MAX);
    this.#reserve(1);
    this.#slab[this.#end++] = FIX_ARRAY + count;
  }

  /** @param value a safe integer, not negative */
  uint(value: number): void {
    this.#reserve(NUMBER_BYTES_MAX);
    if (value <= FIX_UINT_MAX) {
      this.#slab[this.#end++] = value;
      return;
    }
    if (value >= 2 ** 32) return this.#double(value);
    const valueBytes = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4;
    this.#slab[this.#end++] = valueBytes === 1 ? UINT_8 : valueBytes === 2 ? UINT_16 : UINT_32;
    this.#bigEndian(value, valueBytes);
  }

  #double(value: number): void {
    this.#slab[this.#end] = DOUBLE;
    const { buffer, byteOffset } = this.#slab;
    new DataView(buffer, byteOffset).setFloat64(this.#end + 1, value);
    this.#end += NUMBER_BYTES_MAX;
  }

  #bigEndian(value: number, bytes: number): void {
    for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8) this.#slab[this.#end++] = value >>> shift;
  }

  /** A table of acknowledgements that has one row, with 2 bytes of the sequence: as `encodeAcks` makes it. */
  ack({ slot, seq }: Ack): void {
    this.#reserve(BIN_HEAD_BYTES_MAX + ACK_BYTES_MAX);
    this.#slab[this.#end] = BIN_8;
    const start = this.#end + 2;
    this.#end = start;
    let rest = slot;
    for (; rest >= 0x80; rest >>>= 7) this.#slab[this.#end++] = rest | 0x80;
    this.#slab[this.#end++] = rest;
    this.#slab[this.#end++] = ROW_OF_2_BYTES;
    this.#slab[this.#end++] = seq;
    this.#slab[this.#end++] = seq >>> 8;
    this.#slab[start - 1] = this.#end - start;
  }

  /** Ends the message with its trailer. @returns its frame: bytes that nothing else is written to */
  takeFrame(tag: number): Uint8Array {
    this.#reserve(TRAILER_BYTES);
    for (let shift = 0; shift < 8 * TRAILER_BYTES; shift += 8) this.#slab[this.#end++] = tag >>> shift;
    return this.#take(writeHeadBefore(this.#slab, this.#start, this.#end - this.#start));
  }

  /** Ends what is a part of messages, without a trailer. @returns bytes that nothing else is written to */
  takePart(): Uint8Array {
    return this.#take(this.#start);
  }

  #take(from: number): Uint8Array {
    const taken = this.#slab.subarray(from, this.#end);
    this.#free = this.#end;
    this.begin();
    return taken;
  }

  /** Makes room for `count` more bytes of this message. */
  #reserve(count: number): void {
    if (this.#end + count <= this.#slab.length) return;
    const begun = this.#slab.subarray(this.#start, this.#end);
    const needed = FRAME_HEAD_BYTES_MAX + begun.length + count;
    // A long message has memory of its own, with some for what comes behind it.
    this.#slab = new Uint8Array(2 * needed <= SLAB_BYTES ? SLAB_BYTES : needed + SLAB_BYTES);
    this.#free = 0;
    this.#start = FRAME_HEAD_BYTES_MAX;
    this.#slab.set(begun, this.#start);
    this.#end = this.#start + begun.length;
  }
}
