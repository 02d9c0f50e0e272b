/** Puts the layers on the canvas, from the ground up. */

import type { Camera } from "../../canvas/camera.ts";
import type { Effects } from "../../canvas/effects.ts";
import { drawParticles } from "../../canvas/particles.ts";
import { context2d } from "../../common/dom.ts";
import type { Scene } from "../model.ts";
import { Field } from "./field.ts";
import { drawFighters } from "./fighters.ts";
import { drawTracers } from "./tracers.ts";

export class Picture {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  readonly #field = new Field();

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.context = context2d(canvas);
  }

  /** Afterwards the context draws in pixels of the page. */
  draw(camera: Camera, scene: Scene, effects: Effects): void {
    const { context } = this;
    this.#field.drawGround(context, camera);
    this.#field.drawWalls(context, camera);
    drawTracers(context, camera, scene.tracers);
    drawFighters(context, camera, scene.fighters);
    drawParticles(context, camera, effects.particles);
    camera.enterScreen(context);
  }
}
