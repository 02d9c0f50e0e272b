/** A game of connect four, played out in advance by the rules, for players who only have to follow it. */
import { legalColumn } from "../../client-sim/bots/strategies/connect-four-bot.ts";
import {
  type Disc,
  emptyBoard,
  isFull,
  landingCell,
  otherDisc,
  winningCells,
} from "../../shared/games/connect-four/rules.ts";
import type { Random } from "../../shared/sim/random.ts";

export type Game = {
  /** The board after each move. */
  readonly moves: readonly { readonly column: number; readonly board: readonly number[] }[];
  /** 0 for a draw. */
  readonly winner: Disc | 0;
};

/** Of so many games the longest is taken: a game at random is short. */
const GAMES = 50;

export function planGame(random: Random): Game {
  const games = Array.from({ length: GAMES }, () => playOut(random));
  return games.reduce((longest, game) => (game.moves.length > longest.moves.length ? game : longest));
}

function playOut(random: Random): Game {
  const moves: { column: number; board: number[] }[] = [];
  let board = emptyBoard();
  for (let disc: Disc = 1; ; disc = otherDisc(disc)) {
    const column = legalColumn(board, random);
    const cell = column === undefined ? undefined : landingCell(board, column);
    if (column === undefined || cell === undefined) return { moves, winner: 0 };
    board = board.with(cell, disc);
    moves.push({ column, board });
    if (winningCells(board, cell).length > 0) return { moves, winner: disc };
    if (isFull(board)) return { moves, winner: 0 };
  }
}
