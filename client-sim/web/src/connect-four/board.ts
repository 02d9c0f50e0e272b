/** The board on the page: discs that fall into it, and a button per column for mouse, touch and keyboard. */
import { COLUMNS, type Disc, landingCell } from "../../../../shared/games/connect-four/rules.ts";
import { byId, make } from "../common/dom.ts";

const MIDDLE = (COLUMNS - 1) / 2;

export class Board {
  readonly #discs = byId("discs", HTMLElement);
  readonly #hint = byId("hint", HTMLElement);
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #shown = new Map<number, HTMLElement>();
  /** Our disc, while it is our turn: it hangs over the column that is pointed at. */
  #turn: Disc | undefined;
  #pointed = MIDDLE;

  constructor(onDrop: (column: number) => void, signal: AbortSignal) {
    this.#discs.replaceChildren();
    this.#point(MIDDLE);
    this.#buttons = Array.from({ length: COLUMNS }, (_, column) => this.#makeButton(column, onDrop));
    byId("columns", HTMLElement).replaceChildren(...this.#buttons);
    addEventListener("keydown", (event) => this.#onKey(event, onDrop), { signal });
  }

  /**
   * @param turn our disc, while it is our turn
   * @param winning cells of the line that has won
   */
  update(cells: readonly number[], turn: Disc | undefined, winning: readonly number[]): void {
    this.#turn = turn;
    const isNew = this.#shown.size === 0;
    for (const [cell, element] of this.#shown) {
      if (cells[cell] !== 0) continue;
      element.remove();
      this.#shown.delete(cell);
    }
    for (const [cell, disc] of cells.entries()) {
      // A board that we come to is full already; only what comes later falls.
      if (disc !== 0 && !this.#shown.has(cell)) this.#addDisc(cell, disc, !isNew || countOf(cells) === 1);
    }
    for (const [cell, element] of this.#shown) {
      element.classList.toggle("is-winning", winning.includes(cell));
    }
    for (const [column, button] of this.#buttons.entries()) {
      const isOpen = landingCell(cells, column) !== undefined;
      button.disabled = turn === undefined || !isOpen;
      button.setAttribute("aria-label", `Column ${column + 1}${isOpen ? "" : ", full"}`);
    }
    this.#hint.hidden = turn === undefined;
    this.#hint.dataset.disc = String(turn);
  }

  #addDisc(cell: number, disc: number, isFalling: boolean): void {
    const element = make("div", isFalling ? "disc is-falling" : "disc");
    element.dataset.disc = String(disc);
    element.style.setProperty("--column", String(cell % COLUMNS));
    element.style.setProperty("--row", String(Math.floor(cell / COLUMNS)));
    this.#discs.append(element);
    this.#shown.set(cell, element);
  }

  #makeButton(column: number, onDrop: (column: number) => void): HTMLButtonElement {
    const button = make("button");
    button.type = "button";
    button.addEventListener("click", () => onDrop(column));
    for (const type of ["pointerenter", "focus"] as const) {
      button.addEventListener(type, () => this.#point(column));
    }
    return button;
  }

  #point(column: number): void {
    this.#pointed = column;
    this.#hint.style.setProperty("--column", String(column));
  }

  #onKey({ key, target }: KeyboardEvent, onDrop: (column: number) => void): void {
    if (target instanceof HTMLInputElement || this.#turn === undefined) return;
    const column = Number(key) - 1;
    if (this.#buttons[column]?.disabled === false) onDrop(column);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step === undefined) return;
    // Over full columns to the next that is open.
    let next = this.#pointed + step;
    while (this.#buttons[next]?.disabled === true) next += step;
    this.#buttons[next]?.focus();
  }
}

function countOf(cells: readonly number[]): number {
  return cells.filter((disc) => disc !== 0).length;
}
