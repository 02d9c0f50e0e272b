/**
 * A walk over MessagePack bytes before they are unpacked. What passes is complete, plain (no extension types) and at
 * most `DEPTH_MAX` deep, so that unpacking takes time and memory in proportion to its length. The walk is iterative,
 * reads each header once and allocates nothing unless it refuses. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { RookeryError } from "../errors.ts";

/** Arrays and maps inside one another, the outermost included. */
export const DEPTH_MAX = 16;

/** Values still to come in each container around the current one; reused, since the walk is never re-entered. */
const outer = new Uint32Array(DEPTH_MAX);

/**
 * Checks that `bytes` is exactly one value.
 *
 * @throws RookeryError PROTOCOL_ERROR, its message says what is wrong
 */
export function prescan(bytes: Uint8Array): void {
  if (prescanValue(bytes, 0, bytes.length) !== bytes.length) refuse("Bytes follow the value.");
}

/**
 * Checks the one value that begins at `start`, of several back to back.
 *
 * @param limit offset the value must not reach past
 * @returns offset of the byte after it
 * @throws RookeryError PROTOCOL_ERROR, its message says what is wrong
 */
export function prescanValue(bytes: Uint8Array, start: number, limit: number): number {
  let at = start;
  let depth = 0;
  let pending = 1;
  for (;;) {
    while (pending === 0) {
      if (depth === 0) return at;
      depth -= 1;
      pending = outer[depth] as number;
    }
    if (at >= limit) refuse("The value is cut short.");
    const token = bytes[at] as number;
    at += 1;
    pending -= 1;
    if (token < 0x80 || token >= 0xe0) continue;

    let skip = 0;
    let count = -1;
    if (token < 0x90) count = (token & 0x0f) * 2;
    else if (token < 0xa0) count = token & 0x0f;
    else if (token < 0xc0) skip = token & 0x1f;
    else {
      switch (token) {
        case 0xc0: // nil
        case 0xc2: // false
        case 0xc3: // true
          break;
        case 0xcc: // uint 8
        case 0xd0: // int 8
          skip = 1;
          break;
        case 0xcd: // uint 16
        case 0xd1: // int 16
          skip = 2;
          break;
        case 0xca: // float 32
        case 0xce: // uint 32
        case 0xd2: // int 32
          skip = 4;
          break;
        case 0xcb: // float 64
        case 0xcf: // uint 64
        case 0xd3: // int 64
          skip = 8;
          break;
        case 0xc4: // bin 8
        case 0xd9: // str 8
          skip = lengthAt(bytes, at, 1, limit);
          at += 1;
          break;
        case 0xc5: // bin 16
        case 0xda: // str 16
          skip = lengthAt(bytes, at, 2, limit);
          at += 2;
          break;
        case 0xc6: // bin 32
        case 0xdb: // str 32
          skip = lengthAt(bytes, at, 4, limit);
          at += 4;
          break;
        case 0xdc: // array 16
          count = lengthAt(bytes, at, 2, limit);
          at += 2;
          break;
        case 0xdd: // array 32
          count = lengthAt(bytes, at, 4, limit);
          at += 4;
          break;
        case 0xde: // map 16
          count = lengthAt(bytes, at, 2, limit) * 2;
          at += 2;
          break;
        case 0xdf: // map 32
          count = lengthAt(bytes, at, 4, limit) * 2;
          at += 4;
          break;
        case 0xc1:
          refuse("0xc1 is not MessagePack.");
          break;
        default:
          refuse("Extension types are not allowed.");
      }
    }

    if (count < 0) {
      if (skip > limit - at) refuse("The value is cut short.");
      at += skip;
    } else {
      // Each value takes at least one byte.
      if (count > limit - at) refuse("A count is larger than the bytes that follow.");
      if (depth === DEPTH_MAX) refuse(`Values are nested more than ${DEPTH_MAX} deep.`);
      outer[depth] = pending;
      depth += 1;
      pending = count;
    }
  }
}

/** A big-endian length of `width` bytes. */
function lengthAt(bytes: Uint8Array, at: number, width: number, limit: number): number {
  if (width > limit - at) refuse("The value is cut short.");
  let length = 0;
  for (let i = 0; i < width; i += 1) length = length * 256 + (bytes[at + i] as number);
  return length;
}

function refuse(sentence: string): never {
  throw new RookeryError("PROTOCOL_ERROR", sentence);
}
