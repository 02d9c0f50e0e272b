/** Sentences about what went wrong: each once, with how often, since a fault seldom comes alone. */

/** Different ones that are kept; of further ones only the number. */
const SENTENCES_MAX = 50;

export class Violations {
  readonly #counts = new Map<string, number>();
  #further = 0;

  add(sentence: string): void {
    const count = this.#counts.get(sentence);
    if (count === undefined && this.#counts.size >= SENTENCES_MAX) this.#further += 1;
    else this.#counts.set(sentence, (count ?? 0) + 1);
  }

  get sentences(): string[] {
    const all = [...this.#counts].map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`));
    return this.#further === 0 ? all : [...all, `There were ${this.#further} further violations.`];
  }
}
