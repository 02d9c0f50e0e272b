/** Numbers that must come one after the other, each once: what is sent is numbered, and who gets it checks. */

/** What a number says of those before it. */
export type Step = { readonly last: number; readonly lost: number; readonly doubled: number };

/**
 * @param last the highest number so far
 * @param next the number that has come
 * @returns the highest number now, and how many are missing before `next` or have come twice with it
 */
export function follow(last: number, next: number): Step {
  if (next <= last) return { last, lost: 0, doubled: 1 };
  return { last: next, lost: next - last - 1, doubled: 0 };
}

/** The numbers of one stream, whose first may be any. */
export class Sequence {
  #last: number | undefined;
  lost = 0;
  doubled = 0;

  /** @param last the number before the first; undefined: whatever comes first is right */
  constructor(last?: number) {
    this.#last = last;
  }

  /** The highest number so far; 0 before the first. */
  get last(): number {
    return this.#last ?? 0;
  }

  take(next: number): void {
    const { last, lost, doubled } = follow(this.#last ?? next - 1, next);
    this.#last = last;
    this.lost += lost;
    this.doubled += doubled;
  }
}
