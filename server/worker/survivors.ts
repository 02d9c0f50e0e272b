/**
 * Clients whose sockets have outlived another worker, and whom this one waits for. When they are many, the core is what
 * they wait for, and ticks come before them. So until they are few, a room where nobody waits for a first state lets
 * ticks wait, for a quarter of a second at most, and then applies and sends them at once.
 */
import { LIMITS } from "../limits.ts";

export class Survivors {
  #awaited = 0;

  get areMany(): boolean {
    return this.#awaited >= LIMITS.survivorsMany;
  }

  awaits(): void {
    this.#awaited += 1;
  }

  /** One has come back, or does not. */
  settled(): void {
    this.#awaited -= 1;
  }
}
