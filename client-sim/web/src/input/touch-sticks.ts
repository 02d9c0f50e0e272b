/**
 * Two sticks for thumbs, which begin where a thumb is put down: the left half of the screen moves, the right half aims,
 * and shoots when the stick is pushed out.
 */
import type { Point } from "../canvas/point.ts";

const REACH_PX = 52;
/** A stick that is pushed out less does nothing. */
const DEAD_ZONE = 0.18;
const SHOOT_FROM = 0.45;

export type Stick = { readonly pointerId: number; readonly from: Point; to: Point };

export class TouchSticks {
  /** Touch is the way to play here. */
  isUsed = matchMedia("(pointer: coarse)").matches;
  move: Stick | undefined;
  aim: Stick | undefined;

  /** @param signal ends the listening */
  constructor(canvas: HTMLCanvasElement, signal: AbortSignal) {
    const options = { signal };
    canvas.addEventListener("pointerdown", (event) => this.#onDown(event), options);
    canvas.addEventListener("pointermove", (event) => this.#onMove(event), options);
    for (const type of ["pointerup", "pointercancel"] as const) {
      addEventListener(type, (event) => this.#onUp(event), options);
    }
  }

  /** Of length 0 to 1. */
  get direction(): Point {
    return this.move === undefined ? { x: 0, y: 0 } : deflectionOf(this.move);
  }

  /** In radians; undefined while nothing is aimed at. */
  get aimAngle(): number | undefined {
    if (this.aim === undefined) return undefined;
    const { x, y } = deflectionOf(this.aim);
    return x === 0 && y === 0 ? undefined : Math.atan2(y, x);
  }

  get isShooting(): boolean {
    if (this.aim === undefined) return false;
    const { x, y } = deflectionOf(this.aim);
    return Math.hypot(x, y) >= SHOOT_FROM;
  }

  draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    if (!this.isUsed) return;
    const y = height - 120;
    drawStick(context, this.move, { x: 90, y });
    drawStick(context, this.aim, { x: width - 90, y });
  }

  #onDown({ pointerType, pointerId, clientX, clientY }: PointerEvent): void {
    if (pointerType === "mouse") return;
    this.isUsed = true;
    const at = { x: clientX, y: clientY };
    const side = clientX < innerWidth / 2 ? "move" : "aim";
    this[side] ??= { pointerId, from: at, to: at };
  }

  #onMove({ pointerId, clientX, clientY }: PointerEvent): void {
    for (const stick of [this.move, this.aim]) {
      if (stick?.pointerId === pointerId) stick.to = { x: clientX, y: clientY };
    }
  }

  #onUp({ pointerId }: PointerEvent): void {
    if (this.move?.pointerId === pointerId) this.move = undefined;
    if (this.aim?.pointerId === pointerId) this.aim = undefined;
  }
}

function deflectionOf({ from, to }: Stick): Point {
  const x = (to.x - from.x) / REACH_PX;
  const y = (to.y - from.y) / REACH_PX;
  const length = Math.hypot(x, y);
  if (length < DEAD_ZONE) return { x: 0, y: 0 };
  return length <= 1 ? { x, y } : { x: x / length, y: y / length };
}

function drawStick(context: CanvasRenderingContext2D, stick: Stick | undefined, rest: Point): void {
  const base = stick?.from ?? rest;
  const { x, y } = stick === undefined ? { x: 0, y: 0 } : deflectionOf(stick);
  const strength = stick === undefined ? 0.5 : 1;
  context.lineWidth = 2;
  context.strokeStyle = `rgb(255 255 255 / ${0.3 * strength})`;
  context.fillStyle = `rgb(255 255 255 / ${0.06 * strength})`;
  context.beginPath();
  context.arc(base.x, base.y, REACH_PX, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.fillStyle = `rgb(77 225 201 / ${0.55 * strength})`;
  context.beginPath();
  context.arc(base.x + x * REACH_PX, base.y + y * REACH_PX, 24, 0, 2 * Math.PI);
  context.fill();
}
