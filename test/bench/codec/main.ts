/**
 * A process that measures one codec and tells what it took. Each has a process of its own: code that several of them
 * run through would be compiled for none of them.
 */
import { numberCodec, quantisedCodec } from "./colyseus-codec.ts";
import type { Codec } from "./contender.ts";
import type { CodecName, CodecRequest, CodecTimes } from "./messages.ts";
import { rookeryCodec } from "./rookery-codec.ts";
import { PLAYERS, type Tick, track } from "./track.ts";

/** Of a run of the game, which is repeated. */
const TICKS = 400;
/** As far as the coarsest of the codecs rounds a position. */
const ROUNDING = 0.1;

const CODECS: Readonly<Record<CodecName, () => Codec>> = {
  rookery: rookeryCodec,
  colyseus: numberCodec,
  "colyseus quantised": quantisedCodec,
};

function measure({ name, ticks }: CodecRequest): CodecTimes {
  const game = track(TICKS);
  const codec = CODECS[name]();
  const patches = rehearse(name, codec, game);
  const encode = () => usEach(ticks, (tick) => codec.encode(game[tick % TICKS] as Tick));
  const decode = () => usEach(ticks, (tick) => codec.decode(patches[tick % TICKS] as Uint8Array));
  // The first time is for the compiler.
  encode();
  decode();
  const bytes = patches.reduce((sum, { length }) => sum + length, 0) / patches.length;
  return { bytes, encodeUs: encode(), decodeUs: decode() };
}

/**
 * Lets the game run once, and sees that the client gets what was meant.
 * @returns what it is sent, tick by tick
 */
function rehearse(name: CodecName, codec: Codec, game: readonly Tick[]): Uint8Array[] {
  codec.begin();
  const patches = game.map((tick) => {
    const bytes = codec.encode(tick).slice();
    codec.decode(bytes);
    return bytes;
  });
  for (let player = 0; player < PLAYERS; player++) {
    const { client, server } = codec.xOf(player);
    if (!(Math.abs(client - server) < ROUNDING)) {
      throw new Error(`${name}: player ${player} is at ${server}, and seen at ${client}`);
    }
  }
  return patches;
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
