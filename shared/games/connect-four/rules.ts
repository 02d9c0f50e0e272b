/**
 * The rules of connect four, as pure functions over a board: 42 numbers, row by row from the bottom, 0 for an empty
 * cell and a player's disc, 1 or 2, for a taken one.
 */
export const COLUMNS = 7;
export const ROWS = 6;
export const CELLS = COLUMNS * ROWS;
/** Discs in a line that win. */
export const LINE_LENGTH = 4;

export type Disc = 1 | 2;
export type Board = readonly number[];

/** Values of the replicated `phase`. */
export const Phase = { WAITING: 0, PLAYING: 1, OVER: 2 } as const;

/** Why a message was not carried out: `reason` in the message "illegal". */
export type IllegalReason = "spectator" | "not-playing" | "not-your-turn" | "column-full" | "still-playing";

export function emptyBoard(): number[] {
  return new Array<number>(CELLS).fill(0);
}

export function otherDisc(disc: Disc): Disc {
  return disc === 1 ? 2 : 1;
}

/** @returns the cell a disc dropped into the column falls to; undefined when the column is full */
export function landingCell(board: Board, column: number): number | undefined {
  for (let cell = column; cell < CELLS; cell += COLUMNS) if (board[cell] === 0) return cell;
  return undefined;
}

export function isFull(board: Board): boolean {
  return !board.includes(0);
}

/** Steps of a line to the next column and row: along a row, along a column, along both diagonals. */
const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const;

/**
 * @param cell the one that was taken last
 * @returns the cells of every winning line through it, in ascending order; empty when there is none
 */
export function winningCells(board: Board, cell: number): number[] {
  const won = new Set<number>();
  for (const [columnStep, rowStep] of DIRECTIONS) {
    const line = [
      ...sameDiscs(board, cell, -columnStep, -rowStep),
      cell,
      ...sameDiscs(board, cell, columnStep, rowStep),
    ];
    if (line.length >= LINE_LENGTH) for (const member of line) won.add(member);
  }
  return [...won].sort((a, b) => a - b);
}

/** The cells next to `cell` in one direction that hold the same disc, without `cell` itself. */
function sameDiscs(board: Board, cell: number, columnStep: number, rowStep: number): number[] {
  const cells: number[] = [];
  const disc = board[cell];
  if (disc === 0) return cells;
  let column = (cell % COLUMNS) + columnStep;
  let row = Math.floor(cell / COLUMNS) + rowStep;
  while (
    column >= 0 &&
    column < COLUMNS &&
    row >= 0 &&
    row < ROWS &&
    board[row * COLUMNS + column] === disc
  ) {
    cells.push(row * COLUMNS + column);
    column += columnStep;
    row += rowStep;
  }
  return cells;
}
