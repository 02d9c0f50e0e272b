/**
 * Connect four, a room without ticks: two players, and up to 20 who watch. A game begins when both seats are taken
 * and both players are ready; who sits down is, who has finished a game says `rematch`. Whoever leaves during a
 * game has lost it, and the seat goes to the next who joins.
 */
import * as v from "valibot";
import {
  COLUMNS,
  type Disc,
  emptyBoard,
  type IllegalReason,
  isFull,
  landingCell,
  otherDisc,
  Phase,
  winningCells,
} from "../../shared/games/connect-four/rules.ts";
import { type ConnectFourPlayer, ConnectFourState } from "../../shared/games/connect-four/schema.ts";
import { cleanName } from "../../shared/games/player-name.ts";
import type { Live } from "../../shared/schema/index.ts";
import type { Client } from "../room/client.ts";
import { message } from "../room/messages.ts";
import { type JoinOptions, Room } from "../room/room.ts";

const PLAYERS_MAX = 2;
const SPECTATORS_MAX = 20;
/** For how long the game waits for a player whose connection broke. */
const PLAYER_RECONNECT_MS = 60_000;

const Drop = v.object({ column: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(COLUMNS - 1)) });

type Seated = Live<typeof ConnectFourPlayer>;
type ConnectFourData = {
  /** Who makes the first move of the next game. */
  nextStarter: Disc;
};

export class ConnectFour extends Room<typeof ConnectFourState, ConnectFourData> {
  static state = ConnectFourState;
  static maxClients = PLAYERS_MAX + SPECTATORS_MAX;
  /** Who asks for a game gets one to play; watchers come by the room's id or code. */
  static maxMatched = PLAYERS_MAX;

  data: ConnectFourData = { nextStarter: 1 };

  messages = {
    drop: message(Drop, (client, { column }) => {
      const refusal = this.#drop(client, column);
      if (refusal !== undefined) client.send("illegal", { reason: refusal });
    }),
    rematch: message(v.unknown(), (client) => {
      const refusal = this.#rematch(client);
      if (refusal !== undefined) client.send("illegal", { reason: refusal });
    }),
  };

  onCreate(options: JoinOptions): void {
    this.setPrivate(options.private === true);
    this.#beginWhenReady();
  }

  onJoin(client: Client, options: JoinOptions): void {
    if (this.state.players.size < PLAYERS_MAX) this.#sitDown(client, options);
    this.#countSpectators();
  }

  onDrop(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    if (player === undefined) return;
    player.connected = false;
    this.allowReconnection(client, PLAYER_RECONNECT_MS);
  }

  onReconnect(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    if (player !== undefined) player.connected = true;
  }

  onLeave(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    if (player !== undefined) this.#standUp(client, player);
    this.#countSpectators();
  }

  #sitDown(client: Client, options: JoinOptions): void {
    const taken = [...this.state.players.values()][0]?.disc;
    const disc = taken === 1 ? 2 : 1;
    const name = cleanName(options.name, `Player ${disc}`);
    this.state.players.set(client.sessionId, { disc, name, connected: true, ready: true });
    this.#beginWhenReady();
  }

  #standUp(client: Client, player: Seated): void {
    this.state.players.delete(client.sessionId);
    if (this.state.phase === Phase.PLAYING) this.#end(otherDisc(discOf(player)), []);
    this.#beginWhenReady();
  }

  #drop(client: Client, column: number): IllegalReason | undefined {
    const { state } = this;
    const player = state.players.get(client.sessionId);
    if (player === undefined) return "spectator";
    if (state.phase !== Phase.PLAYING) return "not-playing";
    if (state.turn !== player.disc) return "not-your-turn";
    const cell = landingCell(state.board.toArray(), column);
    if (cell === undefined) return "column-full";

    const disc = discOf(player);
    state.board.set(cell, disc);
    const board = state.board.toArray();
    const won = winningCells(board, cell);
    if (won.length > 0) this.#end(disc, won);
    else if (isFull(board)) this.#end(undefined, []);
    else state.turn = otherDisc(disc);
    return undefined;
  }

  #rematch(client: Client): IllegalReason | undefined {
    const player = this.state.players.get(client.sessionId);
    if (player === undefined) return "spectator";
    if (this.state.phase === Phase.PLAYING) return "still-playing";
    player.ready = true;
    this.#beginWhenReady();
    return undefined;
  }

  /** Clears the board as soon as nobody has to see it any more, and begins when there are two. */
  #beginWhenReady(): void {
    const { state } = this;
    for (const { ready } of state.players.values()) if (!ready) return;
    state.board.replace(emptyBoard());
    state.winner = 0;
    state.winningCells.clear();
    if (state.players.size < PLAYERS_MAX) {
      state.phase = Phase.WAITING;
      return;
    }
    state.phase = Phase.PLAYING;
    state.turn = this.data.nextStarter;
    this.data.nextStarter = otherDisc(this.data.nextStarter);
  }

  /** @param winner undefined for a draw */
  #end(winner: Disc | undefined, cells: readonly number[]): void {
    const { state } = this;
    state.phase = Phase.OVER;
    state.turn = 0;
    state.winner = winner ?? 0;
    state.winningCells.replace(cells);
    for (const player of state.players.values()) {
      player.ready = false;
      if (player.disc === winner) player.wins += 1;
    }
  }

  #countSpectators(): void {
    this.state.spectators = this.clients.size - this.state.players.size;
  }
}

function discOf(player: Seated): Disc {
  return player.disc === 1 ? 1 : 2;
}
