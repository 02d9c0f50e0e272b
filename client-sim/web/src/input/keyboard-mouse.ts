/** Keyboard and mouse: keys give a direction and a pace, the mouse gives where to aim and when to shoot. */
import type { Point } from "../canvas/point.ts";

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  KeyW: [0, -1],
  ArrowUp: [0, -1],
  KeyS: [0, 1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};
const SHOOT_KEY = "Space";
const SPRINT_KEY = "ShiftLeft";

export class KeyboardMouse {
  /** On the screen; undefined until the mouse has moved. */
  pointer: Point | undefined;
  readonly #held = new Set<string>();
  #isPressed = false;

  /** @param signal ends the listening */
  constructor(canvas: HTMLCanvasElement, signal: AbortSignal) {
    const options = { signal };
    addEventListener("keydown", (event) => this.#onKey(event, true), options);
    addEventListener("keyup", (event) => this.#onKey(event, false), options);
    // What is let go while the page is not in front is never told.
    addEventListener("blur", () => this.#letGo(), options);
    canvas.addEventListener("pointermove", (event) => this.#onPointer(event), options);
    canvas.addEventListener(
      "pointerdown",
      (event) => {
        this.#onPointer(event);
        if (event.pointerType === "mouse" && event.button === 0) this.#isPressed = true;
      },
      options,
    );
    addEventListener(
      "pointerup",
      ({ pointerType }) => {
        if (pointerType === "mouse") this.#isPressed = false;
      },
      options,
    );
    canvas.addEventListener("contextmenu", (event) => event.preventDefault(), options);
  }

  get isShooting(): boolean {
    return this.#isPressed || this.#held.has(SHOOT_KEY);
  }

  get isSprinting(): boolean {
    return this.#held.has(SPRINT_KEY);
  }

  /** Of length 1, or 0 when no key is held or opposite ones are. */
  get direction(): Point {
    let x = 0;
    let y = 0;
    for (const code of this.#held) {
      const [stepX, stepY] = DIRECTIONS[code] ?? [0, 0];
      x += stepX;
      y += stepY;
    }
    const length = Math.hypot(x, y);
    return length === 0 ? { x: 0, y: 0 } : { x: x / length, y: y / length };
  }

  #onKey(event: KeyboardEvent, isDown: boolean): void {
    const { code, target } = event;
    if (DIRECTIONS[code] === undefined && code !== SHOOT_KEY && code !== SPRINT_KEY) return;
    if (isDown && (event.ctrlKey || event.metaKey || event.altKey)) return;
    // Space presses the button that has the focus.
    if (isDown && (target instanceof HTMLInputElement || target instanceof HTMLButtonElement)) return;
    if (isDown) this.#held.add(code);
    else this.#held.delete(code);
    event.preventDefault();
  }

  #onPointer({ pointerType, clientX, clientY }: PointerEvent): void {
    if (pointerType === "mouse") this.pointer = { x: clientX, y: clientY };
  }

  #letGo(): void {
    this.#held.clear();
    this.#isPressed = false;
  }
}
