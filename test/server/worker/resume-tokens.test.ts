/** Which tokens open a session, whatever answers a client misses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ResumeTokens } from "../../../server/worker/resume-tokens.ts";

const KEY = new Uint8Array(32).fill(1);

function tokensOf(sessionId: string, key = KEY): ResumeTokens {
  return new ResumeTokens(sessionId, key);
}

/** What the room does with a token: who is let in has used it. */
function use(tokens: ResumeTokens, token: string): boolean {
  const generation = tokens.check(token);
  if (generation !== undefined) tokens.used(generation);
  return generation !== undefined;
}

test("[R1] each connection brings a new token, and the one before is good until the new one is used", () => {
  const tokens = tokensOf("s1");
  const first = tokens.issue();
  expect(first).toMatch(/^s1\.1\.[\w-]{24}$/);
  expect(use(tokens, first)).toBe(true);
  const second = tokens.issue();
  expect(second).toMatch(/^s1\.2\.[\w-]{24}$/);
  // The answer with the second token was lost.
  expect(use(tokens, first)).toBe(true);
  const third = tokens.issue();
  expect(use(tokens, third)).toBe(true);
  expect(use(tokens, first)).toBe(false);
  expect(use(tokens, second)).toBe(false);
});

test("[R1] [H5] it stays good, too, when the new one comes by redeeming the ticket again", () => {
  const tokens = tokensOf("s1");
  const first = tokens.issue();
  const second = tokens.issue();
  expect(use(tokens, first)).toBe(true);
  expect(use(tokens, second)).toBe(false);
});

test("wrong, old and foreign tokens are refused", () => {
  const tokens = tokensOf("s1");
  const first = tokensOf("s1").issue();
  expect(use(tokens, first)).toBe(false);
  expect(tokens.issue()).toBe(first);
  const secret = first.slice("s1.1.".length);
  for (const wrong of [
    `s1.1.${secret.slice(1)}x`,
    `s1.1.${secret.slice(1)}`,
    `s1.2.${secret}`,
    `s1.0.${secret}`,
    `s2.1.${secret}`,
    tokensOf("s2").issue(),
    tokensOf("s1", new Uint8Array(32)).issue(),
    "s1.1",
    "s1.1.",
    "",
    `${first}.x`,
  ]) {
    expect(use(tokens, wrong), wrong).toBe(false);
  }
  expect(use(tokens, first)).toBe(true);
});

test("[R1] a client that misses any of the answers always has a token that is good", () => {
  const attempts = fc.array(fc.record({ isAnswerLost: fc.boolean(), isTicket: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(attempts, (sequence) => {
      const tokens = tokensOf("s1");
      const issued = [tokens.issue()];
      let newest = issued[0] ?? "";
      let before: string | undefined;
      let isLastSeen = true;
      for (const { isAnswerLost, isTicket } of sequence) {
        // A ticket opens without a token; a client whose last answers were lost twice in a row has to use a token.
        if (!isTicket || !isLastSeen) {
          expect(use(tokens, newest)).toBe(true);
          for (const other of issued) if (other !== newest) expect(use(tokens, other)).toBe(false);
        }
        const token = tokens.issue();
        issued.push(token);
        isLastSeen = !isAnswerLost;
        if (isLastSeen) {
          before = newest;
          newest = token;
        }
      }
      expect(use(tokens, newest)).toBe(true);
      if (before !== undefined) expect(use(tokens, before)).toBe(false);
    }),
  );
});

test("another owner of the room goes on with what was saved", () => {
  const tokens = tokensOf("s1");
  const first = tokens.issue();
  const second = tokens.issue();
  const taken = new ResumeTokens("s1", KEY, tokens.save());
  expect(taken.check(first)).toBe(1);
  expect(taken.check(second)).toBe(2);
  expect(taken.issue()).toBe(tokens.issue());
  expect(taken.check(first)).toBeUndefined();
});
