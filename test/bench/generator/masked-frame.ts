/** WebSocket frames from client to server (RFC 6455, section 5.2), made once and then changed in place. */
import { randomBytes } from "node:crypto";

const MASK_BYTES = 4;
/** First byte, masked length in 7 bits, mask. */
const HEADER_BYTES = 2 + MASK_BYTES;
const PAYLOAD_BYTES_MAX = 125;
const MASKED = 0x80;

export const FIRST_BYTE = { TEXT: 0x81, BINARY: 0x82, PONG: 0x8a } as const;

export class MaskedFrame {
  bytes: Buffer;
  readonly #mask = randomBytes(MASK_BYTES);

  /** @throws RangeError for a payload that does not fit a short frame */
  constructor(payload: Uint8Array, firstByte: number = FIRST_BYTE.BINARY) {
    if (payload.length > PAYLOAD_BYTES_MAX) throw new RangeError(`${payload.length} bytes in a short frame`);
    this.bytes = Buffer.alloc(HEADER_BYTES + payload.length);
    this.bytes[0] = firstByte;
    this.bytes[1] = MASKED | payload.length;
    this.bytes.set(this.#mask, 2);
    this.write(0, payload);
  }

  /** Writes over a part of the payload. */
  write(offset: number, part: Uint8Array): void {
    for (let index = 0; index < part.length; index++) this.writeByte(offset + index, part[index] as number);
  }

  writeByte(offset: number, byte: number): void {
    this.bytes[HEADER_BYTES + offset] = byte ^ (this.#mask[offset % MASK_BYTES] as number);
  }
}
