/** Ids that nobody can guess: of rooms, and of sessions. */
import { randomFillSync } from "node:crypto";

const ID_BYTES = 9;
/** Asking the system for random bytes costs the same for one id as for many. */
const IDS_AT_ONCE = 256;

/** @returns gives ids of 12 characters of base64url, 72 random bits each */
export function randomIds(): () => string {
  const bytes = Buffer.alloc(IDS_AT_ONCE * ID_BYTES);
  let at = bytes.length;
  return () => {
    if (at === bytes.length) {
      randomFillSync(bytes);
      at = 0;
    }
    at += ID_BYTES;
    return bytes.toString("base64url", at - ID_BYTES, at);
  };
}
