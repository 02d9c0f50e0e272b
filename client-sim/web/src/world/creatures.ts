/** Sheep, hares, deer and players from above. Who was tagged wears the colour of who did it. */
import { KINDS, RULES } from "../../../../shared/games/world/rules.ts";
import type { Camera } from "../canvas/camera.ts";
import { drawGlow } from "../canvas/glow.ts";
import { colourOf } from "../common/colours.ts";

export type CreatureShown = {
  readonly x: number;
  readonly y: number;
  readonly facing: number;
  readonly kind: number;
  readonly colour: number | undefined;
};
export type PlayerShown = {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  readonly colour: number;
  readonly isSelf: boolean;
};

type Shape = (context: CanvasRenderingContext2D, radius: number) => void;

const NAME_SIZE_PX = 13;

export function drawCreature(context: CanvasRenderingContext2D, creature: CreatureShown): void {
  const { x, y, facing, kind, colour } = creature;
  const radius = KINDS[kind]?.radius ?? RULES.playerRadius;
  if (colour !== undefined) drawGlow(context, x, y, radius * 2.6, colour, 0.6);
  context.save();
  context.translate(x, y);
  context.fillStyle = "rgb(0 0 0 / 0.3)";
  context.beginPath();
  context.ellipse(2, 5, radius * 1.05, radius * 0.9, 0, 0, 2 * Math.PI);
  context.fill();
  context.rotate(facing);
  SHAPES[kind % SHAPES.length]?.(context, radius);
  if (colour !== undefined) {
    context.strokeStyle = colourOf(colour, 66);
    context.lineWidth = 3;
    context.beginPath();
    context.arc(0, 0, radius + 4, 0, 2 * Math.PI);
    context.stroke();
  }
  context.restore();
}

const SHAPES: readonly Shape[] = [
  function drawSheep(context, radius) {
    fillCircle(context, "#2a2a33", radius * 0.95, 0, radius * 0.42);
    for (const [x, y] of [
      [-0.5, -0.4],
      [-0.5, 0.4],
      [0.2, -0.48],
      [0.2, 0.48],
      [-0.85, 0],
      [0, 0],
      [0.5, 0],
    ] as const) {
      fillCircle(context, "#f1ede2", x * radius, y * radius, radius * 0.52);
    }
  },
  function drawHare(context, radius) {
    fillEllipse(context, "#b58a5a", 0, 0, radius, radius * 0.68);
    fillCircle(context, "#fff7e6", -radius, 0, radius * 0.3);
    fillCircle(context, "#c79c6b", radius * 0.9, 0, radius * 0.5);
    for (const side of [-1, 1])
      fillEllipse(context, "#dcb586", radius * 0.35, side * radius * 0.36, radius * 0.62, radius * 0.17);
  },
  function drawDeer(context, radius) {
    context.strokeStyle = "#d8c3a0";
    context.lineWidth = 2;
    context.beginPath();
    for (const side of [-1, 1]) {
      context.moveTo(radius * 1.1, side * 2);
      context.lineTo(radius * 0.9, side * radius * 0.75);
      context.lineTo(radius * 1.35, side * radius * 0.95);
      context.moveTo(radius * 0.9, side * radius * 0.75);
      context.lineTo(radius * 0.45, side * radius * 0.95);
    }
    context.stroke();
    fillEllipse(context, "#a4653a", -radius * 0.1, 0, radius, radius * 0.58);
    fillCircle(context, "#b97747", radius * 1.05, 0, radius * 0.36);
    for (const [x, y] of [
      [-0.5, -0.2],
      [-0.1, 0.2],
      [0.3, -0.15],
    ] as const) {
      fillCircle(context, "#e9cfa6", x * radius, y * radius, radius * 0.09);
    }
  },
];

export function drawPlayer(context: CanvasRenderingContext2D, camera: Camera, player: PlayerShown): void {
  const { x, y, name, colour, isSelf } = player;
  const radius = RULES.playerRadius;
  drawGlow(context, x, y, radius * 4.5, colour, 0.6);
  fillCircle(context, colourOf(colour, 58), x, y, radius);
  context.lineWidth = 3.5;
  context.strokeStyle = isSelf ? "#ffffff" : colourOf(colour, 78);
  context.stroke();
  context.font = `700 ${NAME_SIZE_PX / camera.scale}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const nameY = y - radius - 7 / camera.scale;
  context.lineWidth = 3 / camera.scale;
  context.strokeStyle = "rgb(4 10 11 / 0.75)";
  context.strokeText(name, x, nameY);
  context.fillStyle = colourOf(colour, 84);
  context.fillText(name, x, nameY);
}

function fillCircle(
  context: CanvasRenderingContext2D,
  fill: string,
  x: number,
  y: number,
  radius: number,
): void {
  fillEllipse(context, fill, x, y, radius, radius);
}

function fillEllipse(
  context: CanvasRenderingContext2D,
  fill: string,
  x: number,
  y: number,
  radiusX: number,
  radiusY: number,
): void {
  context.fillStyle = fill;
  context.beginPath();
  context.ellipse(x, y, radiusX, radiusY, 0, 0, 2 * Math.PI);
  context.fill();
}
