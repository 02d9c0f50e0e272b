/** The ground of the arena: pools of light, a grid, the border, and walls that stand up a little. */
import { type Rect, WALLS } from "../../../../../shared/games/arena/map.ts";
import { RULES } from "../../../../../shared/games/arena/rules.ts";
import type { Camera } from "../../canvas/camera.ts";
import { context2d } from "../../common/dom.ts";

const OUTSIDE = "#04060d";
const GRID_STEP = 100;
/** How far walls rise, drawn as a face below their top. */
const WALL_RISE = 14;
/** The ground is blurred anyway: so many units per pixel of its picture. */
const GROUND_UNITS_PER_PX = 8;

const POOLS: readonly { x: number; y: number; radius: number; colour: string }[] = [
  { x: 380, y: 330, radius: 640, colour: "24 110 122" },
  { x: 1_640, y: 1_170, radius: 640, colour: "24 110 122" },
  { x: 1_600, y: 300, radius: 620, colour: "86 52 150" },
  { x: 400, y: 1_200, radius: 620, colour: "86 52 150" },
  { x: 1_000, y: 750, radius: 420, colour: "150 74 60" },
];

function paintGround(): HTMLCanvasElement {
  const picture = document.createElement("canvas");
  picture.width = RULES.worldWidth / GROUND_UNITS_PER_PX;
  picture.height = RULES.worldHeight / GROUND_UNITS_PER_PX;
  const context = context2d(picture);
  context.scale(1 / GROUND_UNITS_PER_PX, 1 / GROUND_UNITS_PER_PX);
  context.fillStyle = "#0a1020";
  context.fillRect(0, 0, RULES.worldWidth, RULES.worldHeight);
  for (const { x, y, radius, colour } of POOLS) {
    const light = context.createRadialGradient(x, y, 0, x, y, radius);
    light.addColorStop(0, `rgb(${colour} / 0.5)`);
    light.addColorStop(1, `rgb(${colour} / 0)`);
    context.fillStyle = light;
    context.fillRect(0, 0, RULES.worldWidth, RULES.worldHeight);
  }
  return picture;
}

export class Field {
  readonly #ground = paintGround();

  drawGround(context: CanvasRenderingContext2D, camera: Camera): void {
    camera.enterScreen(context);
    context.fillStyle = OUTSIDE;
    context.fillRect(0, 0, camera.width, camera.height);
    camera.enterField(context);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.#ground, 0, 0, RULES.worldWidth, RULES.worldHeight);
    drawGrid(context, camera);
    drawTitle(context, camera);
    drawBorder(context);
  }

  drawWalls(context: CanvasRenderingContext2D, camera: Camera): void {
    const seen = WALLS.filter(({ x, y, width, height }) =>
      camera.sees({ x: x + width / 2, y: y + height / 2 }, Math.max(width, height) / 2 + 3 * WALL_RISE),
    );
    for (const wall of seen) drawShadow(context, wall);
    for (const wall of seen) drawWall(context, wall);
  }
}

function drawGrid(context: CanvasRenderingContext2D, camera: Camera): void {
  context.beginPath();
  for (let x = GRID_STEP; x < RULES.worldWidth; x += GRID_STEP) {
    if (!camera.sees({ x, y: camera.y }, 1)) continue;
    context.moveTo(x, 0);
    context.lineTo(x, RULES.worldHeight);
  }
  for (let y = GRID_STEP; y < RULES.worldHeight; y += GRID_STEP) {
    if (!camera.sees({ x: camera.x, y }, 1)) continue;
    context.moveTo(0, y);
    context.lineTo(RULES.worldWidth, y);
  }
  context.lineWidth = 1;
  context.strokeStyle = "rgb(140 180 255 / 0.055)";
  context.stroke();
  // A small cross where every second line meets.
  context.beginPath();
  for (let x = GRID_STEP; x < RULES.worldWidth; x += 2 * GRID_STEP) {
    for (let y = GRID_STEP; y < RULES.worldHeight; y += 2 * GRID_STEP) {
      if (!camera.sees({ x, y }, 6)) continue;
      context.moveTo(x - 5, y);
      context.lineTo(x + 5, y);
      context.moveTo(x, y - 5);
      context.lineTo(x, y + 5);
    }
  }
  context.strokeStyle = "rgb(150 200 255 / 0.28)";
  context.stroke();
}

function drawTitle(context: CanvasRenderingContext2D, camera: Camera): void {
  const middle = { x: RULES.worldWidth / 2, y: RULES.worldHeight / 2 };
  if (!camera.sees(middle, 500)) return;
  context.font = "900 150px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = "rgb(170 200 255 / 0.05)";
  context.fillText("ROOKERY", middle.x, middle.y - 190);
}

function drawBorder(context: CanvasRenderingContext2D): void {
  const { worldWidth, worldHeight } = RULES;
  for (const [width, alpha] of [
    [26, 0.06],
    [12, 0.12],
    [3, 0.9],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = `rgb(77 225 201 / ${alpha})`;
    context.strokeRect(0, 0, worldWidth, worldHeight);
  }
}

function drawShadow(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  context.fillStyle = "rgb(0 0 0 / 0.34)";
  context.fillRect(x + 10, y + 10, width, height + WALL_RISE);
}

function drawWall(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  // The footprint is what blocks, so the top is drawn on it and the face inside its lower edge.
  const faceY = y + height - WALL_RISE;
  context.fillStyle = "#0c1326";
  context.fillRect(x, y, width, height);
  const top = context.createLinearGradient(x, y, x, faceY);
  top.addColorStop(0, "#2b3963");
  top.addColorStop(1, "#1d2849");
  context.fillStyle = top;
  context.fillRect(x, y, width, height - WALL_RISE);
  context.lineWidth = 6;
  context.strokeStyle = "rgb(120 160 255 / 0.09)";
  context.strokeRect(x, y, width, height);
  context.lineWidth = 2;
  context.strokeStyle = "rgb(132 168 255 / 0.55)";
  context.strokeRect(x + 1, y + 1, width - 2, height - WALL_RISE - 2);
}
