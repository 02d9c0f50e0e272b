/** The vectors of RFC 4231, sections 4.2 and 4.3. */
import { expect, test } from "vitest";
import { KeyedHash } from "../../server/keyed-hash.ts";

test.each([
  {
    key: Buffer.alloc(20, 0x0b),
    text: "Hi There",
    hex: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    key: Buffer.from("Jefe"),
    text: "what do ya want for nothing?",
    hex: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
])("it is HMAC-SHA256 of $text, however often it is asked", ({ key, text, hex }) => {
  const hash = new KeyedHash(key);
  hash.of("another");
  expect(hash.of(text)).toBe(Buffer.from(hex, "hex").toString("base64url"));
});
