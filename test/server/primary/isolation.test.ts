/** Rooms that may have crashed their worker go on alone: the worker that is started for one, and what becomes of both. */
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { createHarness, type Harness, joined } from "./matchmaker-harness.ts";
import { SupervisorWorld, WELL_BEHAVED } from "./supervisor-harness.ts";

const ISOLATED = 90;
const KEPT = [
  {
    name: "kept",
    maxClients: 2,
    maxMatched: 2,
    filterBy: [],
    durability: "journal" as const,
    hasAuth: false,
    autoDispose: false,
  },
];

async function roomsOn(count: number): Promise<{ harness: Harness; roomIds: string[] }> {
  const harness = createHarness({ workers: [1], roomTypes: KEPT });
  const roomIds: string[] = [];
  for (let n = 0; n < 2 * count; n++) roomIds.push((await joined(harness, "kept")).roomId);
  harness.readyWorkers.add(2);
  return { harness, roomIds: [...new Set(roomIds)] };
}

function crash(harness: Harness, workerId: number, blamedRoomId?: string): void {
  harness.readyWorkers.delete(workerId);
  harness.matchmaker.onWorkerLost(workerId, blamedRoomId);
}

const creates = (harness: Harness) => harness.creates().map(({ roomId, workerId }) => [roomId, workerId]);

describe("a room in whose step its worker crashed", () => {
  it("waits for a worker of its own, while its neighbours go on at once", async () => {
    const { harness, roomIds } = await roomsOn(2);
    const [suspect = "", neighbour = ""] = roomIds;
    harness.isolated.push(ISOLATED);
    crash(harness, 1, suspect);
    expect(creates(harness)).toEqual([[neighbour, 2]]);
    harness.matchmaker.onWorkerReady(ISOLATED, KEPT);
    expect(creates(harness)).toEqual([
      [neighbour, 2],
      [suspect, ISOLATED],
    ]);
    expect(harness.followed).toContainEqual({ roomId: suspect, workerId: ISOLATED });
  });

  it("is put aside when it crashes that, too: nobody else is touched", async () => {
    const { harness, roomIds } = await roomsOn(2);
    const [suspect = ""] = roomIds;
    harness.isolated.push(ISOLATED);
    crash(harness, 1, suspect);
    harness.matchmaker.onWorkerReady(ISOLATED, KEPT);
    await harness.answerAll();
    crash(harness, ISOLATED, suspect);
    expect(creates(harness)).toEqual([]);
    expect(harness.closedSockets).toEqual([suspect]);
    expect(harness.matchmaker.stats().rooms.open).toBe(1);
  });

  it("is put aside also when it crashes that one while it is taken up", async () => {
    const { harness, roomIds } = await roomsOn(1);
    const [suspect = ""] = roomIds;
    harness.isolated.push(ISOLATED);
    crash(harness, 1, suspect);
    harness.matchmaker.onWorkerReady(ISOLATED, KEPT);
    crash(harness, ISOLATED, suspect);
    expect(harness.matchmaker.stats().rooms).toMatchObject({ creating: 0, open: 0 });
  });

  it("goes on beside others when it cannot be alone, or when its own worker is killed from outside", async () => {
    const { harness, roomIds } = await roomsOn(1);
    const [suspect = ""] = roomIds;
    crash(harness, 1, suspect);
    expect(creates(harness)).toEqual([[suspect, 2]]);
    await harness.answerAll();
    await harness.time.advance(60_000);
    harness.isolated.push(ISOLATED);
    crash(harness, 2, suspect);
    harness.readyWorkers.add(3);
    crash(harness, ISOLATED);
    expect(creates(harness)).toEqual([[suspect, 3]]);
  });

  it("says when it ends that its worker has nothing to do any more", async () => {
    const { harness, roomIds } = await roomsOn(1);
    const [suspect = ""] = roomIds;
    harness.isolated.push(ISOLATED);
    crash(harness, 1, suspect);
    harness.matchmaker.onWorkerReady(ISOLATED, KEPT);
    await harness.answerAll();
    harness.idle.length = 0;
    harness.matchmaker.onWorkerMessage(ISOLATED, { type: "room-disposed", roomId: suspect });
    expect(harness.idle).toEqual([ISOLATED]);
  });
});

describe("an isolated worker", () => {
  async function world(): Promise<{ world: SupervisorWorld; id: number }> {
    const world = new SupervisorWorld(2, WELL_BEHAVED);
    await world.time.advance(1_000);
    const id = world.supervisor.isolate() ?? 0;
    return { world, id };
  }

  it("becomes ready, but takes no other rooms", async () => {
    const { world: it, id } = await world();
    expect(it.supervisor.status().workers.at(-1)).toMatchObject({
      slot: 2,
      isIsolated: true,
      state: "starting",
    });
    await it.time.advance(1_000);
    expect(it.ready).toEqual([1, 2, id]);
    expect(it.supervisor.ready().map(({ workerId }) => workerId)).toEqual([1, 2]);
  });

  it("is not replaced when it dies, and its death says nothing of the others", async () => {
    const { world: it } = await world();
    for (let n = 0; n <= LIMITS.restartIntensityDeaths; n++) {
      await it.time.advance(1_000);
      it.process(2).crash();
      await it.time.advance(1_000);
      expect(it.states()).toEqual(["ready", "ready"]);
      it.supervisor.isolate();
    }
    expect(it.supervisor.status().isHealthy).toBe(true);
    expect(it.giveUps).toBe(0);
  });

  it("ends in order when its room is gone; the others do not", async () => {
    const { world: it, id } = await world();
    await it.time.advance(1_000);
    it.supervisor.retire(1);
    it.supervisor.retire(id);
    await it.time.advance(1_000);
    expect(it.process(2).received).toEqual(["drain"]);
    expect(it.states()).toEqual(["ready", "ready"]);
    expect(it.lost.map((lost) => lost.id)).toEqual([id]);
  });

  it("is one of a few, and none is started while the server ends", async () => {
    const { world: it } = await world();
    for (let n = 1; n < LIMITS.isolatedWorkersMax; n++) expect(it.supervisor.isolate()).toBeTypeOf("number");
    expect(it.supervisor.isolate()).toBeUndefined();
    await it.time.advance(1_000);
    const drained = it.supervisor.drain();
    expect(it.supervisor.isolate()).toBeUndefined();
    await it.time.advance(2_000);
    await drained;
    expect(it.states()).toEqual(["stopped", "stopped"]);
  });

  it("that cannot be started is none", async () => {
    const { world: it } = await world();
    it.forkFails = true;
    expect(it.supervisor.isolate()).toBeUndefined();
    expect(it.states()).toEqual(["ready", "ready", "starting"]);
  });
});
