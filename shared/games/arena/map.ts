/**
 * The arena's fixed map. Gaps between walls, and between walls and the border, are wide enough for a player to pass;
 * walls are thicker than the longest step, so that nobody passes through one. The tests check both.
 */
import { RULES } from "./rules.ts";

export type Rect = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};
export type Point = { readonly x: number; readonly y: number };

/*  The upper half, # for walls and o for spawns; the lower half is the same turned around the centre.
 *
 *    +--------------------------------------------------+
 *    |                                                  |
 *    |  o             o                o             o  |
 *    |                    ##                            |
 *    |      #######       ##  o      ########           |
 *    |      ##            ##  o                         |
 *    |      ## o                 ##                     |
 *    |  o                        ##                     |
 *    |              #####        ##                     |
 *    |   ######                                         |
 *    |   ######   o          ####                       |
 */
const HALF_OF_WALLS: readonly Rect[] = [
  { x: 250, y: 220, width: 260, height: 50 },
  { x: 250, y: 270, width: 50, height: 180 },
  { x: 800, y: 180, width: 80, height: 160 },
  { x: 1250, y: 220, width: 300, height: 50 },
  { x: 560, y: 520, width: 200, height: 60 },
  { x: 1100, y: 420, width: 60, height: 180 },
  { x: 140, y: 650, width: 220, height: 60 },
];

const HALF_OF_SPAWNS: readonly Point[] = [
  { x: 100, y: 100 },
  { x: 650, y: 100 },
  { x: 1350, y: 120 },
  { x: 1880, y: 110 },
  { x: 400, y: 380 },
  { x: 980, y: 300 },
  { x: 100, y: 500 },
  { x: 500, y: 700 },
];

export const WALLS: readonly Rect[] = [
  ...HALF_OF_WALLS,
  { x: 920, y: 720, width: 160, height: 60 },
  ...HALF_OF_WALLS.map(({ x, y, width, height }) => ({
    ...turned({ x: x + width, y: y + height }),
    width,
    height,
  })),
];

export const SPAWNS: readonly Point[] = [...HALF_OF_SPAWNS, ...HALF_OF_SPAWNS.map(turned)];

function turned({ x, y }: Point): Point {
  return { x: RULES.worldWidth - x, y: RULES.worldHeight - y };
}
