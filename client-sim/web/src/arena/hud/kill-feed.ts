/** Who has taken down whom, the last few. */
import type { Kill } from "../../../../../shared/games/arena/schema.ts";
import { make } from "../../common/dom.ts";

const LINES_MAX = 4;
const SHOWN_MS = 6_000;

export class KillFeed {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
    list.replaceChildren();
  }

  add({ by, byName, victim, victimName }: Kill, selfId: string): void {
    const line = make("li", by === selfId || victim === selfId ? "kill is-own" : "kill");
    line.append(
      make("b", by === selfId ? "is-self" : "", byName ?? "Somebody"),
      make("span", "kill-mark", "✕"),
      make("b", victim === selfId ? "is-self" : "", victimName),
    );
    this.#list.prepend(line);
    while (this.#list.childElementCount > LINES_MAX) this.#list.lastElementChild?.remove();
    setTimeout(() => line.remove(), SHOWN_MS);
  }
}
