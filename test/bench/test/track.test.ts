import { expect, test } from "vitest";
import { ARENA, spawn } from "../arena/simulation.ts";
import { apply, PLAYERS, track } from "../codec/track.ts";

test("all players of a track move in every tick, and one in a hundred is hit", () => {
  const ticks = 200;
  const players = Array.from({ length: PLAYERS }, (_, slot) => spawn(slot));
  let hits = 0;
  for (const tick of track(ticks)) {
    const before = players.map((player) => ({ ...player }));
    apply(tick, players);
    for (const [index, { x, y, vx, vy, angle, hp }] of players.entries()) {
      const was = before[index] ?? spawn(0);
      expect([x !== was.x, y !== was.y, vx !== was.vx, vy !== was.vy, angle !== was.angle]).not.toContain(
        false,
      );
      if (hp !== was.hp) hits += 1;
    }
  }
  expect(hits).toBe((ticks / 100) * ARENA.playersPerRoom);
});
