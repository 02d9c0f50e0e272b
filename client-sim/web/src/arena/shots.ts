/**
 * The shots as they are shown. Those of others come with the states and fly at the time shown. Ours fly at once, from
 * what we see at the moment of firing, as the server will judge them; what it says of them is only the outcome.
 */
import { flightToCircle, MISSED } from "../../../../shared/games/arena/collide.ts";
import type { Point } from "../../../../shared/games/arena/map.ts";
import { RULES } from "../../../../shared/games/arena/rules.ts";
import type { Player, Shot } from "../../../../shared/games/arena/schema.ts";
import { type FiredShot, flightMs, shotPositionAt } from "../../../../shared/games/arena/shot.ts";
import type { MirrorMap, View } from "../../../../shared/schema/index.ts";
import type { Effects } from "../canvas/effects.ts";
import type { Tracer } from "./model.ts";

const REACH = RULES.playerRadius + RULES.shotRadius;

export class Shots {
  readonly #effects: Effects;
  readonly #theirs = new Map<string, Tracer & { shot: FiredShot }>();
  /** By key: those in the state whose end has been shown. */
  readonly #over = new Set<string>();
  readonly #ours = new Set<Tracer>();

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  get tracers(): readonly Tracer[] {
    return [...this.#theirs.values(), ...this.#ours];
  }

  clear(): void {
    this.#theirs.clear();
    this.#over.clear();
    this.#ours.clear();
  }

  /** A state was applied. */
  follow(shots: MirrorMap<typeof Shot>, self: View<typeof Player> | undefined): void {
    for (const key of this.#over) if (!shots.has(key)) this.#over.delete(key);
    for (const [key, { x, y, angle, firedAtMs, lifeMs, by }] of shots) {
      if (this.#over.has(key) || (by !== undefined && by === self)) continue;
      const shot = { x, y, angle, firedAtMs, lifeMs };
      const known = this.#theirs.get(key);
      if (known === undefined) this.#theirs.set(key, { shot, colour: by?.colour ?? 0, at: undefined });
      else known.shot = shot;
    }
  }

  /** @param atMs room time of what the shooter sees */
  fire(from: Point, angle: number, colour: number, atMs: number): void {
    const shot = { ...from, angle, firedAtMs: atMs, lifeMs: flightMs(from, angle) };
    this.#ours.add({ shot, colour, at: from });
    this.#effects.muzzle(from.x, from.y, angle, colour);
  }

  /** @param targets where they are shown now */
  advance(shownMs: number, targets: readonly Point[]): void {
    for (const [key, tracer] of this.#theirs) {
      const isOver = this.#fly(tracer, shownMs);
      if (!isOver) continue;
      this.#theirs.delete(key);
      this.#over.add(key);
    }
    for (const tracer of this.#ours) {
      const from = tracer.at ?? tracer.shot;
      const isOver = this.#fly(tracer, shownMs);
      const { at } = tracer;
      if (isOver || at === undefined) {
        this.#ours.delete(tracer);
        continue;
      }
      // It ends where we see it meet somebody; whether that counts, the server says a little later.
      if (!targets.some((target) => flightToCircle(from, at, target, REACH) !== MISSED)) continue;
      this.#effects.impact(at.x, at.y, tracer.shot.angle, tracer.colour);
      this.#ours.delete(tracer);
    }
  }

  /** @returns whether its flight has ended */
  #fly(tracer: Tracer, shownMs: number): boolean {
    const { shot, colour } = tracer;
    if (shownMs < shot.firedAtMs) return false;
    if (tracer.at === undefined) this.#effects.muzzle(shot.x, shot.y, shot.angle, colour);
    tracer.at = shotPositionAt(shot, shownMs);
    if (shownMs < shot.firedAtMs + shot.lifeMs) return false;
    const hasMetSomething = shot.lifeMs < RULES.shotLifetimeMs;
    if (hasMetSomething) this.#effects.impact(tracer.at.x, tracer.at.y, shot.angle, colour);
    return true;
  }
}
