/** W3: what people say, and where. */

export const CHAT = {
  /** Of a room. */
  seats: 32,
  /** Under which name a room sends on what was said. */
  event: "chat",
  messageBytes: 60,
  messagesPerSecond: 5,
} as const;

const FIRST_LETTER = "a".charCodeAt(0);
const LETTERS = 26;

/** @returns `count` texts of `bytes` letters, made once; each letter is a byte in UTF-8 */
export function textLoop(count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, text) =>
    Uint8Array.from({ length: bytes }, (_, index) => FIRST_LETTER + ((text * 7 + index * 3) % LETTERS)),
  );
}
