import { expect, test } from "vitest";
import { LIMITS } from "../../server/limits.ts";
import { quote } from "../../server/quote.ts";

test("a name is quoted, as far as an error needs it", () => {
  expect(quote('the "arena"')).toBe('"the \\"arena\\""');
  expect(quote("x".repeat(10_000))).toBe(`"${"x".repeat(LIMITS.quotedCharactersMax)}"`);
});
