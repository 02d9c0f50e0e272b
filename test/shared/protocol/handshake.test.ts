import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RookeryError } from "../../../shared/errors.ts";
import {
  formatOffer,
  formatResumeToken,
  type Offer,
  parseOffer,
  parseResumeToken,
} from "../../../shared/protocol/handshake.ts";
import { SUBPROTOCOL } from "../../../shared/protocol/wire.ts";
import { expectError } from "./support.ts";

const UINT32_MAX = 0xffffffff;
const TOKEN_CHARACTERS = "!#$%&'*+-^_`|~09azAZ";

const word = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength });
const dotted = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS, "."), minLength: 1, maxLength: 256 });
const count = fc.integer({ min: 0, max: UINT32_MAX });

const offer: fc.Arbitrary<Offer> = fc
  .record(
    {
      ticket: dotted,
      resume: dotted,
      token: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 200 })
        .filter((text) => text.isWellFormed()),
      schemaHash: fc.stringMatching(/^[0-9a-f]{8}$/),
      eventsReceived: count,
    },
    { requiredKeys: ["eventsReceived"] },
  )
  .map(({ ticket, ...rest }) =>
    rest.resume === undefined && ticket !== undefined ? { ticket, ...rest } : rest,
  );

describe("offer", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(offer, (offered) => {
        const items = formatOffer(offered);
        expect(items[0]).toBe(SUBPROTOCOL);
        // A browser refuses to open a WebSocket with anything but these characters, or with an item twice.
        for (const entry of items) expect(entry).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
        expect(new Set(items).size).toBe(items.length);
        expect(parseOffer(items.join(", "))).toEqual(offered);
        expect(parseOffer(items.reverse().join(","))).toEqual(offered);
      }),
      { numRuns: 500 },
    );
  });

  test("has the form of the specification", () => {
    const offered = { ticket: "t.1", token: "a?>é", schemaHash: "0badcafe", eventsReceived: 7 };
    expect(formatOffer(offered)).toEqual([
      "rookery.v1",
      "ticket.t.1",
      "token.YT8-w6k",
      "schema.0badcafe",
      "events.7",
    ]);
  });

  test("is undefined for a client that does not speak the protocol", () => {
    for (const header of [undefined, "", "rookery.v2", "chat, ticket.abc", "Rookery.v1", "rookery"]) {
      expect(parseOffer(header)).toBeUndefined();
    }
  });

  test("counts no events when it has no item for them", () => {
    expect(parseOffer(SUBPROTOCOL)).toEqual({ eventsReceived: 0 });
  });

  test("ignores items it does not know", () => {
    const header = "rookery.v1, zip.on, events.3, rookery.v2, constructor.x, __proto__.y, flag, .z";
    expect(parseOffer(header)).toEqual({ eventsReceived: 3 });
  });

  test.each([
    ["an empty value", "rookery.v1, ticket.", /malformed/],
    ["an empty item", "rookery.v1,, ticket.a", /malformed/],
    ["a space inside", "rookery.v1, ticket.a b", /malformed/],
    ["a quote", 'rookery.v1, ticket."a"', /malformed/],
    ["a character outside ASCII", "rookery.v1, ticket.é", /malformed/],
    ["a line break", "rookery.v1, ticket.a\r\nx", /malformed/],
    ["two tickets", "rookery.v1, ticket.a, ticket.b", /two ticket/],
    ["ticket and resume token", "rookery.v1, ticket.a, resume.b.1.c", /exclude/],
    ["a negative count", "rookery.v1, events.-1", /not a count/],
    ["a fraction", "rookery.v1, events.1.5", /not a count/],
    ["a leading zero", "rookery.v1, events.01", /not a count/],
    ["a count past 32 bits", "rookery.v1, events.4294967296", /not a count/],
    ["hexadecimal", "rookery.v1, events.0x10", /not a count/],
    ["a token that is not base64url", "rookery.v1, token.a+b", /base64url/],
    ["a token of impossible length", "rookery.v1, token.abcde", /base64url/],
    ["a token that is not UTF-8", "rookery.v1, token._w", /UTF-8/],
    ["a long ticket", `rookery.v1, ticket.${"a".repeat(1025)}`, /ticket item is too long/],
    ["a long resume token", `rookery.v1, resume.${"a".repeat(257)}`, /resume item is too long/],
    ["a long token", `rookery.v1, token.${"a".repeat(6145)}`, /token item is too long/],
    ["a long schema hash", `rookery.v1, schema.${"a".repeat(65)}`, /schema item is too long/],
    ["many items", `rookery.v1${", x".repeat(16)}`, /too many items/],
    ["a long header", `rookery.v1, ${"x".repeat(8192)}`, /header is too long/],
  ])("refuses %s", (_name, header, sentence) => {
    expectError(() => parseOffer(header), "BAD_REQUEST", sentence);
  });

  test("cannot be written with what could not be read", () => {
    expectError(() => formatOffer({ ticket: "a,b", eventsReceived: 0 }), "BAD_REQUEST", /malformed/);
    expectError(() => formatOffer({ resume: "", eventsReceived: 0 }), "BAD_REQUEST", /malformed/);
    expectError(() => formatOffer({ token: "x".repeat(5000), eventsReceived: 0 }), "BAD_REQUEST", /too long/);
    expectError(() => formatOffer({ eventsReceived: -1 }), "BAD_REQUEST", /not a count/);
  });

  test("fuzzed headers are read or refused with BAD_REQUEST, nothing else", () => {
    const piece = fc.constantFrom(
      "rookery.v1",
      "ticket.",
      "token.",
      "events.",
      "schema.",
      "resume.",
      ",",
      ".",
      "=",
      " ",
    );
    const header = fc.array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 8 }), count.map(String)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(header, (pieces) => {
        try {
          const parsed = parseOffer(["rookery.v1", ...pieces].join(pieces.length % 2 === 0 ? "," : ""));
          if (parsed !== undefined) expect(parseOffer(formatOffer(parsed).join(", "))).toEqual(parsed);
        } catch (error) {
          expect(error).toBeInstanceOf(RookeryError);
          expect((error as RookeryError).code).toBe("BAD_REQUEST");
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("resume token", () => {
  test("is read back as it was written, and fits an offer", () => {
    const token = fc.record({ sessionId: word(64), generation: count, secret: word(128) });
    fc.assert(
      fc.property(token, (parts) => {
        const formatted = formatResumeToken(parts);
        expect(parseResumeToken(formatted)).toEqual(parts);
        expect(formatOffer({ resume: formatted, eventsReceived: 0 })).toContain(`resume.${formatted}`);
      }),
    );
  });

  test.each([
    "",
    "a",
    "a.1",
    "a.1.",
    ".1.b",
    "a..b",
    "a.x.b",
    "a.-1.b",
    "a.01.b",
    "a.1.b.c",
    "a.4294967296.b",
    "a.1.b\n",
    "a b.1.c",
  ])("%j is none", (token) => {
    expect(parseResumeToken(token)).toBeUndefined();
  });

  test("has bounded parts", () => {
    expect(parseResumeToken(`${"s".repeat(65)}.1.b`)).toBeUndefined();
    expect(parseResumeToken(`a.1.${"b".repeat(129)}`)).toBeUndefined();
  });
});
