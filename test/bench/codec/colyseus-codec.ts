/** The encoder of @colyseus/schema, and its decoder with the types that the server has told it, as its client has it. */
import { type Decoder, Encoder, Reflection, type Schema } from "@colyseus/schema";
import { type Body, spawn } from "../arena/simulation.ts";
import { NumberPlayer, NumberState, QuantisedPlayer, QuantisedState } from "../servers/colyseus-arena.ts";
import type { Codec } from "./contender.ts";
import { apply, PLAYERS } from "./track.ts";

type Players = { set(key: string, player: Body & Schema): unknown; get(key: string): Body | undefined };
type State = Schema & { readonly players: Players };

export function numberCodec(): Codec {
  return colyseusCodec(new NumberState() as unknown as State, (body) => new NumberPlayer(body));
}

export function quantisedCodec(): Codec {
  const state = new QuantisedState() as unknown as State;
  return colyseusCodec(state, (body) => new QuantisedPlayer(body));
}

function colyseusCodec(state: State, create: (body: Body) => Body & Schema): Codec {
  const encoder = new Encoder(state);
  const players: Body[] = [];
  for (let slot = 0; slot < PLAYERS; slot++) {
    const player = create(spawn(slot));
    players.push(player);
    state.players.set(String(slot), player);
  }
  const decoder = Reflection.decode<State>(Reflection.encode(encoder)) as Decoder<State>;
  return {
    encode: (tick) => {
      apply(tick, players);
      const bytes = encoder.encode();
      encoder.discardChanges();
      return bytes;
    },
    begin: () => {
      decoder.decode(encoder.encodeAll());
      encoder.discardChanges();
    },
    decode: (bytes) => {
      decoder.decode(bytes);
    },
    xOf: (player) => ({
      client: decoder.state.players.get(String(player))?.x ?? Number.NaN,
      server: players[player]?.x ?? Number.NaN,
    }),
  };
}
