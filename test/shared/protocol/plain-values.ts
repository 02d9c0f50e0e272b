/** Arbitrary plain values: what may travel in a message, and arrives as it was sent. */
import fc from "fast-check";

/** No byte order mark: the library's text decoder drops it from the start of a long string. */
const text = fc
  .string({ unit: "grapheme", maxLength: 100 })
  .filter((string) => !string.includes("\ufeff") && string.isWellFormed());

/** Without -0, which travels as 0. */
export const double = fc.double().map((number) => number + 0);

const key = text.filter((string) => string !== "__proto__");

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  double,
  text,
  fc.uint8Array({ maxLength: 300 }),
);

export const plainValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(key, tie("value"), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;
