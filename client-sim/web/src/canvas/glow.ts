/** Soft round lights, drawn once per colour and used as pictures from then on. */
import { colourOf } from "../common/colours.ts";
import { context2d } from "../common/dom.ts";

const SIZE_PX = 128;
const pictures = new Map<number, HTMLCanvasElement>();

/** @param colour index of a player's colour, or below 0 for white */
function pictureOf(colour: number): HTMLCanvasElement {
  let picture = pictures.get(colour);
  if (picture === undefined) {
    picture = document.createElement("canvas");
    picture.width = SIZE_PX;
    picture.height = SIZE_PX;
    const context = context2d(picture);
    const middle = SIZE_PX / 2;
    const light = context.createRadialGradient(middle, middle, 0, middle, middle, middle);
    const shade = (lightness: number, alpha: number) =>
      colour < 0 ? `rgb(255 255 255 / ${alpha})` : colourOf(colour, lightness, alpha);
    light.addColorStop(0, shade(80, 0.95));
    light.addColorStop(0.2, shade(66, 0.5));
    light.addColorStop(0.55, shade(58, 0.13));
    light.addColorStop(1, shade(55, 0));
    context.fillStyle = light;
    context.fillRect(0, 0, SIZE_PX, SIZE_PX);
    pictures.set(colour, picture);
  }
  return picture;
}

/** Adds light around a point. */
export function drawGlow(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  colour: number,
  alpha: number,
): void {
  context.globalCompositeOperation = "lighter";
  context.globalAlpha = alpha;
  context.drawImage(pictureOf(colour), x - radius, y - radius, 2 * radius, 2 * radius);
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
}
