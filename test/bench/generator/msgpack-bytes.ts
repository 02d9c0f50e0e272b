/** MessagePack by hand, as far as prepared frames need it. */

export const MSGPACK = { ARRAY: 0x90, FIXED_STRING: 0xa0, UINT16: 0xcd, BIN8: 0xc4, STR8: 0xd9 } as const;

/** As MessagePack and @colyseus/schema write texts of less than 32 bytes. */
export function shortText(text: string): Uint8Array {
  return Uint8Array.of(MSGPACK.FIXED_STRING | text.length, ...Buffer.from(text));
}
