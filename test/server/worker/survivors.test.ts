/** What a room does while its worker waits for many clients of rooms that it has taken over. In simulated time. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import type { MemoryTransport } from "../../support/memory-transport.ts";
import { RoomHarness, say, TICK_MS } from "./room-harness.ts";
import { Table } from "./rooms.ts";

/** Enough to fill half of a queue, each with fewer messages than it may send at once. */
const CLIENTS = 32;
class Hall extends Table {
  static override maxClients = CLIENTS;
}

const TICKS_AT_ONCE = LIMITS.survivorsTickWaitMs / TICK_MS;

async function roomAmongSurvivors(clients = 1) {
  const harness = new RoomHarness(Hall);
  const seated = await harness.seated(...Array.from({ length: clients }, (_, number) => `client ${number}`));
  await harness.tick();
  const [anna] = seated;
  if (anna === undefined) throw new Error("nobody is there");
  for (let i = 0; i < LIMITS.survivorsMany; i++) harness.services.survivors.awaits();
  return { harness, anna, seated };
}

function ticksTold(client: MemoryTransport): number[] {
  return client.ofType(ServerMessage.STATE).map(([, tick]) => tick);
}

test("its ticks are sent together, and nothing of what was said is lost", async () => {
  const { harness, anna } = await roomAmongSurvivors();
  const before = ticksTold(anna).at(-1) ?? 0;
  for (let seq = 1; seq < TICKS_AT_ONCE; seq++) {
    say(anna, seq, "add", seq);
    await harness.tick();
  }
  expect(ticksTold(anna).at(-1) ?? 0).toBe(before);
  await harness.tick();
  expect(ticksTold(anna).at(-1)).toBe(before + TICKS_AT_ONCE);
  expect(harness.table.applied).toHaveLength(TICKS_AT_ONCE - 1);
});

test("who joins it is welcomed with the next tick", async () => {
  const { harness } = await roomAmongSurvivors();
  const berta = harness.join("berta");
  await harness.tick();
  expect(berta.welcome.sessionId).toBe("berta");
});

test("a queue that fills up does not wait", async () => {
  const { harness, anna, seated } = await roomAmongSurvivors(CLIENTS);
  const before = ticksTold(anna).length;
  const perClient = LIMITS.roomQueueEventsMax / 2 / CLIENTS;
  const sayOf = (client: MemoryTransport, from: number, to: number) => {
    for (let seq = from; seq <= to; seq++) say(client, seq, "add", 1);
  };
  for (const client of seated) sayOf(client, 1, client === anna ? perClient - 1 : perClient);
  await harness.tick();
  expect(ticksTold(anna)).toHaveLength(before);
  sayOf(anna, perClient, perClient);
  await harness.tick();
  expect(ticksTold(anna)).toHaveLength(before + 1);
});
