/** The ground of the world: grass that is lit as far as this client is sent what is there, and dark beyond. */
import { RULES } from "../../../../shared/games/world/rules.ts";
import { createRandom } from "../../../../shared/sim/random.ts";
import type { Camera } from "../canvas/camera.ts";
import type { Point } from "../canvas/point.ts";

const DARK = "#040a0b";
const TUFTS = 1_600;
const SEED = 7;
const MARK_STEP = 500;

type Tuft = Point & { readonly size: number; readonly shade: string };

export class Meadow {
  readonly #tufts = plant();

  /** @param own undefined while there is no player */
  draw(context: CanvasRenderingContext2D, camera: Camera, own: Point | undefined): void {
    camera.enterScreen(context);
    context.fillStyle = DARK;
    context.fillRect(0, 0, camera.width, camera.height);
    camera.enterField(context);
    context.fillStyle = "#0a1a18";
    context.fillRect(0, 0, RULES.worldWidth, RULES.worldHeight);
    if (own !== undefined) drawLight(context, own);
    this.#drawTufts(context, camera);
    drawMarks(context, camera);
    context.lineWidth = 6;
    context.strokeStyle = "rgb(77 225 201 / 0.7)";
    context.strokeRect(0, 0, RULES.worldWidth, RULES.worldHeight);
    if (own !== undefined) drawRim(context, own);
  }

  #drawTufts(context: CanvasRenderingContext2D, camera: Camera): void {
    context.lineWidth = 2;
    context.lineCap = "round";
    for (const tuft of this.#tufts) {
      if (!camera.sees(tuft, 12)) continue;
      const { x, y, size, shade } = tuft;
      context.strokeStyle = shade;
      context.beginPath();
      context.moveTo(x - size * 0.7, y - size * 0.8);
      context.lineTo(x, y);
      context.lineTo(x + size * 0.1, y - size * 1.2);
      context.moveTo(x, y);
      context.lineTo(x + size * 0.8, y - size * 0.7);
      context.stroke();
    }
  }
}

function plant(): readonly Tuft[] {
  const random = createRandom(SEED);
  return Array.from({ length: TUFTS }, () => ({
    x: random.next() * RULES.worldWidth,
    y: random.next() * RULES.worldHeight,
    size: 5 + random.next() * 7,
    shade: `hsl(${(140 + random.next() * 40).toFixed(0)} 45% ${(20 + random.next() * 14).toFixed(0)}%)`,
  }));
}

function drawLight(context: CanvasRenderingContext2D, { x, y }: Point): void {
  const radius = RULES.viewRadius;
  const light = context.createRadialGradient(x, y, 0, x, y, radius);
  light.addColorStop(0, "#1d5a4c");
  light.addColorStop(0.6, "#14433d");
  light.addColorStop(1, "#0f302e");
  context.fillStyle = light;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function drawRim(context: CanvasRenderingContext2D, { x, y }: Point): void {
  context.setLineDash([18, 14]);
  context.lineWidth = 3;
  context.strokeStyle = "rgb(160 255 230 / 0.55)";
  context.beginPath();
  context.arc(x, y, RULES.viewRadius, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
}

function drawMarks(context: CanvasRenderingContext2D, camera: Camera): void {
  context.strokeStyle = "rgb(190 255 235 / 0.18)";
  context.lineWidth = 2;
  context.beginPath();
  for (let x = MARK_STEP; x < RULES.worldWidth; x += MARK_STEP) {
    for (let y = MARK_STEP; y < RULES.worldHeight; y += MARK_STEP) {
      if (!camera.sees({ x, y }, 10)) continue;
      context.moveTo(x - 9, y);
      context.lineTo(x + 9, y);
      context.moveTo(x, y - 9);
      context.lineTo(x, y + 9);
    }
  }
  context.stroke();
}
