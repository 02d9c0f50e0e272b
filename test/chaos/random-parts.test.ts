import { expect, test } from "vitest";
import { emptyBoard, landingCell, winningCells } from "../../shared/games/connect-four/rules.ts";
import { createRandom } from "../../shared/sim/random.ts";
import { cut } from "./cutting-socket.ts";
import { planGame } from "./game-plan.ts";
import { mutate } from "./mutations.ts";

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

test("bytes that are cut are the same bytes, in pieces of all lengths", () => {
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251));
  const pieces = cut(bytes, createRandom(1));
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  const lengths = new Set(pieces.map(({ length }) => length));
  expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(cut(Buffer.alloc(0), createRandom(1))).toEqual([]);
});

test("a planned game is one that the rules allow, and ends when they say so", () => {
  for (const seed of SEEDS) {
    const { moves, winner } = planGame(createRandom(seed));
    expect(moves.length).toBeGreaterThan(25);
    let board = emptyBoard();
    for (const [index, move] of moves.entries()) {
      const cell = landingCell(board, move.column) ?? -1;
      board = board.with(cell, index % 2 === 0 ? 1 : 2);
      expect(move.board).toEqual(board);
      const isLast = index === moves.length - 1;
      expect(winningCells(board, cell).length > 0).toBe(isLast && winner !== 0);
      if (isLast && winner !== 0) expect(board[cell]).toBe(winner);
    }
  }
});

test("mutations leave the original alone, and nearly all of them make a difference", () => {
  const file = Buffer.from(Array.from({ length: 1_000 }, (_, i) => (i * 7) % 256));
  const original = Buffer.from(file);
  const changed = SEEDS.map((seed) => mutate(file, createRandom(seed)));
  expect(file.equals(original)).toBe(true);
  expect(changed.filter((bytes) => !bytes.equals(file)).length).toBeGreaterThan(40);
  expect(new Set(changed.map(({ length }) => length)).size).toBeGreaterThan(10);
});

test("a file of one byte can be changed, too", () => {
  for (const seed of SEEDS) expect(() => mutate(Buffer.from([1]), createRandom(seed))).not.toThrow();
});
