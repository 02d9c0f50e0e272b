/** Any worker, each with the same chance: needs no measurements. */
import type { Selector, WorkerLoad } from "./selector.ts";

export class RandomSelector implements Selector {
  readonly #random: () => number;

  /** @param random gives numbers at least 0 and below 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  choose(workers: readonly WorkerLoad[]): number | undefined {
    return workers[Math.floor(this.#random() * workers.length)]?.workerId;
  }
}
