/**
 * Walks the own player: sends what it does once per tick, predicts it with the server's step, and shows it on the way
 * from one step to the next.
 */
import { RULES } from "../../../../shared/games/world/rules.ts";
import { type Body, type Steering, stepPlayer } from "../../../../shared/games/world/step.ts";
import type { WorldRoom } from "./room.ts";

const TICK_MS = 1_000 / RULES.ticksPerSecond;
const TELEPORT_DISTANCE = 200;
/** After a longer pause of the page it goes on from now. */
const LATE_TICKS_MAX = 3;

function predictSelf(room: WorldRoom) {
  return room.predict({
    message: "steer",
    read: (state) => {
      const player = state.players.get(room.sessionId);
      if (player?.stamina === undefined) return undefined;
      const { x, y, stamina } = player;
      return { x, y, stamina };
    },
    step: (body: Body, steering) => stepPlayer(body, steering, TICK_MS),
    numbers: ["x", "y", "stamina"],
    snapDistance: TELEPORT_DISTANCE,
  });
}

export class Walker {
  readonly predictor: ReturnType<typeof predictSelf>;
  #nextAtMs: number;
  #before: Body | undefined;

  constructor(room: WorldRoom, nowMs: number) {
    this.predictor = predictSelf(room);
    this.#nextAtMs = nowMs;
  }

  act(nowMs: number, steering: Steering): void {
    if (nowMs - this.#nextAtMs > LATE_TICKS_MAX * TICK_MS) this.#nextAtMs = nowMs;
    for (; this.#nextAtMs <= nowMs; this.#nextAtMs += TICK_MS) {
      this.#before = this.predictor.shown(nowMs);
      this.predictor.send(steering);
    }
  }

  /** @returns where it is drawn; undefined while there is no player */
  shown(nowMs: number): Body | undefined {
    const after = this.predictor.shown(nowMs);
    if (after === undefined || this.#before === undefined) return after;
    const part = 1 - (this.#nextAtMs - nowMs) / TICK_MS;
    const between = (from: number, to: number) => from + (to - from) * part;
    return {
      x: between(this.#before.x, after.x),
      y: between(this.#before.y, after.y),
      stamina: between(this.#before.stamina, after.stamina),
    };
  }
}
