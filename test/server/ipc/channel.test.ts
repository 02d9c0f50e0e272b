/** How messages travel together. */
import { expect, test } from "vitest";
import { gather } from "../../../server/ipc/channel.ts";

function setUp() {
  const deferred: (() => void)[] = [];
  const sent: (readonly string[])[] = [];
  const send = gather<string>(
    (callback) => void deferred.push(callback),
    (messages) => void sent.push(messages),
  );
  const turn = () => {
    for (const callback of deferred.splice(0)) callback();
  };
  return { send, sent, deferred, turn };
}

test("what is sent in one turn goes in one message, in order, and later turns in later ones", () => {
  const { send, sent, deferred, turn } = setUp();
  for (const message of ["a", "b", "c"]) send(message);
  expect([sent, deferred.length]).toEqual([[], 1]);
  turn();
  send("d");
  turn();
  turn();
  expect(sent).toEqual([["a", "b", "c"], ["d"]]);
});

test("what is sent while messages go out waits for the next time", () => {
  const sent: (readonly string[])[] = [];
  const deferred: (() => void)[] = [];
  const send = gather<string>(
    (callback) => void deferred.push(callback),
    (messages) => {
      sent.push(messages);
      if (messages[0] === "a") send("b");
    },
  );
  send("a");
  deferred.shift()?.();
  expect(sent).toEqual([["a"]]);
  deferred.shift()?.();
  expect(sent).toEqual([["a"], ["b"]]);
});
