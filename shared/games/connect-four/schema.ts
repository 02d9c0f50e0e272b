/** What a game of connect four replicates: the board, whose turn it is, and who sits at it. */
import { bool, entity, list, map, string, u8, u32 } from "../../schema/index.ts";

export const ConnectFourPlayer = entity(
  {
    /** 1 or 2: what the player drops. */
    disc: u8,
    name: string,
    /** False while the connection is lost and the seat is kept. */
    connected: bool,
    /** Wants the next game. */
    ready: bool,
    wins: u32,
  },
  "ConnectFourPlayer",
);

export const ConnectFourState = entity(
  {
    /** See rules.ts; a `Phase`. */
    phase: u8,
    /** 42 cells, row by row from the bottom: 0, 1 or 2. */
    board: list(u8),
    /** Disc of the player to move; 0 when nobody is. */
    turn: u8,
    /** Disc of the winner; 0 when the game is not over, or drawn. */
    winner: u8,
    /** Empty when the game was won by the other player's leaving. */
    winningCells: list(u8),
    /** By session; at most two, everybody else watches. */
    players: map(ConnectFourPlayer),
    spectators: u8,
  },
  "ConnectFourState",
);
