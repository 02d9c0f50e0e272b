/** What a room type's `onAuth` decides, and what a client is told of it. */
import { expect, test } from "vitest";
import type { AuthRequest } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { type AuthContext, Room, type RoomLog } from "../../../server/room/room.ts";
import { loadRoomClass } from "../../../server/room/room-class.ts";
import { authorize } from "../../../server/worker/authorizer.ts";
import { RookeryError } from "../../../shared/errors.ts";
import { decodePayload } from "../../../shared/protocol/codec.ts";

const request: AuthRequest = {
  roomType: "duel",
  token: "secret",
  options: { name: "Ada" },
  address: "192.0.2.1",
  origin: undefined,
};

/** Asks a room type whose `onAuth` this is. */
async function ask(onAuth: (token: string, context: AuthContext) => unknown) {
  class Guarded extends Room {
    static onAuth = onAuth;
  }
  const warnings: { fields: object; sentence: string }[] = [];
  const log: RoomLog = {
    info: () => undefined,
    warn: (fields, sentence) => void warnings.push({ fields, sentence }),
    error: () => undefined,
  };
  const answer = await authorize(await loadRoomClass("duel", Guarded), request, log);
  return { answer, warnings };
}

test("what onAuth returns goes with the join", async () => {
  const { answer } = await ask(async (token, { roomType, options, address, origin, signal }) => ({
    token,
    roomType,
    options,
    address,
    origin: origin ?? "none",
    isAborted: signal.aborted,
  }));
  if (!("auth" in answer)) throw new Error("refused");
  const { roomType, options, address } = request;
  expect(decodePayload(answer.auth)).toEqual({
    ...{ token: "secret", roomType, options, address },
    ...{ origin: "none", isAborted: false },
  });
});

test.each([false, null, undefined, 0, ""])("%j refuses", async (user) => {
  const { answer, warnings } = await ask(() => user);
  expect(answer).toMatchObject({ failure: { code: "UNAUTHORIZED" } });
  expect(warnings).toEqual([]);
});

test("an error of the table is told as it is", async () => {
  const { answer } = await ask(() => {
    throw new RookeryError("ROOM_LOCKED", "Members only.");
  });
  expect(answer).toEqual({ failure: { code: "ROOM_LOCKED", message: "Members only." } });
});

test.each([
  ["an error of the author's", () => Promise.reject(new Error("database password is 1234"))],
  ["what cannot travel", () => ({ when: new Date(0) })],
  ["too much", () => "x".repeat(LIMITS.authBytesMax + 1)],
])("%s is logged, and the client is told no more than that it is refused", async (_what, onAuth) => {
  const { answer, warnings } = await ask(onAuth);
  expect(answer).toEqual({
    failure: { code: "UNAUTHORIZED", message: new RookeryError("UNAUTHORIZED").message },
  });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.fields).toMatchObject({ roomType: "duel", err: expect.any(Error) });
});
