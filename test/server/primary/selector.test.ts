import { describe, expect, it } from "vitest";
import { LeastLoadSelector } from "../../../server/primary/selector/least-load.ts";
import { RandomSelector } from "../../../server/primary/selector/random.ts";
import type { Selector, WorkerLoad } from "../../../server/primary/selector/selector.ts";
import { createRandom } from "../../../shared/sim/random.ts";

const IMPLEMENTATIONS: readonly (readonly [name: string, create: () => Selector])[] = [
  ["least load", () => new LeastLoadSelector()],
  ["random", () => new RandomSelector(createRandom(1).next)],
];

function worker(workerId: number, load: Partial<WorkerLoad> = {}): WorkerLoad {
  return { workerId, tickLoad: 0, roomsMeasured: 0, rooms: 0, ...load };
}

/** Places rooms one by one, with the heartbeats of before the first; returns rooms per worker. */
function place(selector: Selector, workers: readonly WorkerLoad[], rooms: number): number[] {
  const placed = workers.map(() => 0);
  for (let i = 0; i < rooms; i++) {
    const loads = workers.map((load, n) => ({ ...load, rooms: load.rooms + (placed[n] ?? 0) }));
    const chosen = selector.choose(loads);
    const index = workers.findIndex(({ workerId }) => workerId === chosen);
    placed[index] = (placed[index] ?? 0) + 1;
  }
  return placed;
}

describe.each(IMPLEMENTATIONS)("selector contract: %s", (_, create) => {
  it("chooses nothing from nothing", () => {
    expect(create().choose([])).toBeUndefined();
  });

  it("chooses the only worker, however loaded", () => {
    expect(create().choose([worker(7, { tickLoad: 1, roomsMeasured: 900, rooms: 1_000 })])).toBe(7);
  });

  it("uses every one of equal workers, and only them, in a burst", () => {
    const workers = [worker(3), worker(5), worker(9)];
    const placed = place(create(), workers, 300);
    for (const count of placed) expect(count).toBeGreaterThan(60);
    expect(placed.reduce((sum, count) => sum + count)).toBe(300);
  });
});

describe("least load", () => {
  const selector = new LeastLoadSelector();

  it("prefers the worker whose ticks take less, even if it has more rooms", () => {
    const busy = worker(1, { tickLoad: 0.6, roomsMeasured: 10, rooms: 10 });
    const calm = worker(2, { tickLoad: 0.2, roomsMeasured: 50, rooms: 50 });
    expect(selector.choose([busy, calm])).toBe(2);
    expect(selector.choose([calm, busy])).toBe(2);
  });

  it("lets the number of rooms decide between loads that are as good as equal", () => {
    const fewer = worker(2, { tickLoad: 0.205, roomsMeasured: 4, rooms: 4 });
    const more = worker(1, { tickLoad: 0.2, roomsMeasured: 5, rooms: 5 });
    expect(selector.choose([more, fewer])).toBe(2);
  });

  it("spreads a burst exactly over workers that looked equal", () => {
    expect(place(selector, [worker(1), worker(2), worker(3), worker(4)], 100)).toEqual([25, 25, 25, 25]);
  });

  it("fills up the idle worker only until its rooms to come weigh as much as the others' load", () => {
    const loaded = worker(1, { tickLoad: 0.5, roomsMeasured: 50, rooms: 50 }); // 0.01 a room
    const [toLoaded, toIdle] = place(selector, [loaded, worker(2)], 100);
    expect(toIdle).toBeGreaterThanOrEqual(74);
    expect(toIdle).toBeLessThanOrEqual(76);
    expect(toLoaded).toBe(100 - (toIdle ?? 0));
  });

  it("is not misled by a heartbeat that still counts rooms that are gone", () => {
    const emptied = worker(1, { tickLoad: 0.3, roomsMeasured: 30, rooms: 0 });
    expect(selector.choose([emptied, worker(2, { tickLoad: 0.31, roomsMeasured: 1, rooms: 1 })])).toBe(1);
  });
});
