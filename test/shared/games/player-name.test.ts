import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanName, NAME_LENGTH_MAX } from "../../../shared/games/player-name.ts";

describe("players' names", () => {
  it.each([
    ["Anna", "Anna"],
    ["  Anna \n\t Bell  ", "Anna Bell"],
    ["A\u0000n\u200bn\u202ea", "Anna"],
    ["e\u0301", "\u00e9"],
    ["\ud800Anna", "Anna"],
    ["🦊".repeat(30), "🦊".repeat(NAME_LENGTH_MAX)],
    ["12345678901234567 90 x", "12345678901234567 90"],
    ["1234567890123456789 x", "1234567890123456789"],
  ])("makes %j of what the client sent", (sent, name) => {
    expect(cleanName(sent, "Player 1")).toBe(name);
  });

  it.each([undefined, null, 7, {}, "", "   ", "\u200b\u0007"])("falls back for %j", (sent) => {
    expect(cleanName(sent, "Player 1")).toBe("Player 1");
  });

  it("makes one short, visible, well-formed line of any text, and leaves its own result as it is", () => {
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", maxLength: 60 }));
    fc.assert(
      fc.property(texts, (text) => {
        const name = cleanName(text, "Player 1");
        const { length } = Array.from(name);
        expect(length > 0 && length <= NAME_LENGTH_MAX).toBe(true);
        expect(name).not.toMatch(/\p{C}|^\s|\s$|\s\s/u);
        expect(name.isWellFormed()).toBe(true);
        expect(cleanName(name, "other")).toBe(name);
      }),
    );
  });
});
