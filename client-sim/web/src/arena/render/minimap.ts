/** The whole arena, small: walls, everybody alive, and what the screen shows. */
import { WALLS } from "../../../../../shared/games/arena/map.ts";
import { RULES } from "../../../../../shared/games/arena/rules.ts";
import type { Camera } from "../../canvas/camera.ts";
import { colourOf } from "../../common/colours.ts";
import { context2d } from "../../common/dom.ts";
import type { FighterShown } from "../model.ts";

const REFRESH_MS = 66;
const DOT_RADIUS_PX = 3;

export class Minimap {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #drawnAtMs = 0;

  /** @param canvas of the arena's proportions */
  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = context2d(canvas);
  }

  draw(nowMs: number, camera: Camera, fighters: readonly FighterShown[]): void {
    if (nowMs - this.#drawnAtMs < REFRESH_MS) return;
    this.#drawnAtMs = nowMs;
    const canvas = this.#canvas;
    const context = this.#context;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round((width * RULES.worldHeight) / RULES.worldWidth);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const scale = width / RULES.worldWidth;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, RULES.worldWidth, RULES.worldHeight);
    context.fillStyle = "rgb(120 150 220 / 0.4)";
    for (const wall of WALLS) context.fillRect(wall.x, wall.y, wall.width, wall.height);
    context.strokeStyle = "rgb(255 255 255 / 0.35)";
    context.lineWidth = devicePixelRatio / scale;
    const seenWidth = camera.width / camera.scale;
    const seenHeight = camera.height / camera.scale;
    context.strokeRect(camera.x - seenWidth / 2, camera.y - seenHeight / 2, seenWidth, seenHeight);
    for (const { x, y, hp, colour, isSelf } of fighters) {
      if (hp === 0) continue;
      context.fillStyle = isSelf ? "#ffffff" : colourOf(colour);
      context.beginPath();
      context.arc(x, y, ((isSelf ? 1.3 : 1) * DOT_RADIUS_PX * devicePixelRatio) / scale, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
