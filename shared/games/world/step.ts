/**
 * How a player moves, in one pure function for server and client. It begins and ends with the numbers that are
 * replicated, on their grids, and uses only operations that IEEE 754 defines exactly: a client that starts from the
 * server's state and takes the same steps arrives at the same bits.
 */
import { RULES } from "./rules.ts";

export type Body = { readonly x: number; readonly y: number; readonly stamina: number };
/** A `SteerInput`. */
export type Steering = { readonly dx: number; readonly dy: number; readonly sprint: boolean };

export const NO_STEERING: Steering = { dx: 0, dy: 0, sprint: false };
/** Length of a direction that means full speed. */
const FULL_DEFLECTION = 127;

/** @param durationMs of the step: on the server, the time since the last tick */
export function stepPlayer(body: Body, { dx, dy, sprint }: Steering, durationMs: number): Body {
  const seconds = durationMs / 1000;
  const isMoving = dx !== 0 || dy !== 0;
  const sprintSeconds = sprint && isMoving ? Math.min(seconds, body.stamina / RULES.staminaLoss) : 0;
  const gain = (seconds - sprintSeconds) * RULES.staminaGain;
  const stamina = clamp(body.stamina - sprintSeconds * RULES.staminaLoss + gain, 0, RULES.staminaMax);

  const way = sprintSeconds * RULES.sprintSpeed + (seconds - sprintSeconds) * RULES.walkSpeed;
  const perDeflection = way / Math.max(FULL_DEFLECTION, Math.sqrt(dx * dx + dy * dy));
  const { playerRadius, worldWidth, worldHeight } = RULES;
  return {
    x: snapTo(
      RULES.positionStep,
      clamp(body.x + dx * perDeflection, playerRadius, worldWidth - playerRadius),
    ),
    y: snapTo(
      RULES.positionStep,
      clamp(body.y + dy * perDeflection, playerRadius, worldHeight - playerRadius),
    ),
    stamina: snapTo(RULES.staminaStep, stamina),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/** All steps are powers of two, so the result is exact. */
function snapTo(step: number, value: number): number {
  return Math.round(value / step) * step;
}
