/** Who leads: the best few, or everybody while Tab is held. */
import type { ArenaState } from "../../../../../shared/games/arena/schema.ts";
import type { View } from "../../../../../shared/schema/index.ts";
import { colourOf } from "../../common/colours.ts";
import { make } from "../../common/dom.ts";

const BEST_SHOWN = 5;

type State = View<typeof ArenaState>;

export class ScoreBoard {
  readonly #list: HTMLOListElement;
  #isFull = false;
  #shown = "";

  constructor(list: HTMLOListElement, signal: AbortSignal) {
    this.#list = list;
    const onKey = (event: KeyboardEvent, isDown: boolean) => {
      if (event.key !== "Tab" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      this.#show(isDown);
    };
    addEventListener("keydown", (event) => onKey(event, true), { signal });
    addEventListener("keyup", (event) => onKey(event, false), { signal });
    addEventListener("blur", () => this.#show(false), { signal });
    list.addEventListener("click", () => this.#show(!this.#isFull), { signal });
  }

  update(state: State, selfId: string): void {
    const ranking = [...state.players].toSorted(([, a], [, b]) => b.score - a.score || a.deaths - b.deaths);
    const rows = ranking.map(([sessionId, player], index) => ({ sessionId, player, rank: index + 1 }));
    const shown = rows.filter(
      ({ sessionId, rank }) => this.#isFull || rank <= BEST_SHOWN || sessionId === selfId,
    );
    const lines = shown.map(({ sessionId, player: { name, score, kills, deaths, colour, isBot }, rank }) => ({
      rank,
      name: isBot ? `${name} ⚙` : name,
      fights: `${kills}/${deaths}`,
      score: String(score),
      colour,
      isSelf: sessionId === selfId,
    }));
    const text = JSON.stringify(lines);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#list.replaceChildren(
      ...lines.map(({ rank, name, fights, score, colour, isSelf }) => {
        const row = make("li", isSelf ? "score is-self" : "score");
        const label = make("span", "score-name", name);
        label.style.color = colourOf(colour, 74);
        row.append(
          make("span", "score-rank", String(rank)),
          label,
          make("span", "score-fights", fights),
          make("span", "score-points", score),
        );
        return row;
      }),
    );
  }

  #show(isFull: boolean): void {
    this.#isFull = isFull;
  }
}
