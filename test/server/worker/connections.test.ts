/** Connections that fall silent or close, and the wait for the last one. */
import { beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { Connections } from "../../../server/worker/connections.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

let time: SimulatedTime;
let reported: (readonly number[])[];
let connections: Connections;

beforeEach(() => {
  time = new SimulatedTime();
  reported = [];
  connections = new Connections({
    scheduler: time,
    defer: (callback) => void time.setTimeout(callback, 0),
    onClosed: (connectionIds) => void reported.push(connectionIds),
  });
});

class Connected {
  closedWith: ErrorCode | undefined;
  #isHeard = true;
  #onClosed: (() => void)[] = [];

  takeHeard(): boolean {
    const isHeard = this.#isHeard;
    this.#isHeard = false;
    return isHeard;
  }

  speak(): void {
    this.#isHeard = true;
  }

  close(code: ErrorCode): void {
    this.closedWith ??= code;
  }

  onceClosed(callback: () => void): void {
    this.#onClosed.push(callback);
  }

  /** As a socket does, it closes here, while it goes on elsewhere. */
  letGo(): void {
    queueMicrotask(() => this.end());
  }

  end(): void {
    for (const callback of this.#onClosed.splice(0)) callback();
  }
}

test("[L1] who says nothing for too long is closed, and nobody earlier", async () => {
  const silent = new Connected();
  const talkative = new Connected();
  connections.add(1, silent);
  connections.add(2, talkative);
  await time.advance(LIMITS.clientSilenceMs);
  talkative.speak();
  expect(silent.closedWith).toBeUndefined();
  await time.advance(LIMITS.silenceCheckMs);
  expect(silent.closedWith).toBe("CLIENT_SILENT");
  await time.advance(LIMITS.clientSilenceMs - LIMITS.silenceCheckMs);
  expect(talkative.closedWith).toBeUndefined();
  await time.advance(LIMITS.silenceCheckMs);
  expect(talkative.closedWith).toBe("CLIENT_SILENT");
});

test("of time in which the process itself stood still nobody is accused", async () => {
  const connected = new Connected();
  connections.add(1, connected);
  await time.advance(LIMITS.silenceCheckMs);
  time.stall(2 * LIMITS.clientSilenceMs);
  await time.advance(1);
  expect(connected.closedWith).toBeUndefined();
});

test("those that close in one turn are reported together, each once", async () => {
  const all = [1, 2, 3].map((id) => {
    const connected = new Connected();
    connections.add(id, connected);
    return connected;
  });
  all[0]?.end();
  all[2]?.end();
  connections.closed(9);
  expect(reported).toEqual([]);
  await time.advance(0);
  expect(reported).toEqual([[1, 3, 9]]);
  expect(connections.size).toBe(1);
  all[1]?.end();
  await time.advance(0);
  expect(reported).toEqual([[1, 3, 9], [2]]);
  expect(connections.size).toBe(0);
});

test("it waits for the last one, and stops looking for silence", async () => {
  const first = new Connected();
  const second = new Connected();
  connections.add(1, first);
  connections.add(2, second);
  let isDone = false;
  const done = connections.allClosed().then(() => {
    isDone = true;
  });
  first.end();
  await time.settle();
  expect(isDone).toBe(false);
  second.end();
  await done;
  await time.advance(LIMITS.silenceCheckMs);
  expect(time.pendingTimers).toBe(0);
  await connections.allClosed();
});

test("those that are let go are not reported as closed, nor is one that has closed before", async () => {
  const going = new Connected();
  const closed = new Connected();
  const staying = new Connected();
  for (const [i, each] of [going, closed, staying].entries()) connections.add(i + 1, each);
  closed.end();
  expect(connections.letGo([going, closed])).toEqual([1]);
  await time.advance(0);
  expect(reported).toEqual([[2]]);
  expect(connections.size).toBe(1);
});
