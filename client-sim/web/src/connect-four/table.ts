/** A game of connect four as it is shown: who plays, whose turn it is, and how it ended. */
import {
  type Disc,
  type IllegalReason,
  otherDisc,
  Phase,
} from "../../../../shared/games/connect-four/rules.ts";
import { type ErrorCode, RookeryError } from "../../../sdk/index.ts";
import { bindConnectionBanner } from "../common/connection-banner.ts";
import { byId, make, setText } from "../common/dom.ts";
import { bindKillWorker } from "../common/kill-worker.ts";
import { showNetStats } from "../common/net-stats.ts";
import { keepSeat } from "../common/seat.ts";
import { Board } from "./board.ts";
import { CONNECT_FOUR, type ConnectFourRoom, type ConnectFourView } from "./room.ts";

const REFUSALS: Readonly<Record<IllegalReason, string>> = {
  spectator: "You are watching.",
  "not-playing": "The game has not begun.",
  "not-your-turn": "It is not your turn.",
  "column-full": "This column is full.",
  "still-playing": "The game is not over.",
};

type Seated = {
  readonly disc: number;
  readonly name: string;
  readonly connected: boolean;
  readonly wins: number;
};

export class Table {
  /** Why the room has ended; undefined when we have left it. */
  readonly ended: Promise<ErrorCode | undefined>;
  readonly #room: ConnectFourRoom;
  readonly #board: Board;
  readonly #status = byId("status", HTMLElement);
  readonly #rematch = byId("rematch", HTMLButtonElement);

  constructor(room: ConnectFourRoom) {
    const stop = new AbortController();
    const { signal } = stop;
    this.#room = room;
    this.#board = new Board((column) => this.#send(() => room.send("drop", { column })), signal);
    this.#rematch.addEventListener("click", () => this.#send(() => room.send("rematch")), { signal });
    bindConnectionBanner(room);
    void bindKillWorker(room, signal);
    const stops = [keepSeat(CONNECT_FOUR, room), showNetStats(byId("stats", HTMLElement), room)];
    room.onState(() => this.#update());
    room.onMessage<{ reason: IllegalReason }>("illegal", ({ reason }) =>
      setText(this.#status, REFUSALS[reason]),
    );
    this.ended = new Promise((resolve) => {
      room.onLeave((_code, reason) => {
        stop.abort();
        for (const end of stops) end();
        resolve(reason === "CONSENTED" ? undefined : (reason ?? "INTERNAL"));
      });
    });
    this.#update();
  }

  #update(): void {
    const { state, sessionId } = this.#room;
    const self = state.players.get(sessionId);
    const isOurTurn = self !== undefined && state.phase === Phase.PLAYING && state.turn === self.disc;
    this.#board.update(state.board, isOurTurn ? asDisc(self.disc) : undefined, state.winningCells);
    for (const disc of [1, 2] as const) this.#showSeat(disc, playerWith(state, disc), state.turn === disc);
    setText(this.#status, this.#describe(state, self));
    this.#rematch.hidden = self === undefined || state.phase === Phase.PLAYING || self.ready;
  }

  #describe(state: ConnectFourView, self: Seated | undefined): string {
    const watching = state.spectators === 0 ? "" : ` · ${state.spectators} watching`;
    return sentenceOf(state, self, this.#room.code) + watching;
  }

  #showSeat(disc: Disc, player: Seated | undefined, isToMove: boolean): void {
    const seat = byId(`seat-${disc}`, HTMLElement);
    seat.classList.toggle("is-to-move", isToMove);
    seat.classList.toggle("is-free", player === undefined);
    const mark = make("span", "seat-disc");
    mark.dataset.disc = String(disc);
    const isSelf = player !== undefined && player === this.#room.state.players.get(this.#room.sessionId);
    const name = player === undefined ? "free seat" : player.name + (isSelf ? " (you)" : "");
    const wins = player === undefined ? "" : player.connected ? String(player.wins) : "away …";
    seat.replaceChildren(mark, make("span", "seat-name", name), make("span", "seat-wins", wins));
  }

  /** The room may have ended since the button was shown. */
  #send(send: () => void): void {
    try {
      send();
    } catch (error) {
      if (!(error instanceof RookeryError)) throw error;
      setText(this.#status, error.message);
    }
  }
}

function sentenceOf(state: ConnectFourView, self: Seated | undefined, code: string): string {
  if (state.phase === Phase.WAITING) return `Waiting for an opponent. The game's code is ${code}`;
  if (state.phase === Phase.PLAYING) {
    const mover = playerWith(state, asDisc(state.turn));
    return mover === self ? "Your turn" : `${mover?.name ?? "Nobody"} is to move`;
  }
  if (state.winner === 0) return "A draw: the board is full.";
  const winner = playerWith(state, asDisc(state.winner));
  const hasLeft =
    state.winningCells.length === 0
      ? `${self === undefined ? "The other player" : "Your opponent"} has left. `
      : "";
  if (winner === undefined) return `${hasLeft}The game is over.`;
  if (winner === self) return `${hasLeft}You win!`;
  return `${hasLeft}${winner.name} wins.`;
}

function playerWith(state: ConnectFourView, disc: Disc): Seated | undefined {
  for (const player of state.players.values()) if (player.disc === disc) return player;
  return undefined;
}

function asDisc(value: number): Disc {
  return value === 1 ? 1 : otherDisc(1);
}
