/**
 * Looks at the field from above: follows a point smoothly, shows about the same area on every screen, and shakes a
 * little when something hits.
 */

import { prefersReducedMotion } from "../common/dom.ts";
import type { Point } from "./point.ts";

/** On small screens less is shown, so that nobody is too small to see. */
const SCALE_MIN = 0.6;
const SCALE_MAX = 2.2;
/** More is not seen, and costs. */
const PIXEL_RATIO_MAX = 2;
/** After so long the camera has made up for two thirds of its way. */
const FOLLOW_MS = 110;
/** A target farther away than this is jumped to. */
const JUMP_DISTANCE = 1_200;
const SHAKE_MAX_PX = 7;
const SHAKE_MS = 260;

/** So much beyond the border of the field may be on the screen. */
const MARGIN = 110;

export type Size = { readonly width: number; readonly height: number };

export class Camera {
  x = 0;
  y = 0;
  /** Pixels of the page per unit of the field. */
  scale = 1;
  width = 1;
  height = 1;
  readonly #field: Size;
  readonly #areaShown: number;
  #ratio = 1;
  #shake = 0;

  /** @param areaShown of the field, on a screen of any shape, in its units squared */
  constructor(field: Size, areaShown: number) {
    this.#field = field;
    this.#areaShown = areaShown;
  }

  /** Fits the canvas to its place on the page. */
  fit(canvas: HTMLCanvasElement): void {
    const { clientWidth, clientHeight } = canvas;
    const ratio = Math.min(PIXEL_RATIO_MAX, devicePixelRatio);
    if (clientWidth === this.width && clientHeight === this.height && ratio === this.#ratio) return;
    this.width = clientWidth;
    this.height = clientHeight;
    this.#ratio = ratio;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    const scale = Math.sqrt((clientWidth * clientHeight) / this.#areaShown);
    this.scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));
  }

  follow(target: Point, dtMs: number): void {
    const share = 1 - Math.exp(-dtMs / FOLLOW_MS);
    const x = within(target.x, this.width / this.scale, this.#field.width);
    const y = within(target.y, this.height / this.scale, this.#field.height);
    const isFar = Math.hypot(x - this.x, y - this.y) > JUMP_DISTANCE;
    this.x += (x - this.x) * (isFar ? 1 : share);
    this.y += (y - this.y) * (isFar ? 1 : share);
    this.#shake = Math.max(0, this.#shake - dtMs / SHAKE_MS);
  }

  /** @param strength from 0 to 1 */
  shake(strength: number): void {
    if (!prefersReducedMotion.matches) this.#shake = Math.min(1, this.#shake + strength);
  }

  /** From now on the context draws in units of the field. */
  enterField(context: CanvasRenderingContext2D): void {
    const reach = this.#shake * this.#shake * SHAKE_MAX_PX;
    const zoom = this.scale * this.#ratio;
    const left = this.width / 2 + reach * (Math.random() * 2 - 1);
    const top = this.height / 2 + reach * (Math.random() * 2 - 1);
    context.setTransform(
      zoom,
      0,
      0,
      zoom,
      left * this.#ratio - this.x * zoom,
      top * this.#ratio - this.y * zoom,
    );
  }

  /** From now on the context draws in pixels of the page. */
  enterScreen(context: CanvasRenderingContext2D): void {
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
  }

  /** @returns whether a circle of the field is on the screen */
  sees({ x, y }: Point, radius: number): boolean {
    return (
      Math.abs(x - this.x) < this.width / 2 / this.scale + radius &&
      Math.abs(y - this.y) < this.height / 2 / this.scale + radius
    );
  }

  toField(screen: Point): Point {
    return {
      x: this.x + (screen.x - this.width / 2) / this.scale,
      y: this.y + (screen.y - this.height / 2) / this.scale,
    };
  }
}

/** @returns the coordinate nearest to the wanted one from which not too much beyond the field is shown */
function within(wanted: number, shown: number, size: number): number {
  const least = shown / 2 - MARGIN;
  return least > size / 2 ? size / 2 : Math.min(Math.max(wanted, least), size - least);
}
