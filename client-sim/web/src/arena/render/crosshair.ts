/** Where the mouse points: a ring that fills while the next shot is loading, and a mark when a shot has hit. */
import type { Point } from "../../../../../shared/games/arena/map.ts";

const RADIUS_PX = 12;
const MARK_PX = 9;

/**
 * @param loaded from 0 to 1
 * @param mark strength of the hit mark, from 0 to 1
 */
export function drawCrosshair(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  loaded: number,
  mark: number,
): void {
  context.lineCap = "round";
  context.lineWidth = 2;
  context.strokeStyle = "rgb(255 255 255 / 0.28)";
  context.beginPath();
  context.arc(x, y, RADIUS_PX, 0, 2 * Math.PI);
  context.stroke();
  const top = -Math.PI / 2;
  context.strokeStyle = "rgb(255 255 255 / 0.95)";
  context.beginPath();
  context.arc(x, y, RADIUS_PX, top, top + loaded * 2 * Math.PI);
  context.stroke();
  context.fillStyle = "#ffffff";
  context.beginPath();
  context.arc(x, y, 1.8, 0, 2 * Math.PI);
  context.fill();
  if (mark <= 0) return;
  context.strokeStyle = `rgb(255 110 110 / ${mark})`;
  context.lineWidth = 3;
  context.beginPath();
  for (const [sideX, sideY] of [
    [-1, -1],
    [1, -1],
    [-1, 1],
    [1, 1],
  ] as const) {
    context.moveTo(x + sideX * MARK_PX, y + sideY * MARK_PX);
    context.lineTo(x + sideX * 2 * MARK_PX, y + sideY * 2 * MARK_PX);
  }
  context.stroke();
}
