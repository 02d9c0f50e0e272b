/** What is put together by hand is what Node's own HMAC gives. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedHash } from "../../server/keyed-hash.ts";

test("it is HMAC-SHA256, for keys and texts of any length, one after the other", () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 200, size: "max" });
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 300, size: "max" }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(key, texts, (bytes, each) => {
      const hash = new KeyedHash(bytes);
      for (const text of each)
        expect(hash.of(text)).toBe(createHmac("sha256", bytes).update(text).digest("base64url"));
    }),
  );
});
