/** The supervisor while processes crash, hang, refuse to start or to end, and the primary itself is late. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { END_GRACE_MS } from "../../../server/primary/supervisor.ts";
import {
  type Behaviour,
  DRAIN_TIMEOUT_MS,
  HANG_TIMEOUT_MS,
  SupervisorWorld,
  WELL_BEHAVED,
} from "./supervisor-harness.ts";

const WORKERS = 3;

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  readyAfterMs: fc.oneof(
    { weight: 9, arbitrary: fc.nat(LIMITS.workerStartMs - 1_000) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  drainedAfterMs: fc.option(fc.nat(2 * DRAIN_TIMEOUT_MS), { nil: undefined }),
  exitsWhenDrained: fc.boolean(),
  obeysSigterm: fc.boolean(),
  dyingMs: fc.nat(200),
  disconnectsFirst: fc.boolean(),
  secondSignAfterMs: fc.option(fc.nat(300), { nil: undefined }),
});
const quickly = behaviour.map((each) => ({ ...each, readyAfterMs: 50 }));

type Action =
  | { readonly kind: "crash" | "hang"; readonly slot: number }
  | { readonly kind: "behave"; readonly behaviour: Behaviour }
  | { readonly kind: "failForks"; readonly fail: boolean }
  | { readonly kind: "stall" | "wait"; readonly ms: number };

const slot = fc.nat(WORKERS - 1);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("crash" as const), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hang" as const), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("behave" as const), behaviour: quickly }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("behave" as const), behaviour }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("failForks" as const), fail: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("stall" as const), ms: fc.nat(8_000) }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(5_000) }) },
);

/** What has been observed so far, to be compared with what the supervisor may do. */
type Observed = { stalledMs: number };

async function perform(world: SupervisorWorld, action: Action, observed: Observed): Promise<void> {
  switch (action.kind) {
    case "crash":
      world.processes.findLast((process) => process.slot === action.slot)?.crash();
      break;
    case "hang":
      world.processes.findLast((process) => process.slot === action.slot)?.hang();
      break;
    case "behave":
      world.behaviour = action.behaviour;
      break;
    case "failForks":
      world.forkFails = action.fail;
      break;
    case "stall":
      observed.stalledMs += action.ms;
      world.time.stall(action.ms);
      break;
    case "wait":
      await world.time.advance(action.ms);
      break;
  }
}

/** Processes are killed when they hang or do not start, in time, and never otherwise. */
function checkKills(world: SupervisorWorld, { stalledMs }: Observed): void {
  for (const process of world.processes) {
    // `wasReady`: the supervisor was told so. What it was not told, it cannot go by.
    const { behaviour, wasReady, hasCrashed, hungSinceMs, forkedAtMs, signals, isAlive } = process;
    const isWell = hungSinceMs === undefined && behaviour.readyAfterMs !== undefined;
    if (isWell && !hasCrashed) expect(signals).toEqual([]);
    if (isWell || !isAlive) continue;
    const silentMs = world.time.now() - (wasReady ? (hungSinceMs ?? forkedAtMs) : forkedAtMs);
    const boundMs = wasReady ? HANG_TIMEOUT_MS : LIMITS.workerStartMs;
    // Checks come every heartbeat, and the primary's own delays move deadlines.
    expect(silentMs).toBeLessThanOrEqual(boundMs + 2 * LIMITS.heartbeatMs + stalledMs);
  }
}

/** Health is what the deaths of the last minute say, those of processes that could not be created included. */
function checkHealth(world: SupervisorWorld): void {
  const afterMs = world.time.now() - LIMITS.restartIntensityWindowMs;
  const deaths = [...world.lost.map(({ atMs }) => atMs), ...world.forkFailuresAtMs].filter(
    (at) => at > afterMs,
  );
  expect(world.supervisor.status().isHealthy).toBe(
    world.giveUps === 0 && deaths.length <= LIMITS.restartIntensityDeaths,
  );
}

const GAVE_UP_WHILE_OTHERS_DIE: Action[] = [
  {
    kind: "behave",
    behaviour: {
      readyAfterMs: undefined,
      drainedAfterMs: undefined,
      exitsWhenDrained: false,
      obeysSigterm: false,
      dyingMs: 0,
      disconnectsFirst: false,
      secondSignAfterMs: undefined,
    },
  },
  { kind: "hang", slot: 2 },
  { kind: "crash", slot: 0 },
  { kind: "hang", slot: 1 },
  ...[475, 4_695, 4_899, 4_629, 552].map((ms) => ({ kind: "wait" as const, ms })),
  { kind: "failForks", fail: true },
  { kind: "stall", ms: 161 },
  ...[2_396, 993, 2_450].map((ms) => ({ kind: "wait" as const, ms })),
];

/** Ready and hung while the primary was late: nobody has told it "ready", so what counts is the time to start. */
const HUNG_BEFORE_READY_WAS_READ: Action[] = [
  { kind: "stall", ms: 201 },
  { kind: "hang", slot: 0 },
  { kind: "wait", ms: 3_702 },
  { kind: "wait", ms: LIMITS.workerStartMs },
];

describe("supervisor under faults", () => {
  it("never has two processes in a slot, kills what hangs and nothing else, and ends in time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(action, { maxLength: 60, size: "max" }),
        async (seed, actions) => {
          const world = new SupervisorWorld(WORKERS, WELL_BEHAVED, seed);
          const observed = { stalledMs: 0 };
          for (const action of actions) {
            await perform(world, action, observed);
            await world.time.settle();
            checkKills(world, observed);
            checkHealth(world);
            const running = world.supervisor.ready().map(({ workerId }) => workerId);
            const lost = world.lost.map(({ id }) => id);
            expect(new Set([...running, ...lost]).size).toBe(running.length + lost.length);
          }

          let isDrained = false;
          world.supervisor.drain().then(() => {
            isDrained = true;
          });
          const dyingMsMax = 200 + 300;
          await world.time.advance(DRAIN_TIMEOUT_MS + 2 * END_GRACE_MS + dyingMsMax);
          expect(isDrained).toBe(true);
          expect(world.processes.filter(({ hasExited }) => !hasExited)).toEqual([]);
          expect(world.lost.map(({ id }) => id).sort(byNumber)).toEqual(world.processes.map(({ id }) => id));
          await world.time.advance(LIMITS.workerStartMs);
          expect(world.time.pendingTimers).toBe(0);
        },
      ),
      {
        numRuns: 150,
        examples: [
          // It gave up, and then counted no more deaths.
          [0, GAVE_UP_WHILE_OTHERS_DIE],
          // Seed 235899554: this test expected it to be killed as one that had been ready.
          [0, HUNG_BEFORE_READY_WAS_READ],
        ],
      },
    );
  });

  it("has all workers again some time after the last trouble", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40, size: "max" }), async (actions) => {
        const world = new SupervisorWorld(WORKERS);
        for (const action of actions) await perform(world, action, { stalledMs: 0 });
        fc.pre(world.giveUps === 0);
        world.behaviour = WELL_BEHAVED;
        world.forkFails = false;
        for (let slot = 0; slot < WORKERS; slot++)
          world.processes.findLast((each) => each.slot === slot)?.die();
        await world.time.advance(2 * LIMITS.restartBackoffMaxMs + END_GRACE_MS);
        if (world.giveUps === 0) expect(world.states()).toEqual(["ready", "ready", "ready"]);
      }),
      { numRuns: 100 },
    );
  });
});

function byNumber(a: number, b: number): number {
  return a - b;
}
