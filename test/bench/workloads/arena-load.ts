/** The load of W1 and of those that build on it: rooms of 32 whose clients send 8 bytes 20 times a second. */
import { INPUT_BYTES } from "../arena/input.ts";
import { ARENA } from "../arena/simulation.ts";

export function arenaLoad(clients: number) {
  return {
    clients,
    inputsPerSecond: ARENA.ticksPerSecond,
    inputBytes: INPUT_BYTES,
    roomSize: ARENA.playersPerRoom,
  };
}
