import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { END_GRACE_MS, STABLE_AFTER_MS } from "../../../server/primary/supervisor.ts";
import { DRAIN_TIMEOUT_MS, HANG_TIMEOUT_MS, SupervisorWorld, WELL_BEHAVED } from "./supervisor-harness.ts";

async function ready(workers: number, behaviour = WELL_BEHAVED): Promise<SupervisorWorld> {
  const world = new SupervisorWorld(workers, behaviour);
  await world.time.advance(1_000);
  return world;
}

/** The worker of the only slot has died, and the next has started. */
async function restarted(world: SupervisorWorld): Promise<void> {
  for (const state of ["crashed", "starting"]) {
    while (world.states()[0] !== state) expect(await world.time.advanceToNext()).toBe(true);
  }
}

/** Time from each process's end to the start of the next in the slot. */
function pauses(world: SupervisorWorld): number[] {
  return world.lost.flatMap(({ atMs }, n) => {
    const next = world.processes[n + 1];
    return next === undefined ? [] : [next.forkedAtMs - atMs];
  });
}

describe("workers", () => {
  it("are started one per slot, and reported when ready with what their heartbeats say", async () => {
    const world = new SupervisorWorld(3);
    expect(world.states()).toEqual(["starting", "starting", "starting"]);
    expect(world.supervisor.status().isReady).toBe(false);
    expect(world.supervisor.ready()).toEqual([]);
    await world.time.advance(1_000);
    expect(world.ready).toEqual([1, 2, 3]);
    expect(world.supervisor.status()).toMatchObject({ isHealthy: true, isReady: true });
    expect(world.supervisor.status().workers[1]).toMatchObject({
      slot: 1,
      state: "ready",
      workerId: 2,
      pid: 1_002,
      restarts: 0,
      stats: { rooms: 3, clients: 12 },
    });
    expect(world.supervisor.ready().map(({ workerId }) => workerId)).toEqual([1, 2, 3]);
  });

  it("take no rooms from their first sign of death on, and are lost after the second", async () => {
    for (const disconnectsFirst of [false, true]) {
      const world = new SupervisorWorld(2);
      world.process(0).behaviour.disconnectsFirst = disconnectsFirst;
      world.process(0).behaviour.secondSignAfterMs = 60;
      await world.time.advance(1_000);
      world.process(0).die();
      await world.time.advance(world.process(0).behaviour.dyingMs);
      expect(world.states()).toEqual(["ending", "ready"]);
      expect(world.ending).toEqual([1]);
      expect(world.supervisor.ready().map(({ workerId }) => workerId)).toEqual([2]);
      await world.time.advance(59);
      expect(world.lost).toEqual([]);
      await world.time.advance(1);
      expect(world.lost).toMatchObject([{ id: 1 }]);
      expect(world.ending).toEqual([1]);
      expect(world.states()).toEqual(["crashed", "ready"]);
      await world.time.advance(1_000);
      expect(world.states()).toEqual(["ready", "ready"]);
      expect(world.supervisor.status().workers[0]).toMatchObject({ workerId: 3, restarts: 1 });
    }
  });

  it("are lost a stated time after their exit when their channel never closes", async () => {
    const world = await ready(1, { ...WELL_BEHAVED, secondSignAfterMs: undefined });
    world.process(0).die();
    await world.time.advance(WELL_BEHAVED.dyingMs + END_GRACE_MS - 1);
    expect(world.lost).toEqual([]);
    await world.time.advance(1);
    expect(world.lost).toHaveLength(1);
    world.supervisor.onDisconnect(1); // late: nothing happens any more
    await world.time.advance(1_000);
    expect(world.lost).toHaveLength(1);
    expect(world.states()).toEqual(["ready"]);
  });

  it("are killed when their channel closes but they do not end", async () => {
    const world = await ready(1);
    world.supervisor.onDisconnect(1);
    await world.time.advance(END_GRACE_MS - 1);
    expect(world.process(0).signals).toEqual([]);
    await world.time.advance(1);
    expect(world.process(0).signals).toMatchObject([{ signal: "SIGKILL" }]);
    await world.time.advance(1_000);
    expect(world.lost).toHaveLength(1);
    expect(world.states()).toEqual(["ready"]);
  });

  it("are killed when they are not ready in time, and not before", async () => {
    const world = new SupervisorWorld(1, { ...WELL_BEHAVED, readyAfterMs: undefined });
    await world.time.advance(LIMITS.workerStartMs - 1);
    expect(world.process(0).signals).toEqual([]);
    await world.time.advance(1 + LIMITS.heartbeatMs);
    expect(world.processes[0]?.signals).toMatchObject([{ signal: "SIGKILL" }]);
  });
});

describe("a hung worker", () => {
  it("is killed within the timeout and one check, its neighbour is not", async () => {
    const world = await ready(2);
    world.process(1).hang();
    await world.time.advance(HANG_TIMEOUT_MS - LIMITS.heartbeatMs);
    expect(world.process(1).signals).toEqual([]);
    await world.time.advance(2 * LIMITS.heartbeatMs);
    expect(world.processes[1]?.signals).toMatchObject([{ signal: "SIGKILL" }]);
    expect(world.processes[0]?.signals).toEqual([]);
    await world.time.advance(1_000);
    expect(world.states()).toEqual(["ready", "ready"]);
  });

  it("is given the time that the primary itself was late", async () => {
    // Between two checks, so that after the delay the next check comes before the next heartbeat.
    const world = await ready(2, { ...WELL_BEHAVED, readyAfterMs: LIMITS.heartbeatMs + 10 });
    await world.time.advance(20);
    world.time.stall(4 * HANG_TIMEOUT_MS);
    await world.time.advance(10 * HANG_TIMEOUT_MS);
    expect(world.processes.flatMap(({ signals }) => signals)).toEqual([]);
    expect(world.processes).toHaveLength(2);
  });

  it("is still found after the primary was late", async () => {
    const world = await ready(1);
    world.process(0).hang();
    world.time.stall(4 * HANG_TIMEOUT_MS);
    await world.time.advance(HANG_TIMEOUT_MS - 2 * LIMITS.heartbeatMs);
    expect(world.process(0).signals).toEqual([]);
    await world.time.advance(3 * LIMITS.heartbeatMs);
    expect(world.processes[0]?.signals).toMatchObject([{ signal: "SIGKILL" }]);
  });
});

describe("restarts", () => {
  it("wait longer with each death in a row, within bounds, and start over after a long life", async () => {
    const world = new SupervisorWorld(1);
    for (let deaths = 0; deaths < 12; deaths++) {
      await world.time.advance(300); // ready, but not for long
      world.process(0).die();
      await world.time.advance(LIMITS.restartBackoffMaxMs + 10);
    }
    for (const [n, pauseMs] of pauses(world).entries()) {
      const windowMs = Math.min(LIMITS.restartBackoffMaxMs, LIMITS.restartBackoffMinMs * 2 ** (n + 1));
      expect(pauseMs).toBeGreaterThanOrEqual(windowMs / 2);
      expect(pauseMs).toBeLessThanOrEqual(windowMs);
    }
    expect(pauses(world)).toHaveLength(12);
    await world.time.advance(STABLE_AFTER_MS + 1_000);
    world.process(0).die();
    await world.time.advance(1_000);
    expect(pauses(world).at(-1)).toBeLessThanOrEqual(2 * LIMITS.restartBackoffMinMs);
  });

  it("too many within the window make the server unhealthy until they leave it", async () => {
    const world = await ready(2);
    const diedAtMs: number[] = [];
    for (let deaths = 1; deaths <= LIMITS.restartIntensityDeaths + 1; deaths++) {
      expect(world.supervisor.status()).toMatchObject({ isHealthy: true, isReady: true });
      world.process(deaths % 2).die();
      await world.time.advance(10);
      diedAtMs.push(world.lost.at(-1)?.atMs ?? 0);
      await world.time.advance(2_000);
    }
    expect(world.supervisor.status()).toMatchObject({ isHealthy: false, isReady: false });
    const untilMs = (diedAtMs[0] ?? 0) + LIMITS.restartIntensityWindowMs;
    await world.time.advance(untilMs - 1 - world.time.now());
    expect(world.supervisor.status().isHealthy).toBe(false);
    await world.time.advance(1);
    expect(world.supervisor.status()).toMatchObject({ isHealthy: true, isReady: true });
  });

  it("come soon, but not at once, for one that was killed by somebody while others take up its rooms", async () => {
    const world = await ready(2);
    for (let kill = 0; kill < 20; kill++) {
      const before = world.processes.length;
      world.process(0).die(null, "SIGKILL");
      await world.time.advance(LIMITS.replaceAfterMs);
      expect(world.processes.length).toBe(before);
      await world.time.advance(1_000);
      expect(world.states()).toEqual(["ready", "ready"]);
    }
  });

  it("come at once for the only worker, if it served and was killed by somebody, however often", async () => {
    const world = await ready(1);
    for (let kill = 0; kill < 20; kill++) {
      world.process(0).die(null, "SIGKILL");
      await world.time.advance(1_000);
      expect(world.states()).toEqual(["ready"]);
    }
    expect(pauses(world)).toEqual(Array(20).fill(0));
    // One that hangs is killed, too, but by its own fault.
    world.process(0).hang();
    await world.time.advance(2 * HANG_TIMEOUT_MS);
    expect(pauses(world).at(-1)).toBeGreaterThan(0);
  });

  it("rehearse unless the last process crashed, for that may have been what it died of", async () => {
    const world = await ready(1);
    world.process(0).die(null, "SIGKILL");
    await world.time.advance(1_000);
    world.process(0).crash();
    await world.time.advance(1_000);
    await world.time.advance(STABLE_AFTER_MS);
    world.process(0).die(null, "SIGKILL");
    await world.time.advance(1_000);
    world.supervisor.isolate();
    expect(world.rehearsing).toEqual([true, true, false, true, false]);
  });
});

describe("giving up", () => {
  it("comes when the only worker has not started so many times in a row, and ends the restarts", async () => {
    const world = new SupervisorWorld(1, { ...WELL_BEHAVED, readyAfterMs: undefined });
    for (let starts = 1; starts < LIMITS.startFailuresMax; starts++) {
      world.process(0).die();
      await world.time.advance(LIMITS.restartBackoffMaxMs);
      expect(world.giveUps).toBe(0);
    }
    world.process(0).die();
    await world.time.advance(10 * LIMITS.restartBackoffMaxMs);
    expect(world.giveUps).toBe(1);
    expect(world.processes).toHaveLength(LIMITS.startFailuresMax);
    expect(world.states()).toEqual(["stopped"]);
  });

  it("comes when no process can even be created", async () => {
    const world = await ready(2);
    world.forkFails = true;
    world.process(0).die();
    world.process(1).die();
    await world.time.advance(10 * LIMITS.restartBackoffMaxMs);
    expect(world.giveUps).toBe(1);
  });

  it("comes when the system has no process to give", async () => {
    const world = await ready(1);
    world.isOutOfProcesses = true;
    world.process(0).die();
    await world.time.advance(10 * LIMITS.restartBackoffMaxMs);
    expect(world.giveUps).toBe(1);
    expect(world.lost.map(({ id }) => id)).toEqual(world.processes.map(({ id }) => id));
  });

  it("counts from the last worker that was ready", async () => {
    const world = new SupervisorWorld(1);
    for (let round = 0; round < 3; round++) {
      for (let starts = 1; starts < LIMITS.startFailuresMax; starts++) {
        world.process(0).die();
        await restarted(world);
      }
      await world.time.advance(1_000);
      expect(world.states()).toEqual(["ready"]);
      world.process(0).die();
      await restarted(world);
    }
    expect(world.giveUps).toBe(0);
  });

  it("does not come while another worker is alive, nor for starts that failed while it was", async () => {
    const world = await ready(2);
    world.forkFails = true;
    world.process(0).die();
    await world.time.advance(10 * LIMITS.restartBackoffMaxMs);
    expect(world.giveUps).toBe(0);
    world.forkFails = false;
    world.process(1).die();
    await world.time.advance(2 * LIMITS.restartBackoffMaxMs);
    expect(world.giveUps).toBe(0);
    expect(world.states()).toEqual(["ready", "ready"]);
  });

  it("waits for the first start of every slot", async () => {
    const workers = LIMITS.startFailuresMax + 3;
    const world = new SupervisorWorld(workers);
    for (const process of world.processes.slice(1)) process.die();
    await world.time.advance(50);
    expect(world.giveUps).toBe(0);
    await world.time.advance(LIMITS.restartBackoffMaxMs);
    expect(world.states()).toEqual(new Array(workers).fill("ready"));
  });
});

describe("draining", () => {
  it("tells every worker, waits until all have finished and ended, and restarts none", async () => {
    const world = await ready(3);
    world.process(2).behaviour.exitsWhenDrained = true;
    let drainedAtMs: number | undefined;
    const startedAtMs = world.time.now();
    const drained = world.supervisor.drain();
    drained.then(() => {
      drainedAtMs = world.time.now();
    });
    expect(world.supervisor.drain()).toBe(drained);
    expect(world.supervisor.status().isReady).toBe(false);
    expect(world.states()).toEqual(["draining", "draining", "draining"]);
    await world.time.advance(99);
    expect(drainedAtMs).toBeUndefined();
    await world.time.advance(20);
    expect((drainedAtMs ?? Number.NaN) - startedAtMs).toBeLessThan(120);
    expect(world.processes.map(({ received }) => received)).toEqual([["drain"], ["drain"], ["drain"]]);
    expect(world.processes[0]?.signals).toMatchObject([{ signal: "SIGTERM" }]);
    expect(world.states()).toEqual(["stopped", "stopped", "stopped"]);
    await world.time.advance(60_000);
    expect(world.processes).toHaveLength(3);
    expect(world.time.pendingTimers).toBe(0);
  });

  it("kills after the timeout what has not finished, and at once what has not started", async () => {
    const world = await ready(2, { ...WELL_BEHAVED, drainedAfterMs: undefined });
    world.behaviour = { ...WELL_BEHAVED, readyAfterMs: 5_000 };
    world.process(1).die();
    await world.time.advance(500);
    expect(world.states()).toEqual(["ready", "starting"]);
    let isDrained = false;
    world.supervisor.drain().then(() => {
      isDrained = true;
    });
    expect(world.processes[2]?.signals).toMatchObject([{ signal: "SIGKILL" }]);
    await world.time.advance(DRAIN_TIMEOUT_MS - 1);
    expect(world.states()).toEqual(["draining", "stopped"]);
    await world.time.advance(1 + WELL_BEHAVED.dyingMs + 2);
    expect(isDrained).toBe(true);
  });

  it("kills a worker that has drained but stays", async () => {
    const world = await ready(1);
    world.process(0).behaviour.obeysSigterm = false;
    let isDrained = false;
    world.supervisor.drain().then(() => {
      isDrained = true;
    });
    await world.time.advance(100 + END_GRACE_MS + 20);
    expect(isDrained).toBe(true);
    expect(world.process(0).signals.map(({ signal }) => signal)).toEqual(["SIGTERM", "SIGKILL"]);
  });

  it("is done with a worker that hangs as soon as that is noticed", async () => {
    const world = await ready(1);
    world.process(0).hang();
    world.supervisor.drain();
    await world.time.advance(HANG_TIMEOUT_MS + 2 * LIMITS.heartbeatMs);
    expect(world.states()).toEqual(["stopped"]);
  });

  it("cancels restarts that are due, and is done at once when nothing runs", async () => {
    const world = await ready(1);
    world.process(0).die();
    await world.time.advance(20);
    expect(world.states()).toEqual(["crashed"]);
    await world.supervisor.drain();
    await world.time.advance(60_000);
    expect(world.processes).toHaveLength(1);
    expect(world.time.pendingTimers).toBe(0);
  });
});
