/** A fight among nobody, behind the start screen: the arena's own rules of movement and flight, and dice for minds. */
import { SPAWNS } from "../../../../shared/games/arena/map.ts";
import { RULES } from "../../../../shared/games/arena/rules.ts";
import { flightMs } from "../../../../shared/games/arena/shot.ts";
import { type Body, type Direction, NO_DIRECTION, stepBody } from "../../../../shared/games/arena/step.ts";
import { AREA_SHOWN, FIELD, type FighterShown, moveFighter, newFighter, type Scene } from "../arena/model.ts";
import type { Picture } from "../arena/render/picture.ts";
import { Shots } from "../arena/shots.ts";
import { Camera } from "../canvas/camera.ts";
import { Effects } from "../canvas/effects.ts";
import { prefersReducedMotion } from "../common/dom.ts";

const FIGHTERS = 16;
const FULL_SPEED = 127;
const STRAIGHT_MS_MAX = 1_400;
/** Shots a second of one fighter, about. */
const SHOTS_PER_SECOND = 0.9;
const FRAME_MS_MAX = 50;
/** One round of the camera. */
const ROUND_MS = 70_000;

type Actor = { readonly fighter: FighterShown; body: Body; direction: Direction; turnsAtMs: number };

export class Demo {
  readonly #picture: Picture;
  readonly #camera = new Camera(FIELD, AREA_SHOWN);
  readonly #effects = new Effects();
  readonly #shots = new Shots(this.#effects);
  readonly #actors = Array.from({ length: FIGHTERS }, (_, index) => newActor(index));
  #isRunning = false;
  #frameAtMs = 0;

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#frameAtMs = performance.now();
    requestAnimationFrame((nowMs) => this.#frame(nowMs));
  }

  stop(): void {
    this.#isRunning = false;
  }

  #frame(nowMs: number): void {
    if (!this.#isRunning) return;
    const dtMs = Math.min(FRAME_MS_MAX, Math.max(0, nowMs - this.#frameAtMs));
    this.#frameAtMs = nowMs;
    this.#camera.fit(this.#picture.canvas);
    for (const actor of this.#actors) this.#act(actor, nowMs, dtMs);
    this.#shots.advance(nowMs, []);
    this.#effects.advance(dtMs);
    const round = (nowMs / ROUND_MS) * 2 * Math.PI;
    const { worldWidth, worldHeight } = RULES;
    this.#camera.follow(
      {
        x: worldWidth * (0.5 + 0.28 * Math.cos(round)),
        y: worldHeight * (0.5 + 0.24 * Math.sin(round)),
      },
      dtMs,
    );
    const scene: Scene = {
      fighters: this.#actors.map(({ fighter }) => fighter),
      tracers: this.#shots.tracers,
    };
    this.#picture.draw(this.#camera, scene, this.#effects);
    // One picture is enough for those who do not want motion.
    if (prefersReducedMotion.matches) this.#isRunning = false;
    else requestAnimationFrame((nextMs) => this.#frame(nextMs));
  }

  #act(actor: Actor, nowMs: number, dtMs: number): void {
    if (nowMs >= actor.turnsAtMs) {
      const angle = (Math.random() * 2 - 1) * Math.PI;
      actor.direction = { dx: Math.cos(angle) * FULL_SPEED, dy: Math.sin(angle) * FULL_SPEED };
      actor.turnsAtMs = nowMs + Math.random() * STRAIGHT_MS_MAX;
    }
    actor.body = stepBody(actor.body, actor.direction, dtMs);
    const { x, y } = actor.body;
    const angle = Math.atan2(actor.direction.dy, actor.direction.dx);
    moveFighter(actor.fighter, x, y, angle, dtMs);
    const isInTheOpen = flightMs(actor.body, angle) === RULES.shotLifetimeMs;
    if (isInTheOpen && Math.random() < (SHOTS_PER_SECOND * dtMs) / 1_000) {
      this.#shots.fire({ x, y }, angle, actor.fighter.colour, nowMs);
    }
  }
}

function newActor(index: number): Actor {
  const { x, y } = SPAWNS[(index * 5) % SPAWNS.length] ?? { x: 0, y: 0 };
  const fighter = { ...newFighter("", index), hp: RULES.hpMax, x, y };
  return { fighter, body: { x, y, vx: 0, vy: 0 }, direction: NO_DIRECTION, turnsAtMs: 0 };
}
