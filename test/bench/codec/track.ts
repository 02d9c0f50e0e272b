/** What happens in one room of W1, worked out beforehand, so that only the codecs are left to be measured. */
import { applyInput, inputLoop } from "../arena/input.ts";
import { ARENA, type Body, newPilot, spawn, step } from "../arena/simulation.ts";

export const PLAYERS = ARENA.playersPerRoom;
const MOVING = 5;
const INPUTS = 64;

export type Tick = {
  /** x, y, vx, vy and angle of each player, one after the other. */
  readonly moving: Float64Array;
  /** Players who were hit, with what they have after it. */
  readonly hits: readonly { readonly player: number; readonly hp: number; readonly score: number }[];
};

export function track(ticks: number): Tick[] {
  const inputs = inputLoop(INPUTS);
  const players = Array.from({ length: PLAYERS }, (_, slot) => ({
    body: spawn(slot),
    pilot: newPilot(slot),
  }));
  return Array.from({ length: ticks }, (_, tick) => {
    const moving = new Float64Array(PLAYERS * MOVING);
    const hits: { player: number; hp: number; score: number }[] = [];
    for (const [player, { body, pilot }] of players.entries()) {
      const { score } = body;
      applyInput(pilot, inputs[(tick + player) % INPUTS] as Uint8Array);
      step(body, pilot, tick + 1, 1_000 / ARENA.ticksPerSecond);
      moving.set([body.x, body.y, body.vx, body.vy, body.angle], player * MOVING);
      if (body.score !== score) hits.push({ player, hp: body.hp, score: body.score });
    }
    return { moving, hits };
  });
}

/** Lets a tick happen to the players of any library. */
export function apply({ moving, hits }: Tick, players: readonly Body[]): void {
  for (let player = 0; player < PLAYERS; player++) {
    const body = players[player] as Body;
    const at = player * MOVING;
    body.x = moving[at] as number;
    body.y = moving[at + 1] as number;
    body.vx = moving[at + 2] as number;
    body.vy = moving[at + 3] as number;
    body.angle = moving[at + 4] as number;
  }
  for (const { player, hp, score } of hits) {
    const body = players[player] as Body;
    body.hp = hp;
    body.score = score;
  }
}
