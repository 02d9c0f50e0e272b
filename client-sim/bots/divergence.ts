/**
 * Finds clients whose decoded state differs from that of others in the same room at the same moment. Hashing costs,
 * so only some ticks are compared, the same ones by everybody. Memory is bounded: the oldest comparison is closed
 * when there are too many, and a hash that comes later still is compared with nothing.
 */

/** One tick in so many is compared. */
const SAMPLED_TICKS = 10;
/** Comparisons open at once: with 100 rooms at 20 Hz, of the last 40 seconds. */
const OPEN_COMPARISONS_MAX = 8_192;

/** How many clients reported each hash. */
type Comparison = Map<number, number>;

export class DivergenceDetector {
  readonly #openMax: number;
  /** By room and moment, the oldest first. */
  readonly #open = new Map<string, Comparison>();
  #closedDivergences = 0;
  #closedCompared = 0;

  constructor(openMax: number = OPEN_COMPARISONS_MAX) {
    this.#openMax = openMax;
  }

  isSampled(tick: number): boolean {
    return tick % SAMPLED_TICKS === 0;
  }

  /** @param moment what names the same state for all clients of the room, such as the tick */
  record(roomId: string, moment: number | string, hash: number): void {
    const key = `${roomId} ${moment}`;
    let comparison = this.#open.get(key);
    if (comparison === undefined) {
      comparison = new Map();
      this.#open.set(key, comparison);
    }
    comparison.set(hash, (comparison.get(hash) ?? 0) + 1);
    if (this.#open.size > this.#openMax) this.#closeOldest();
  }

  /** States that differ from what most clients had; among equals, from the first. */
  get divergences(): number {
    return this.#open.values().reduce((sum, each) => sum + divergencesOf(each), this.#closedDivergences);
  }

  /** States that were compared with at least one other client's. */
  get compared(): number {
    return this.#open.values().reduce((sum, each) => sum + comparedOf(each), this.#closedCompared);
  }

  #closeOldest(): void {
    for (const [key, comparison] of this.#open) {
      this.#closedDivergences += divergencesOf(comparison);
      this.#closedCompared += comparedOf(comparison);
      this.#open.delete(key);
      return;
    }
  }
}

function divergencesOf(comparison: Comparison): number {
  return clientsOf(comparison) - Math.max(...comparison.values());
}

function comparedOf(comparison: Comparison): number {
  const clients = clientsOf(comparison);
  return clients > 1 ? clients : 0;
}

function clientsOf(comparison: Comparison): number {
  return comparison.values().reduce((sum, count) => sum + count, 0);
}
