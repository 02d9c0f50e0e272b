/** What bots that run about have in common: where they run, and who is near them. */
import type { Random } from "../../../shared/sim/random.ts";

export type Point = { readonly x: number; readonly y: number };
export type Field = {
  readonly width: number;
  readonly height: number;
  /** So near to the edge one heads back. */
  readonly edge: number;
};

/** Length of a direction that means full speed, in both games. */
const FULL_SPEED = 127;
/** For so many turns it keeps its direction. */
const STRAIGHT_TURNS_MIN = 10;
const STRAIGHT_TURNS_MAX = 40;

/** Runs straight on for a while, then another way, and back towards the middle when it is near the edge. */
export class Roamer {
  readonly #random: Random;
  readonly #field: Field;
  #heading = 0;
  #turnsLeft = 0;

  constructor(random: Random, field: Field) {
    this.#random = random;
    this.#field = field;
  }

  /** @returns where it runs in this turn, in radians */
  next({ x, y }: Point): number {
    const { width, height, edge } = this.#field;
    if (x < edge || y < edge || x > width - edge || y > height - edge) {
      this.#heading = headingTo({ x, y }, { x: width / 2, y: height / 2 });
    } else if (this.#turnsLeft === 0) {
      this.#heading = (this.#random.next() * 2 - 1) * Math.PI;
      const span = STRAIGHT_TURNS_MAX - STRAIGHT_TURNS_MIN;
      this.#turnsLeft = STRAIGHT_TURNS_MIN + Math.floor(this.#random.next() * span);
    } else {
      this.#turnsLeft -= 1;
    }
    return this.#heading;
  }
}

/** @returns full speed this way, as inputs say it */
export function fullSpeed(heading: number): { dx: number; dy: number } {
  return {
    dx: Math.round(Math.cos(heading) * FULL_SPEED),
    dy: Math.round(Math.sin(heading) * FULL_SPEED),
  };
}

export function headingTo(from: Point, to: Point): number {
  return Math.atan2(to.y - from.y, to.x - from.x);
}

export function distance(a: Point, b: Point): number {
  return Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
}

/**
 * @param at where it is; undefined when it does not count
 * @returns undefined when none counts
 */
export function nearest<T>(to: Point, all: Iterable<T>, at: (item: T) => Point | undefined): T | undefined {
  let found: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const item of all) {
    const point = at(item);
    const away = point === undefined ? Number.POSITIVE_INFINITY : distance(to, point);
    if (away >= least) continue;
    least = away;
    found = item;
  }
  return found;
}
