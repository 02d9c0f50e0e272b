/** Rookery's state encoder, and the mirror of its client library. */
import { describe, Mirror, StateEncoder } from "../../../shared/schema/index.ts";
import { type Body, spawn } from "../arena/simulation.ts";
import { ArenaState } from "../servers/rookery-arena.ts";
import type { Codec } from "./contender.ts";
import { apply, PLAYERS } from "./track.ts";

export function rookeryCodec(): Codec {
  const encoder = new StateEncoder(ArenaState);
  const players: Body[] = [];
  for (let slot = 0; slot < PLAYERS; slot++) {
    players.push(encoder.root.players.set(String(slot), spawn(slot)));
  }
  encoder.commit();
  const mirror = new Mirror<typeof ArenaState>(describe(ArenaState));
  return {
    encode: (tick) => {
      apply(tick, players);
      return encoder.commit().patch;
    },
    begin: () => mirror.applySnapshot(encoder.snapshot()),
    decode: (bytes) => mirror.applyPatch(bytes),
    xOf: (player) => ({
      client: mirror.state.players.get(String(player))?.x ?? Number.NaN,
      server: players[player]?.x ?? Number.NaN,
    }),
  };
}
