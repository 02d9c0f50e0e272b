/** The fighters: rooks from above, with wings that beat, a beak that points where they aim, and their health around. */
import { RULES } from "../../../../../shared/games/arena/rules.ts";
import type { Camera } from "../../canvas/camera.ts";
import { drawGlow } from "../../canvas/glow.ts";
import { colourOf } from "../../common/colours.ts";
import type { FighterShown } from "../model.ts";

const BODY_RADIUS = 12.5;
const GLOW_RADIUS = 62;
const HEALTH_RADIUS = 23;
const NAME_SIZE_PX = 12;
/** Room for a fighter with its name and glow. */
const SEEN_RADIUS = 80;

export function drawFighters(
  context: CanvasRenderingContext2D,
  camera: Camera,
  fighters: readonly FighterShown[],
): void {
  const seen = fighters.filter((fighter) => fighter.hp > 0 && camera.sees(fighter, SEEN_RADIUS));
  for (const fighter of seen) {
    drawGlow(context, fighter.x, fighter.y, GLOW_RADIUS, fighter.colour, fighter.isSelf ? 0.55 : 0.38);
    drawBird(context, fighter);
  }
  for (const fighter of seen) {
    drawHealth(context, fighter);
    drawName(context, camera, fighter);
  }
}

function drawBird(context: CanvasRenderingContext2D, fighter: FighterShown): void {
  const { x, y, angle, colour, flash, phase, speed } = fighter;
  context.save();
  context.translate(x, y);
  context.fillStyle = "rgb(0 0 0 / 0.35)";
  context.beginPath();
  context.ellipse(3, 7, 17, 15, 0, 0, 2 * Math.PI);
  context.fill();
  context.rotate(angle);

  const beat = Math.sin(phase) * (2 + speed / 60);
  context.fillStyle = colourOf(colour, 42);
  context.strokeStyle = colourOf(colour, 60);
  context.lineWidth = 1.2;
  context.lineJoin = "round";
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(6, side * 8);
    context.quadraticCurveTo(2, side * (21 + beat), -10, side * (25 + beat));
    context.lineTo(-8, side * (20 + beat * 0.7));
    context.lineTo(-17, side * (20 + beat * 0.8));
    context.lineTo(-12, side * (14 + beat * 0.4));
    context.lineTo(-19, side * (12 + beat * 0.3));
    context.lineTo(-8, side * 6);
    context.closePath();
    context.fill();
    context.stroke();
  }
  context.fillStyle = colourOf(colour, 34);
  context.beginPath();
  context.moveTo(-9, -5);
  context.lineTo(-23, -6);
  context.lineTo(-20, 0);
  context.lineTo(-23, 6);
  context.lineTo(-9, 5);
  context.closePath();
  context.fill();

  context.fillStyle = "#ffd166";
  context.beginPath();
  context.moveTo(9, -5.5);
  context.lineTo(25, 0);
  context.lineTo(9, 5.5);
  context.closePath();
  context.fill();

  context.beginPath();
  context.arc(0, 0, BODY_RADIUS, 0, 2 * Math.PI);
  context.fillStyle = "#101a31";
  context.fill();
  context.lineWidth = 4;
  context.strokeStyle = colourOf(colour, 66);
  context.stroke();
  context.fillStyle = "#ffffff";
  for (const side of [-1, 1]) {
    context.beginPath();
    context.arc(5.5, side * 4.6, 2.4, 0, 2 * Math.PI);
    context.fill();
  }
  if (flash > 0) {
    context.globalAlpha = flash;
    context.beginPath();
    context.arc(0, 0, BODY_RADIUS + 3, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
  }
  context.restore();
}

/** A ring that empties; whole fighters have none, except oneself. */
function drawHealth(context: CanvasRenderingContext2D, { x, y, hp, isSelf }: FighterShown): void {
  if (hp >= RULES.hpMax && !isSelf) return;
  const share = Math.min(1, hp / RULES.hpMax);
  const top = -Math.PI / 2;
  context.lineWidth = 3;
  context.lineCap = "round";
  context.strokeStyle = "rgb(255 255 255 / 0.12)";
  context.beginPath();
  context.arc(x, y, HEALTH_RADIUS, 0, 2 * Math.PI);
  context.stroke();
  context.strokeStyle = `hsl(${(share * 150).toFixed(0)} 90% 62%)`;
  context.beginPath();
  context.arc(x, y, HEALTH_RADIUS, top, top + share * 2 * Math.PI);
  context.stroke();
}

function drawName(context: CanvasRenderingContext2D, camera: Camera, fighter: FighterShown): void {
  if (fighter.isSelf) return;
  // The same size on every screen.
  context.font = `600 ${NAME_SIZE_PX / camera.scale}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const y = fighter.y - HEALTH_RADIUS - 6 / camera.scale;
  context.lineWidth = 3 / camera.scale;
  context.strokeStyle = "rgb(4 6 13 / 0.7)";
  context.strokeText(fighter.name, fighter.x, y);
  context.fillStyle = fighter.isBot ? "rgb(196 208 232 / 0.75)" : colourOf(fighter.colour, 82);
  context.fillText(fighter.name, fighter.x, y);
}
