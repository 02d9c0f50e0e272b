/** What the player wants, from whichever devices are at hand. */
import type { Point } from "../../../../shared/games/arena/map.ts";
import type { Camera } from "../canvas/camera.ts";
import { KeyboardMouse } from "../input/keyboard-mouse.ts";
import { TouchSticks } from "../input/touch-sticks.ts";

/** Full deflection of a `MoveInput`. */
const FULL = 127;
/** The camera looks ahead by this share of the way to the mouse, or so far for a stick. */
const LOOK_AHEAD_SHARE = 0.2;
const LOOK_AHEAD_STICK = 90;

export type Intent = {
  readonly dx: number;
  readonly dy: number;
  readonly aim: number;
  readonly shoot: boolean;
};

export class Controls {
  readonly sticks: TouchSticks;
  readonly #desk: KeyboardMouse;
  #aim = 0;

  constructor(canvas: HTMLCanvasElement, signal: AbortSignal) {
    this.#desk = new KeyboardMouse(canvas, signal);
    this.sticks = new TouchSticks(canvas, signal);
  }

  /** Where the crosshair is, on the screen; undefined when nobody points at anything. */
  get pointer(): Point | undefined {
    return this.sticks.isUsed ? undefined : this.#desk.pointer;
  }

  /** @param own where the own fighter is shown, on the field */
  read(own: Point, camera: Camera): Intent {
    const direction = this.sticks.isUsed ? this.sticks.direction : this.#desk.direction;
    this.#aim = this.#aimFrom(own, camera, direction) ?? this.#aim;
    return {
      dx: Math.round(direction.x * FULL),
      dy: Math.round(direction.y * FULL),
      aim: this.#aim,
      shoot: this.sticks.isShooting || this.#desk.isShooting,
    };
  }

  /** How far ahead of the own fighter the camera looks. */
  lookAhead(own: Point, camera: Camera): Point {
    if (this.sticks.isUsed) {
      const reach = this.sticks.aim === undefined ? 0 : LOOK_AHEAD_STICK;
      return { x: Math.cos(this.#aim) * reach, y: Math.sin(this.#aim) * reach };
    }
    if (this.#desk.pointer === undefined) return { x: 0, y: 0 };
    const { x, y } = camera.toField(this.#desk.pointer);
    return { x: (x - own.x) * LOOK_AHEAD_SHARE, y: (y - own.y) * LOOK_AHEAD_SHARE };
  }

  /** Without a pointer one looks where one goes. */
  #aimFrom(own: Point, camera: Camera, direction: Point): number | undefined {
    const { pointer } = this;
    if (pointer !== undefined) {
      const { x, y } = camera.toField(pointer);
      return Math.atan2(y - own.y, x - own.x);
    }
    const isMoving = direction.x !== 0 || direction.y !== 0;
    return this.sticks.aimAngle ?? (isMoving ? Math.atan2(direction.y, direction.x) : undefined);
  }
}
