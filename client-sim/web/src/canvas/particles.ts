/** Draws what `Effects` keeps. */
import { colourOf } from "../common/colours.ts";
import type { Camera } from "./camera.ts";
import type { Particle } from "./effects.ts";
import { drawGlow } from "./glow.ts";

const SEEN_RADIUS = 100;
/** A spark is as long as its way in so many seconds. */
const SPARK_S = 0.04;

export function drawParticles(
  context: CanvasRenderingContext2D,
  camera: Camera,
  particles: readonly Particle[],
): void {
  for (const particle of particles) {
    if (camera.sees(particle, SEEN_RADIUS)) DRAW[particle.kind](context, particle, camera);
  }
  context.globalAlpha = 1;
}

type Draw = (context: CanvasRenderingContext2D, particle: Particle, camera: Camera) => void;

const DRAW: Readonly<Record<Particle["kind"], Draw>> = {
  spark(context, particle) {
    const { x, y, vx, vy, size, colour } = particle;
    context.globalAlpha = restOf(particle);
    context.lineCap = "round";
    context.lineWidth = size;
    context.strokeStyle = shade(colour, 78);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - vx * SPARK_S, y - vy * SPARK_S);
    context.stroke();
  },
  ember(context, particle) {
    const { x, y, size, colour } = particle;
    drawGlow(context, x, y, size, colour, restOf(particle));
  },
  feather(context, particle) {
    const { x, y, size, colour, angle } = particle;
    context.globalAlpha = Math.min(1, 2 * restOf(particle));
    context.fillStyle = shade(colour, 52);
    context.beginPath();
    context.ellipse(x, y, size, size * 0.32, angle, 0, 2 * Math.PI);
    context.fill();
  },
  ring(context, particle) {
    const { x, y, size, colour } = particle;
    const rest = restOf(particle);
    const grown = 1 - rest * rest;
    context.globalAlpha = rest;
    context.lineWidth = 1 + 6 * rest;
    context.strokeStyle = shade(colour, 72);
    context.beginPath();
    context.arc(x, y, 12 + size * grown, 0, 2 * Math.PI);
    context.stroke();
  },
  text(context, particle, camera) {
    const { x, y, size, colour, text } = particle;
    context.globalAlpha = Math.min(1, 2 * restOf(particle));
    context.font = `800 ${size / camera.scale}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.lineWidth = 3 / camera.scale;
    context.strokeStyle = "rgb(4 6 13 / 0.8)";
    context.strokeText(text, x, y);
    context.fillStyle = shade(colour, 84);
    context.fillText(text, x, y);
  },
};

/** What is left of a particle's life, from 1 down to 0. */
function restOf({ ageMs, lifeMs }: Pick<Particle, "ageMs" | "lifeMs">): number {
  return 1 - ageMs / lifeMs;
}

function shade(colour: number, lightness: number): string {
  return colour < 0 ? "#ffffff" : colourOf(colour, lightness);
}
