/**
 * Flies the own fighter: turns what the player wants into inputs, which are sent and predicted, and shots, which are
 * shown before the server knows of them.
 */
import { RULES } from "../../../../shared/games/arena/rules.ts";
import { type Body, stepBody } from "../../../../shared/games/arena/step.ts";
import type { Intent } from "./controls.ts";
import { InputClock } from "./input-clock.ts";
import type { ArenaRoom } from "./room.ts";

/** A corrected body that is farther away was put there, and is not blended to. */
export const TELEPORT_DISTANCE = 100;
/** The server lets shots into the room with its ticks, so they come as far apart as whole ticks are. */
const TICK_MS = 1_000 / RULES.ticksPerSecond;
const RELOAD_MS = Math.ceil(RULES.shotCooldownMs / TICK_MS) * TICK_MS;
/** The trigger stays pulled for so long, in case the input comes to the server while it still counts the reload. */
const TRIGGER_MS = 2 * TICK_MS;

function predictSelf(room: ArenaRoom) {
  return room.predict({
    message: "move",
    read: (state) => {
      const player = state.players.get(room.sessionId);
      if (player === undefined || player.hp === 0) return undefined;
      const { x, y, vx, vy } = player;
      return { x, y, vx, vy };
    },
    step: (body: Body, input) => stepBody(body, input, input.durationMs),
    numbers: ["x", "y"],
    snapDistance: TELEPORT_DISTANCE,
  });
}

export class Pilot {
  readonly predictor: ReturnType<typeof predictSelf>;
  readonly #clock = new InputClock();
  readonly #onFire: (body: Body, angle: number) => void;
  #loadedAtMs = 0;

  constructor(room: ArenaRoom, onFire: (body: Body, angle: number) => void) {
    this.predictor = predictSelf(room);
    this.#onFire = onFire;
  }

  /** How far the next shot is loaded, from 0 to 1. */
  loaded(nowMs: number): number {
    return Math.min(1, Math.max(0, 1 - (this.#loadedAtMs - nowMs) / RELOAD_MS));
  }

  /**
   * Sends what is due.
   *
   * @param seenAtMs room time at which the others are shown
   */
  act(nowMs: number, dtMs: number, intent: Intent, seenAtMs: number): void {
    this.#clock.add(dtMs);
    for (let durationMs = this.#clock.take(); durationMs !== undefined; durationMs = this.#clock.take()) {
      const isFiring = intent.shoot && nowMs >= this.#loadedAtMs;
      if (isFiring) this.#loadedAtMs = nowMs + RELOAD_MS;
      const shoot = nowMs < this.#loadedAtMs - RELOAD_MS + TRIGGER_MS;
      this.predictor.send({ ...intent, shoot, durationMs, seenAtMs: Math.max(0, Math.round(seenAtMs)) });
      const { body } = this.predictor;
      if (isFiring && body !== undefined) this.#onFire(body, intent.aim);
    }
  }

  /** @returns the body to draw; undefined while dead */
  shown(nowMs: number, intent: Intent): Body | undefined {
    const unsent = { ...intent, durationMs: this.#clock.restMs, shoot: false, seenAtMs: 0 };
    return this.predictor.shown(nowMs, unsent);
  }
}
