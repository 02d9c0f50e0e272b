/**
 * How a player moves, in one pure function for server and client. It begins and ends with the numbers that are
 * replicated, on their grids, and uses only operations that IEEE 754 defines exactly: a client that starts from the
 * server's state and takes the same inputs arrives at the same bits. Players do not block each other.
 */
import { overlap } from "./collide.ts";
import { WALLS } from "./map.ts";
import { RULES } from "./rules.ts";

export type Body = { readonly x: number; readonly y: number; readonly vx: number; readonly vy: number };
/** Direction of a `MoveInput`. */
export type Direction = { readonly dx: number; readonly dy: number };

export const NO_DIRECTION: Direction = { dx: 0, dy: 0 };
/** Length of a direction that means full speed. */
const FULL_DEFLECTION = 127;

/** @param durationMs at most `RULES.inputMsMax`; longer steps could cut the corners of walls */
export function stepBody(body: Body, direction: Direction, durationMs: number): Body {
  const { dx, dy } = direction;
  const isIdle = dx === 0 && dy === 0;
  if (isIdle && body.vx === 0 && body.vy === 0) return body;
  const seconds = durationMs / 1000;

  const deflection = Math.max(FULL_DEFLECTION, Math.sqrt(dx * dx + dy * dy));
  const missingX = (dx / deflection) * RULES.speedMax - body.vx;
  const missingY = (dy / deflection) * RULES.speedMax - body.vy;
  const missing = Math.sqrt(missingX * missingX + missingY * missingY);
  const gain = (isIdle ? RULES.braking : RULES.acceleration) * seconds;
  const share = missing > gain ? gain / missing : 1;
  let vx = snapTo(RULES.speedStep, body.vx + missingX * share);
  let vy = snapTo(RULES.speedStep, body.vy + missingY * share);

  let x = body.x + vx * seconds;
  let y = body.y + vy * seconds;
  for (const wall of WALLS) {
    const hit = overlap(wall, x, y, RULES.playerRadius);
    if (hit === undefined) continue;
    x += hit.nx * hit.depth;
    y += hit.ny * hit.depth;
    // What goes into the wall is lost, what goes along it stays.
    const into = Math.min(0, vx * hit.nx + vy * hit.ny);
    vx -= into * hit.nx;
    vy -= into * hit.ny;
  }
  const insideX = Math.min(Math.max(x, RULES.playerRadius), RULES.worldWidth - RULES.playerRadius);
  const insideY = Math.min(Math.max(y, RULES.playerRadius), RULES.worldHeight - RULES.playerRadius);
  return {
    x: snapTo(RULES.positionStep, insideX),
    y: snapTo(RULES.positionStep, insideY),
    vx: insideX === x ? snapTo(RULES.speedStep, vx) : 0,
    vy: insideY === y ? snapTo(RULES.speedStep, vy) : 0,
  };
}

/** Both steps are powers of two, so the result is exact; adding 0 turns -0 into the 0 that is replicated. */
function snapTo(step: number, value: number): number {
  return Math.round(value / step) * step + 0;
}
