/** Shots in flight: a bright head and a trail of light. */
import { RULES } from "../../../../../shared/games/arena/rules.ts";
import type { Camera } from "../../canvas/camera.ts";
import { drawGlow } from "../../canvas/glow.ts";
import { colourOf } from "../../common/colours.ts";
import type { Tracer } from "../model.ts";

const TRAIL = 58;
/** Shots begin at the beak, not in the middle of the bird. */
const BEAK = 24;

export function drawTracers(
  context: CanvasRenderingContext2D,
  camera: Camera,
  tracers: readonly Tracer[],
): void {
  for (const { shot, colour, at } of tracers) {
    if (at === undefined || !camera.sees(at, TRAIL)) continue;
    const { angle } = shot;
    const way = Math.hypot(at.x - shot.x, at.y - shot.y);
    const trail = Math.min(TRAIL, way - BEAK);
    if (trail <= 0) continue;
    const tailX = at.x - Math.cos(angle) * trail;
    const tailY = at.y - Math.sin(angle) * trail;
    const fade = context.createLinearGradient(tailX, tailY, at.x, at.y);
    fade.addColorStop(0, colourOf(colour, 60, 0));
    fade.addColorStop(1, colourOf(colour, 70, 0.9));
    context.globalCompositeOperation = "lighter";
    context.lineCap = "round";
    context.strokeStyle = fade;
    context.lineWidth = 2.2 * RULES.shotRadius;
    context.beginPath();
    context.moveTo(tailX, tailY);
    context.lineTo(at.x, at.y);
    context.stroke();
    context.globalCompositeOperation = "source-over";
    drawGlow(context, at.x, at.y, 22, colour, 0.9);
    context.fillStyle = "#ffffff";
    context.beginPath();
    context.arc(at.x, at.y, RULES.shotRadius, 0, 2 * Math.PI);
    context.fill();
  }
}
