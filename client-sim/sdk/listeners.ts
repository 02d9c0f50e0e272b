/**
 * The callbacks registered for one kind of event. One that throws stops neither the others nor the room: what it
 * threw goes to `failed`.
 */
export class Listeners<A extends readonly unknown[]> {
  readonly #callbacks = new Set<{ readonly call: (...args: A) => void }>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#callbacks.size;
  }

  /** @returns removes the callback again; the same function added twice is called twice */
  add(callback: (...args: A) => void): () => void {
    const entry = { call: callback };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  emit(...args: A): void {
    for (const { call } of this.#callbacks) {
      try {
        call(...args);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}

/** Lets an error that nobody handles reach the host's own reporting, as one thrown in any event handler does. */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
