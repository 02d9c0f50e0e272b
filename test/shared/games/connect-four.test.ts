import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Board,
  CELLS,
  COLUMNS,
  type Disc,
  emptyBoard,
  isFull,
  LINE_LENGTH,
  landingCell,
  otherDisc,
  ROWS,
  winningCells,
} from "../../../shared/games/connect-four/rules.ts";

/** The 69 lines of four there are, counted out one by one: what the rules are compared with. */
const LINES: readonly (readonly number[])[] = (() => {
  const lines: number[][] = [];
  for (let cell = 0; cell < CELLS; cell++) {
    const [column, row] = [cell % COLUMNS, Math.floor(cell / COLUMNS)];
    if (column + 3 < COLUMNS) lines.push([cell, cell + 1, cell + 2, cell + 3]);
    if (row + 3 < ROWS) lines.push([cell, cell + COLUMNS, cell + 2 * COLUMNS, cell + 3 * COLUMNS]);
    if (column + 3 < COLUMNS && row + 3 < ROWS) lines.push([cell, cell + 8, cell + 16, cell + 24]);
    if (column >= 3 && row + 3 < ROWS) lines.push([cell, cell + 6, cell + 12, cell + 18]);
  }
  return lines;
})();

/** The cells of all complete lines through `cell`, with those that lengthen one of them to five and more. */
function expectedCells(board: Board, cell: number): number[] {
  const won = new Set<number>();
  const complete = LINES.filter((line) => board[cell] !== 0 && line.every((at) => board[at] === board[cell]));
  for (const direction of [1, COLUMNS - 1, COLUMNS, COLUMNS + 1]) {
    const run = new Set([cell]);
    const parallel = complete.filter(([first = 0, second = 0]) => second - first === direction);
    // A line can lengthen one that comes after it: as often as a run can grow.
    for (let i = 0; i < COLUMNS; i++) {
      for (const line of parallel) if (line.some((at) => run.has(at))) for (const at of line) run.add(at);
    }
    if (run.size > 1) for (const at of run) won.add(at);
  }
  return [...won].sort((a, b) => a - b);
}

type Move = { readonly board: Board; readonly cell: number; readonly disc: Disc };

/** Plays the columns in turn, leaving out full ones. */
function play(columns: Iterable<number>): Move[] {
  const board = emptyBoard();
  const moves: Move[] = [];
  let disc: Disc = 1;
  for (const column of columns) {
    const cell = landingCell(board, column);
    if (cell === undefined) continue;
    board[cell] = disc;
    moves.push({ board: board.slice(), cell, disc });
    disc = otherDisc(disc);
  }
  return moves;
}

const columns = fc.array(fc.nat(COLUMNS - 1), { maxLength: 60 });

/** One drawn by rows from the top: x is 1, o is 2. */
function drawn(...rows: string[]): number[] {
  const board = emptyBoard();
  rows.reverse().forEach((row, y) => {
    for (let x = 0; x < COLUMNS; x++) board[y * COLUMNS + x] = ".xo".indexOf(row[x] ?? ".");
  });
  return board;
}

describe("connect four", () => {
  it("has the 69 lines that a board of 7 by 6 has", () => {
    expect(LINES).toHaveLength(69);
    expect(LINE_LENGTH).toBe(4);
  });

  it("finds each of the 69 lines, from each of its cells, and for both discs", () => {
    for (const line of LINES) {
      for (const disc of [1, 2] as const) {
        const board = emptyBoard();
        for (const cell of line) board[cell] = disc;
        for (const cell of line) expect(winningCells(board, cell)).toEqual([...line].sort((a, b) => a - b));
      }
    }
  });

  it("finds in any game what counting all lines finds", () => {
    fc.assert(
      fc.property(columns, (chosen) => {
        for (const { board, cell } of play(chosen)) {
          expect(winningCells(board, cell)).toEqual(expectedCells(board, cell));
        }
      }),
    );
  });

  it("finds on any filling of the board what counting all lines finds, longer lines included", () => {
    const boards = fc.array(fc.constantFrom(0, 1, 1, 2), { minLength: CELLS, maxLength: CELLS });
    fc.assert(
      fc.property(boards, fc.nat(CELLS - 1), (board, cell) => {
        expect(winningCells(board, cell)).toEqual(expectedCells(board, cell));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes two lines that one disc completes, and lines of five, whole", () => {
    const board = drawn("x......", "x..x...", "x.x....", "xxxxx..");
    expect(winningCells(board, 0)).toEqual([0, 1, 2, 3, 4, 7, 14, 21]);
    expect(winningCells(board, 9)).toEqual([]);
  });

  it("does not join the end of a row to the beginning of the next", () => {
    const board = emptyBoard();
    for (const cell of [5, 6, 7, 8]) board[cell] = 1;
    for (const cell of [5, 6, 7, 8]) expect(winningCells(board, cell)).toEqual([]);
  });

  it("drops discs on top of each other, until the column is full", () => {
    fc.assert(
      fc.property(columns, (chosen) => {
        const heights = new Array<number>(COLUMNS).fill(0);
        for (const { cell } of play(chosen)) {
          const column = cell % COLUMNS;
          expect(cell).toBe((heights[column] ?? 0) * COLUMNS + column);
          heights[column] = (heights[column] ?? 0) + 1;
        }
        const board = play(chosen).at(-1)?.board ?? emptyBoard();
        heights.forEach((height, column) => {
          expect(landingCell(board, column) === undefined).toBe(height === ROWS);
        });
        expect(isFull(board)).toBe(heights.every((height) => height === ROWS));
      }),
    );
  });

  it("knows no cell outside the board", () => {
    expect(landingCell(emptyBoard(), COLUMNS - 1)).toBe(COLUMNS - 1);
    expect(emptyBoard()).toHaveLength(CELLS);
    expect(winningCells(emptyBoard(), 0)).toEqual([]);
  });
});
