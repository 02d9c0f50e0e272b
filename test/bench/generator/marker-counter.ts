/**
 * Counts how often some bytes occur in a stream, wherever it is cut: by them the parts of a message are counted
 * without a decoder. The bytes must not overlap themselves, and occur nowhere else.
 */
export class MarkerCounter {
  count = 0;
  readonly #marker: Buffer;
  /** The end of what has come, as much as may be the beginning of the marker. */
  #tail = Buffer.alloc(0);

  constructor(marker: Uint8Array) {
    this.#marker = Buffer.from(marker);
  }

  /** Takes the next `length` bytes of the stream. */
  push(bytes: Uint8Array, length: number): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    const tailMax = this.#marker.length - 1;
    // Neither part of the seam holds a marker by itself.
    this.#search(Buffer.concat([this.#tail, chunk.subarray(0, tailMax)]));
    this.#search(chunk);
    const end = length < tailMax ? Buffer.concat([this.#tail, chunk]) : chunk;
    this.#tail = Buffer.from(end.subarray(Math.max(0, end.length - tailMax)));
  }

  #search(bytes: Buffer): void {
    const marker = this.#marker;
    for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + marker.length))
      this.count += 1;
  }
}
