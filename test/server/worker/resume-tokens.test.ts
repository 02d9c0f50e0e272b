/** Which tokens open a session, whatever answers a client misses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ResumeTokens } from "../../../server/worker/resume-tokens.ts";

function tokensOf(sessionId: string): ResumeTokens {
  let count = 0;
  return new ResumeTokens(sessionId, () => `secret${++count}`);
}

test("[R1] each connection brings a new token, and the one before is good until the new one is used", () => {
  const tokens = tokensOf("s1");
  const first = tokens.issue();
  expect(first).toBe("s1.1.secret1");
  expect(tokens.use(first)).toBe(true);
  const second = tokens.issue();
  expect(second).toBe("s1.2.secret2");
  // The answer with the second token was lost.
  expect(tokens.use(first)).toBe(true);
  const third = tokens.issue();
  expect(tokens.use(third)).toBe(true);
  expect(tokens.use(first)).toBe(false);
  expect(tokens.use(second)).toBe(false);
});

test("[R1] [H5] it stays good, too, when the new one comes by redeeming the ticket again", () => {
  const tokens = tokensOf("s1");
  const first = tokens.issue();
  const second = tokens.issue();
  expect(tokens.use(first)).toBe(true);
  expect(tokens.use(second)).toBe(false);
});

test("wrong, old and foreign tokens are refused", () => {
  const tokens = tokensOf("s1");
  expect(tokens.use("s1.1.secret1")).toBe(false);
  const first = tokens.issue();
  for (const wrong of [
    "s1.1.secret2",
    "s1.1.secret",
    "s1.2.secret1",
    "s1.0.secret1",
    "s2.1.secret1",
    "s1.1",
    "s1.1.",
    "",
    `${first}.x`,
    "s1.01.secret1",
  ]) {
    expect(tokens.use(wrong), wrong).toBe(false);
  }
  expect(tokens.use(first)).toBe(true);
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
          expect(tokens.use(newest)).toBe(true);
          for (const other of issued) if (other !== newest) expect(tokens.use(other)).toBe(false);
        }
        const token = tokens.issue();
        issued.push(token);
        isLastSeen = !isAnswerLost;
        if (isLastSeen) {
          before = newest;
          newest = token;
        }
      }
      expect(tokens.use(newest)).toBe(true);
      if (before !== undefined) expect(tokens.use(before)).toBe(false);
    }),
  );
});
