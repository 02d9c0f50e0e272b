/** Which tokens open a session, whatever answers a client misses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedHash } from "../../../server/keyed-hash.ts";
import { ResumeTokens } from "../../../server/worker/resume-tokens.ts";

const KEY = new KeyedHash(new Uint8Array(32).fill(1));

function tokensOf(sessionId: string, key = KEY): ResumeTokens {
  return new ResumeTokens(sessionId, key);
}

function issue(tokens: ResumeTokens, tookGeneration = 1): string {
  tokens.issue(tookGeneration);
  return tokens.newest;
}

/** What the room does with a token: who is let in has used it. */
function use(tokens: ResumeTokens, token: string): boolean {
  const generation = tokens.check(token);
  if (generation !== undefined) tokens.used(generation);
  return generation !== undefined;
}

test("[R1] each connection brings a new token, and the one before is good until the new one is used", () => {
  const tokens = tokensOf("s1");
  const first = issue(tokens);
  expect(first).toMatch(/^s1\.1\.[\w-]{24}$/);
  expect(use(tokens, first)).toBe(true);
  const second = issue(tokens);
  expect(second).toMatch(/^s1\.2\.[\w-]{24}$/);
  // The answer with the second token was lost.
  expect(use(tokens, first)).toBe(true);
  const third = issue(tokens);
  expect(use(tokens, third)).toBe(true);
  expect(use(tokens, first)).toBe(false);
  expect(use(tokens, second)).toBe(false);
});

test("[R1] [H5] it stays good, too, when the new one comes by redeeming the ticket again", () => {
  const tokens = tokensOf("s1");
  const first = issue(tokens);
  const second = issue(tokens);
  expect(use(tokens, first)).toBe(true);
  expect(use(tokens, second)).toBe(false);
});

test("[R5] connections that took no token are told the last one again, so that both good ones stay so", () => {
  const tokens = tokensOf("s1");
  const first = issue(tokens, 0);
  use(tokens, first);
  const second = issue(tokens);
  for (let takeOver = 0; takeOver < 3; takeOver++) expect(issue(tokens, 0)).toBe(second);
  // None of those answers has arrived.
  expect(use(tokens, first)).toBe(true);
});

test("wrong, old and foreign tokens are refused", () => {
  const tokens = tokensOf("s1");
  const first = issue(tokensOf("s1"));
  expect(use(tokens, first)).toBe(false);
  expect(issue(tokens)).toBe(first);
  const secret = first.slice("s1.1.".length);
  for (const wrong of [
    `s1.1.${secret.slice(1)}x`,
    `s1.1.${secret.slice(1)}`,
    `s1.2.${secret}`,
    `s1.0.${secret}`,
    `s2.1.${secret}`,
    issue(tokensOf("s2")),
    issue(tokensOf("s1", new KeyedHash(new Uint8Array(32)))),
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
      const issued = [issue(tokens)];
      let newest = issued[0] ?? "";
      let before: string | undefined;
      let isLastSeen = true;
      for (const { isAnswerLost, isTicket } of sequence) {
        // A ticket opens without a token; a client whose last answers were lost twice in a row has to use a token.
        if (!isTicket || !isLastSeen) {
          expect(use(tokens, newest)).toBe(true);
          for (const other of issued) if (other !== newest) expect(use(tokens, other)).toBe(false);
        }
        const token = issue(tokens);
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
  const first = issue(tokens);
  const second = issue(tokens);
  const taken = new ResumeTokens("s1", KEY, tokens.save());
  expect(taken.check(first)).toBe(1);
  expect(taken.check(second)).toBe(2);
  expect(issue(taken)).toBe(issue(tokens));
  expect(taken.check(first)).toBeUndefined();
});
