/** What a message's handler is given. */
import * as v from "valibot";
import { expect, test } from "vitest";
import type { Client } from "../../../server/room/client.ts";
import { message } from "../../../server/room/messages.ts";

test("bytes that a validator lets pass are the handler's to keep, whatever memory they came in", () => {
  const kept: Uint8Array[] = [];
  const definition = message(v.instance(Uint8Array), (_client, bytes) => void kept.push(bytes));
  const shared = new Uint8Array([9, 1, 2, 3, 9]);
  definition.apply({} as Client, shared.subarray(1, 4));
  shared.fill(0);
  expect(kept).toEqual([new Uint8Array([1, 2, 3])]);
  expect(kept[0]?.buffer.byteLength).toBe(3);
});
