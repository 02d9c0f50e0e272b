import { beforeEach, expect, test } from "vitest";
import { encodeInput } from "../../shared/schema/index.ts";
import { RoomDriver } from "../support/room-driver.ts";
import { LedgerArena } from "./rooms/ledger-arena.ts";
import { COUNTS_PER_RECEIPT, CountInput, LedgerArenaState, RecallInput } from "./rooms/ledger-schema.ts";

let room: RoomDriver<typeof LedgerArenaState>;

beforeEach(async () => {
  room = await RoomDriver.create(LedgerArena, LedgerArenaState, { options: { bots: 0, noise: 10 } });
  room.join("ann");
});

function count(...numbers: number[]): void {
  room.tick(numbers.map((number) => room.message("ann", "count", encodeInput(CountInput, { number }))));
}

test("the ledger says what came, what did not, and what came twice", () => {
  count(1, 2, 3);
  expect(room.state.ledger.get("ann")).toMatchObject({ last: 3, lost: 0, doubled: 0 });
  count(6, 3);
  expect(room.state.ledger.get("ann")).toMatchObject({ last: 6, lost: 2, doubled: 1 });
  room.leave("ann");
  expect(room.state.ledger.size).toBe(0);
});

test("each tick is broadcast with its number, and some counts are answered", () => {
  count(COUNTS_PER_RECEIPT - 1, COUNTS_PER_RECEIPT);
  expect(room.sent).toEqual([
    { type: "receipt", payload: 1, to: ["ann"] },
    { type: "beat", payload: 1, to: undefined },
  ]);
  room.tick();
  expect(room.sent).toEqual([{ type: "beat", payload: 2, to: undefined }]);
  expect(room.state.ticks).toBe(2);
});

test("it remembers the chain of its states by tick, for a while", () => {
  const chains = [0];
  for (let tick = 1; tick <= 1_100; tick++) {
    room.tick();
    chains.push(room.state.chain);
  }
  expect(new Set(chains.slice(1)).size).toBe(1_100);
  const recall = (tick: number) => {
    room.tick([room.message("ann", "recall", encodeInput(RecallInput, { tick }))]);
    return room.sent[0];
  };
  for (const tick of [1_100, 500]) {
    expect(recall(tick)).toEqual({ type: "recalled", payload: { tick, chain: chains[tick] }, to: ["ann"] });
  }
  expect(recall(50)).toMatchObject({ payload: { tick: 50, chain: null } });
});

test("its chain is another one as soon as anything else is", async () => {
  const other = await RoomDriver.create(LedgerArena, LedgerArenaState, { options: { bots: 0 } });
  other.join("ann");
  for (const each of [room, other]) each.tick();
  expect(other.state.chain).toBe(room.state.chain);
  count(1);
  other.tick();
  expect(other.state.chain).not.toBe(room.state.chain);
});

test("noise is other noise in each tick", () => {
  room.tick();
  const before = [...room.state.noise];
  room.tick();
  expect(room.state.noise).toHaveLength(10);
  expect([...room.state.noise].some((value) => before.includes(value))).toBe(false);
});

test("it plays the arena, and is a function of its events", () => {
  expect(room.state.players.get("ann")?.hp).toBeGreaterThan(0);
  for (let number = 1; number < 20; number++) count(number);
  expect(room.replay()).toEqual(room.trace);
});
