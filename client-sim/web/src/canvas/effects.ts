/**
 * Sparks, embers, feathers, rings and numbers that fly up: what tells that something happened, and nothing more.
 * Bounded in number; with reduced motion there are a few only.
 */
import { prefersReducedMotion } from "../common/dom.ts";

export type ParticleKind = "spark" | "ember" | "feather" | "ring" | "text";
export type Particle = {
  readonly kind: ParticleKind;
  x: number;
  y: number;
  vx: number;
  vy: number;
  readonly colour: number;
  readonly size: number;
  readonly lifeMs: number;
  ageMs: number;
  angle: number;
  readonly spin: number;
  readonly text: string;
};

const PARTICLES_MAX = 600;
const REDUCED_SHARE = 0.2;
/** A particle loses two thirds of its speed in so long. */
const DRAG_MS = 260;
const TEXT_SPREAD = 18;
/** Colour of what has no owner: walls. */
export const NEUTRAL = -1;

type Burst = {
  readonly kind: ParticleKind;
  readonly count: number;
  readonly colour: number;
  readonly size: number;
  readonly lifeMs: number;
  readonly speed: number;
  /** Middle and half width of the fan, in radians. */
  readonly angle: number;
  readonly spread: number;
};

export class Effects {
  readonly particles: Particle[] = [];

  muzzle(x: number, y: number, angle: number, colour: number): void {
    const tipX = x + Math.cos(angle) * 24;
    const tipY = y + Math.sin(angle) * 24;
    this.#burst(tipX, tipY, {
      kind: "ember",
      count: 1,
      colour,
      size: 20,
      lifeMs: 90,
      speed: 0,
      angle,
      spread: 0,
    });
    this.#burst(tipX, tipY, {
      kind: "spark",
      count: 4,
      colour,
      size: 1.4,
      lifeMs: 150,
      speed: 320,
      angle,
      spread: 0.45,
    });
  }

  /** A shot meets a wall, flying in this direction. */
  impact(x: number, y: number, angle: number, colour: number): void {
    const back = angle + Math.PI;
    this.#burst(x, y, {
      kind: "spark",
      count: 7,
      colour,
      size: 1.6,
      lifeMs: 260,
      speed: 260,
      angle: back,
      spread: 1.1,
    });
    this.#burst(x, y, {
      kind: "ember",
      count: 1,
      colour,
      size: 16,
      lifeMs: 140,
      speed: 0,
      angle: 0,
      spread: 0,
    });
  }

  /** Somebody was hit. */
  hit(x: number, y: number, colour: number, damage: number): void {
    this.#burst(x, y, {
      kind: "spark",
      count: 12,
      colour,
      size: 2,
      lifeMs: 320,
      speed: 380,
      angle: 0,
      spread: Math.PI,
    });
    this.#burst(x, y, {
      kind: "feather",
      count: 3,
      colour,
      size: 6,
      lifeMs: 900,
      speed: 130,
      angle: 0,
      spread: Math.PI,
    });
    this.#burst(x, y, {
      kind: "ember",
      count: 1,
      colour: NEUTRAL,
      size: 34,
      lifeMs: 130,
      speed: 0,
      angle: 0,
      spread: 0,
    });
    // Two hits at once are two numbers.
    const aside = (Math.random() * 2 - 1) * TEXT_SPREAD;
    this.text(x + aside, y - 26, `-${damage}`, colour);
  }

  death(x: number, y: number, colour: number): void {
    this.#burst(x, y, {
      kind: "spark",
      count: 30,
      colour,
      size: 2.4,
      lifeMs: 620,
      speed: 560,
      angle: 0,
      spread: Math.PI,
    });
    this.#burst(x, y, {
      kind: "feather",
      count: 18,
      colour,
      size: 8,
      lifeMs: 1_500,
      speed: 260,
      angle: 0,
      spread: Math.PI,
    });
    this.#burst(x, y, {
      kind: "ember",
      count: 10,
      colour,
      size: 16,
      lifeMs: 700,
      speed: 150,
      angle: 0,
      spread: Math.PI,
    });
    this.#burst(x, y, {
      kind: "ember",
      count: 1,
      colour: NEUTRAL,
      size: 90,
      lifeMs: 220,
      speed: 0,
      angle: 0,
      spread: 0,
    });
    this.#ring(x, y, colour, 95, 480);
    this.#ring(x, y, NEUTRAL, 55, 320);
  }

  spawn(x: number, y: number, colour: number): void {
    this.#ring(x, y, colour, 46, 520);
    this.#burst(x, y, {
      kind: "ember",
      count: 6,
      colour,
      size: 10,
      lifeMs: 500,
      speed: 90,
      angle: 0,
      spread: Math.PI,
    });
  }

  text(x: number, y: number, text: string, colour: number): void {
    this.#add({
      kind: "text",
      x,
      y,
      vx: 0,
      vy: -70,
      colour,
      size: 15,
      lifeMs: 750,
      ageMs: 0,
      angle: 0,
      spin: 0,
      text,
    });
  }

  advance(dtMs: number): void {
    const { particles } = this;
    const seconds = dtMs / 1_000;
    const kept = Math.exp(-dtMs / DRAG_MS);
    let count = 0;
    for (const particle of particles) {
      particle.ageMs += dtMs;
      if (particle.ageMs >= particle.lifeMs) continue;
      particle.x += particle.vx * seconds;
      particle.y += particle.vy * seconds;
      particle.vx *= kept;
      particle.vy *= kept;
      particle.angle += particle.spin * seconds;
      particles[count++] = particle;
    }
    particles.length = count;
  }

  clear(): void {
    this.particles.length = 0;
  }

  #ring(x: number, y: number, colour: number, size: number, lifeMs: number): void {
    this.#burst(x, y, { kind: "ring", count: 1, colour, size, lifeMs, speed: 0, angle: 0, spread: 0 });
  }

  #burst(x: number, y: number, burst: Burst): void {
    const count = prefersReducedMotion.matches ? Math.ceil(burst.count * REDUCED_SHARE) : burst.count;
    for (let i = 0; i < count; i += 1) {
      const angle = burst.angle + (Math.random() * 2 - 1) * burst.spread;
      const speed = burst.speed * (0.35 + 0.65 * Math.random());
      this.#add({
        kind: burst.kind,
        x,
        y,
        vx: Math.cos(angle) * speed,
        vy: Math.sin(angle) * speed,
        colour: burst.colour,
        size: burst.size * (burst.count === 1 ? 1 : 0.6 + 0.6 * Math.random()),
        lifeMs: burst.lifeMs * (burst.count === 1 ? 1 : 0.6 + 0.6 * Math.random()),
        ageMs: 0,
        angle,
        spin: (Math.random() * 2 - 1) * 7,
        text: "",
      });
    }
  }

  #add(particle: Particle): void {
    if (this.particles.length < PARTICLES_MAX) this.particles.push(particle);
  }
}
