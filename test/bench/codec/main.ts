/** A process that measures nothing but codecs, in turn, and tells what they took. */
import { numberCodec, quantisedCodec } from "./colyseus-codec.ts";
import type { Codec } from "./contender.ts";
import type { CodecRequest, CodecTimes } from "./messages.ts";
import { rookeryCodec } from "./rookery-codec.ts";
import { PLAYERS, type Tick, track } from "./track.ts";

/** Of a run of the game, which is repeated. */
const TICKS = 400;
/** As far as the coarsest of the codecs rounds a position. */
const ROUNDING = 0.1;

type Measured = {
  readonly codec: Codec;
  readonly patches: readonly Uint8Array[];
  readonly times: CodecTimes;
};

function measure({ rounds, ticks }: CodecRequest): CodecTimes[] {
  const game = track(TICKS);
  const all = [rookeryCodec(), numberCodec(), quantisedCodec()].map((codec) => prepare(codec, game));
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    for (const { codec, patches, times } of all) {
      const encodeUs = usEach(ticks, (tick) => codec.encode(game[tick % TICKS] as Tick));
      const decodeUs = usEach(ticks, (tick) => codec.decode(patches[tick % TICKS] as Uint8Array));
      if (round === 0) continue;
      times.encodeUs.push(encodeUs);
      times.decodeUs.push(decodeUs);
    }
  }
  return all.map(({ times }) => times);
}

/** Lets the game run once, to have what clients are sent, and sees that they get what was meant. */
function prepare(codec: Codec, game: readonly Tick[]): Measured {
  codec.begin();
  const patches = game.map((tick) => {
    const bytes = codec.encode(tick).slice();
    codec.decode(bytes);
    return bytes;
  });
  for (let player = 0; player < PLAYERS; player++) {
    const { client, server } = codec.xOf(player);
    if (!(Math.abs(client - server) < ROUNDING)) {
      throw new Error(`${codec.name}: player ${player} is at ${server}, and seen at ${client}`);
    }
  }
  const bytes = patches.reduce((sum, { length }) => sum + length, 0) / patches.length;
  return { codec, patches, times: { name: codec.name, bytes, encodeUs: [], decodeUs: [] } };
}

/** @returns microseconds of CPU time, of all threads of this process */
function usEach(count: number, work: (index: number) => void): number {
  const start = process.cpuUsage();
  for (let index = 0; index < count; index++) work(index);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

process.once("message", (request: CodecRequest) => {
  process.send?.(measure(request));
  process.disconnect?.();
});
