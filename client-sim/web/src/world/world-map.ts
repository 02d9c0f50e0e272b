/** The whole world, small, with all that this client knows of it: what is within its view. */
import { RULES } from "../../../../shared/games/world/rules.ts";
import type { Point } from "../canvas/point.ts";
import { colourOf } from "../common/colours.ts";
import { context2d } from "../common/dom.ts";

const REFRESH_MS = 100;

export type Dot = Point & { readonly colour: number | undefined };

export class WorldMap {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #drawnAtMs = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = context2d(canvas);
  }

  draw(nowMs: number, own: Point | undefined, dots: Iterable<Dot>): void {
    if (nowMs - this.#drawnAtMs < REFRESH_MS) return;
    this.#drawnAtMs = nowMs;
    const context = this.#context;
    const size = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (this.#canvas.width !== size) Object.assign(this.#canvas, { width: size, height: size });
    const scale = size / RULES.worldWidth;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, RULES.worldWidth, RULES.worldHeight);
    if (own === undefined) return;
    context.fillStyle = "rgb(77 225 201 / 0.16)";
    context.strokeStyle = "rgb(160 255 230 / 0.7)";
    context.lineWidth = devicePixelRatio / scale;
    context.beginPath();
    context.arc(own.x, own.y, RULES.viewRadius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    const dotSize = (2 * devicePixelRatio) / scale;
    for (const { x, y, colour } of dots) {
      context.fillStyle = colour === undefined ? "rgb(240 235 220 / 0.85)" : colourOf(colour);
      context.fillRect(x - dotSize / 2, y - dotSize / 2, dotSize, dotSize);
    }
    context.fillStyle = "#ffffff";
    context.beginPath();
    context.arc(own.x, own.y, 2 * dotSize, 0, 2 * Math.PI);
    context.fill();
  }
}
