/**
 * Makes things happen when the time in which they took place is shown: states arrive earlier than what they tell is
 * to be seen, since other players are drawn a little behind the room's clock.
 */
type Entry = { readonly atMs: number; readonly run: () => void };

/** More than a second of anything: if nothing is shown for so long, the oldest entries happen at once. */
const ENTRIES_MAX = 2_000;

export class Timeline {
  #entries: Entry[] = [];

  /** @param atMs room time; entries are added in its order */
  at(atMs: number, run: () => void): void {
    this.#entries.push({ atMs, run });
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift()?.run();
  }

  /** @param shownMs room time of what is drawn now */
  advance(shownMs: number): void {
    while (this.#entries[0] !== undefined && this.#entries[0].atMs <= shownMs) this.#entries.shift()?.run();
  }

  clear(): void {
    this.#entries = [];
  }
}
