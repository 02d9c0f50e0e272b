/**
 * What one side has sent and the other has not acknowledged yet, kept to be sent again on the next connection.
 * Items are numbered without gaps; acknowledgements are cumulative. Bounded in items and bytes: a full outbox takes
 * nothing more, and its owner decides what that means for the session.
 *
 *     items  [ released | 5 | 6 | 7 ]      last = 7, size = 3
 *                         ^ head
 */
const RELEASED = new Uint8Array(0);

export class Outbox {
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  readonly #items: Uint8Array[] = [];
  #head = 0;
  #last: number;
  #bytes = 0;

  /** @param last number of the last item of a session that began elsewhere and left nothing to send again */
  constructor(limits: { itemsMax: number; bytesMax: number }, last = 0) {
    this.#itemsMax = limits.itemsMax;
    this.#bytesMax = limits.bytesMax;
    this.#last = last;
  }

  /** Number of the last item pushed; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Items kept. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the item's number, or undefined when the outbox is full; the item is not kept then */
  push(item: Uint8Array): number | undefined {
    if (this.size >= this.#itemsMax || this.#bytes + item.length > this.#bytesMax) return undefined;
    this.#items.push(item);
    this.#bytes += item.length;
    this.#last += 1;
    return this.#last;
  }

  /**
   * The other side has all items up to this number. An acknowledgement older than one before changes nothing.
   *
   * @returns false when no item of this number was ever sent: the other side broke the protocol
   */
  acknowledge(upTo: number): boolean {
    if (!this.#wasSent(upTo)) return false;
    const keep = this.#last - upTo;
    if (this.size <= keep) return true;
    if (keep === 0) {
      this.#items.length = 0;
      this.#head = 0;
      this.#bytes = 0;
      return true;
    }
    while (this.size > keep) {
      this.#bytes -= (this.#items[this.#head] as Uint8Array).length;
      this.#items[this.#head] = RELEASED;
      this.#head += 1;
    }
    // Moving the rest down only when at least as much is released keeps this O(1) an item.
    if (this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return true;
  }

  /** The other side has had all items up to this number, more than this outbox knows of: the next is the one after. */
  skipTo(number: number): void {
    this.acknowledge(this.#last);
    this.#last = Math.max(this.#last, number);
  }

  /**
   * @returns the items numbered `number + 1` and up, in order; undefined when some of them are no longer kept or
   * `number` was never sent
   */
  after(number: number): Uint8Array[] | undefined {
    if (!this.#wasSent(number)) return undefined;
    const count = this.#last - number;
    if (count > this.size) return undefined;
    return this.#items.slice(this.#items.length - count);
  }

  #wasSent(number: number): boolean {
    return Number.isInteger(number) && number >= 0 && number <= this.#last;
  }
}
