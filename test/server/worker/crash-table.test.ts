/** What happens at a crash, case by case: what only simulated time shows. test/server/cluster/crash-table.test.ts has the rest. */
import { describe, expect, test } from "vitest";
import { readRoom } from "../../../server/journal/journal-reader.ts";
import { LIMITS } from "../../../server/limits.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import { Observed, play, seated, TICK_MS, Written } from "./dice-rooms.ts";
import type { Owners } from "./owners.ts";

function stepsOf(owners: Owners) {
  return [...(readRoom(owners.roomDirectory)?.steps ?? [])];
}

describe("drop, skip, overflow decided by the host", () => {
  test("a client that is skipped is nothing to the room; that it was dropped for it is journaled", async () => {
    const { owners, client } = await seated(Written);
    await play(owners, client, 1);
    const before = stepsOf(owners).length;
    const typesSince = () =>
      stepsOf(owners)
        .slice(before)
        .flatMap(({ events }) => events.map(({ type }) => type))
        .filter((type) => type !== "tick");
    const told = client.transport.messages.length;
    client.transport.bufferedBytes = 1;
    await owners.time.advance(20 * TICK_MS);
    expect(client.transport.messages.length).toBe(told);
    expect(typesSince()).toEqual([]);
    client.transport.bufferedBytes = 0;
    await owners.time.advance(TICK_MS);
    expect(client.transport.messages.length).toBe(told + 1);
    expect(typesSince()).toEqual([]);

    client.transport.bufferedBytes = 1;
    await owners.time.advance(LIMITS.unreadMs + 2 * TICK_MS);
    expect(client.transport.closeCode).toBe("SLOW_CLIENT");
    expect(typesSince()).toEqual(["dropped"]);
    const next = owners.next(Written, { survivors: ["ann"] });
    expect(next.sessionIds).toEqual(["ann"]);
    expect(Observed.last.clients.get("ann")?.isDropped).toBe(true);
    await owners.time.advance(2 * TICK_MS);
    expect(typesSince()).toEqual(["dropped"]);
  });
});

describe("tick", () => {
  test("no burst follows a break, and the clock has stood still: due times are rebased", async () => {
    const { owners, client } = await seated(Written);
    await play(owners, client, 10);
    const { tick, roomTimeMs } = client;
    owners.kill();
    await owners.time.advance(60_000);
    client.goOn(owners.next(Written, { survivors: ["ann"] }));
    for (let ticks = 1; ticks <= 20; ticks++) {
      await owners.time.advance(TICK_MS);
      client.read();
      expect([client.tick, Observed.last.state.ticks]).toEqual([tick + ticks, tick + ticks]);
      expect(client.roomTimeMs).toBe(roomTimeMs + ticks * TICK_MS);
    }
    expect(client.transport.ofType(ServerMessage.STATE)).toHaveLength(19);
    const dtsMs = stepsOf(owners).flatMap(({ events }) =>
      events.flatMap((event) => (event.type === "tick" ? [event.dtMs] : [])),
    );
    expect(dtsMs).toEqual(dtsMs.map(() => TICK_MS));
    expect(dtsMs).toHaveLength(tick + 20);
  });
});
