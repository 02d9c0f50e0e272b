/**
 * Rooms that are to be taken over from a worker that has died. Restoring one takes milliseconds: so there is one in
 * each turn of the event loop, and between two of them the rooms that are there already tick and their clients are
 * answered. A room for which something comes is restored before that.
 */
export class Takeovers {
  readonly #defer: (callback: () => void) => void;
  /** What restores them, by room, in the order in which they came. */
  readonly #waiting = new Map<string, () => void>();
  #isPlanned = false;

  /** @param defer runs a callback in the next turn, such as setImmediate */
  constructor(defer: (callback: () => void) => void) {
    this.#defer = defer;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(roomId: string, restore: () => void): void {
    this.#waiting.set(roomId, restore);
    this.#plan();
  }

  /** Something has come for this room, which may be any. */
  need(roomId: string): void {
    const restore = this.#waiting.get(roomId);
    if (restore === undefined) return;
    this.#waiting.delete(roomId);
    restore();
  }

  needAll(): void {
    for (const roomId of [...this.#waiting.keys()]) this.need(roomId);
  }

  #plan(): void {
    if (this.#isPlanned || this.#waiting.size === 0) return;
    this.#isPlanned = true;
    this.#defer(() => {
      this.#isPlanned = false;
      const [roomId] = this.#waiting.keys();
      if (roomId !== undefined) this.need(roomId);
      this.#plan();
    });
  }
}
