/** The public rooms of the server, kept up to date while the list is to be seen. */
import { RookeryError, type RoomListing } from "../../../sdk/index.ts";
import { byId, make, setText } from "../common/dom.ts";
import { client } from "../common/server.ts";

const REFRESH_MS = 2_000;
const ROOMS_SHOWN_MAX = 30;

const GAMES: Readonly<Record<string, string>> = {
  arena: "Arena",
  "connect-four": "Connect four",
  world: "World",
};

export class RoomList {
  readonly #list = byId("rooms", HTMLUListElement);
  readonly #note = byId("rooms-note", HTMLElement);
  readonly #join: (room: RoomListing) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = "";

  /** @param join called when somebody chooses a room */
  constructor(join: (room: RoomListing) => void) {
    this.#join = join;
  }

  start(): void {
    this.stop();
    void this.#refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #refresh(): Promise<void> {
    const timer = setTimeout(() => void this.#refresh(), REFRESH_MS);
    this.#timer = timer;
    try {
      const rooms = await client.rooms();
      if (this.#timer === timer) this.#show(rooms);
    } catch (error) {
      if (!(error instanceof RookeryError)) throw error;
      if (this.#timer === timer) setText(this.#note, "The server does not answer.");
    }
  }

  #show(rooms: readonly RoomListing[]): void {
    setText(this.#note, rooms.length === 0 ? "No public room is open. Play, and there is one." : "");
    // Rows stay as they are while nothing changes, and with them the focus.
    const text = JSON.stringify(rooms);
    if (text === this.#shown) return;
    this.#shown = text;
    const sorted = rooms.toSorted((a, b) => b.clients - a.clients).slice(0, ROOMS_SHOWN_MAX);
    this.#list.replaceChildren(...sorted.map((room) => this.#row(room)));
  }

  #row(room: RoomListing): HTMLLIElement {
    const { type, clients, maxClients, locked, metadata } = room;
    const row = make("li", "room");
    const { topScore } = (metadata ?? {}) as { topScore?: unknown };
    const best = typeof topScore === "number" && topScore > 0 ? `best ${topScore}` : "";
    const game = GAMES[type] ?? type;
    row.append(
      make("span", "room-game", game),
      make("span", "room-seats", `${clients}/${maxClients}`),
      make("span", "room-best", best),
    );
    if (GAMES[type] !== undefined) {
      const button = make("button", "small", locked ? "Locked" : "Join");
      button.type = "button";
      button.disabled = locked || clients >= maxClients;
      button.setAttribute("aria-label", `Join ${game} with ${clients} of ${maxClients} players`);
      button.addEventListener("click", () => this.#join(room));
      row.append(button);
    }
    return row;
  }
}
