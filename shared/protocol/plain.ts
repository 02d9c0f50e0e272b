/**
 * What may travel in a message: nil, booleans, numbers, strings, byte strings, and arrays and objects of these. Checked
 * before encoding, because the packer turns some other values into something else without a word, or into bytes that
 * the receiver refuses.
 */
import { DEPTH_MAX } from "./prescan.ts";

/**
 * Objects of a class pass with their own enumerable fields, and arrive as plain objects.
 *
 * @throws TypeError that names what cannot travel
 */
export function assertPlain(value: unknown, depth = 0): void {
  switch (typeof value) {
    case "undefined":
    case "boolean":
    case "number":
    case "string":
      return;
    case "object":
      break;
    default:
      throw new TypeError(`A ${typeof value} cannot travel in a message.`);
  }
  if (value === null || value instanceof Uint8Array) return;
  if (depth === DEPTH_MAX) {
    throw new TypeError(
      `A value nested more than ${DEPTH_MAX} deep, or in itself, cannot travel in a message.`,
    );
  }
  if (Array.isArray(value)) {
    for (const item of value) assertPlain(item, depth + 1);
    return;
  }
  // A Date, a Map, a Float32Array and so on have a tag of their own here; objects of most classes have none.
  const tag = Object.prototype.toString.call(value);
  if (tag !== "[object Object]") {
    throw new TypeError(`A value of the kind ${tag.slice(8, -1)} cannot travel in a message.`);
  }
  for (const field of Object.values(value)) assertPlain(field, depth + 1);
}
