/** The 8 bytes that a player sends: thrust (u8), turn (i8), buttons (u16) and the time of what it sees (u32). */
import type { Pilot } from "./simulation.ts";

export const INPUT_BYTES = 8;
const INT8_SIGN_SHIFT = 24;
const THRUST_MIN = 128;
const THRUST_SPAN = 128;
const TURN_MIN = 40;
const TURN_SPAN = 60;

/** @returns the `count` inputs that a client sends over and over, made once */
export function inputLoop(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(INPUT_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, THRUST_MIN + ((index * 7) % THRUST_SPAN));
    view.setInt8(1, TURN_MIN + ((index * 5) % TURN_SPAN));
    view.setUint16(2, index & 1, true);
    view.setUint32(4, index, true);
    return bytes;
  });
}

/** For servers that are handed the bytes as they are. */
export function applyInput(pilot: Pilot, bytes: Uint8Array, offset = 0): void {
  pilot.thrust = bytes[offset] ?? 0;
  pilot.turn = ((bytes[offset + 1] ?? 0) << INT8_SIGN_SHIFT) >> INT8_SIGN_SHIFT;
}
