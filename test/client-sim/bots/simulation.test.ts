import { describe, expect, it } from "vitest";
import { Simulation } from "../../../client-sim/bots/simulation.ts";
import { type Summary, summarise } from "../../../client-sim/bots/summary.ts";
import { RookeryError } from "../../../shared/errors.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeMatch, type FakeRoom, LATENCY_MS, STATE_BYTES } from "./fake-match.ts";

const CLIENTS = 8;
const RAMP_MS = 2_000;
const DURATION_MS = 5_000;
/** When the last client has joined. */
const JOINED_MS = RAMP_MS - RAMP_MS / CLIENTS;
const SETTLE_MS = 1_000;
/** In the middle of the steady window. */
const MIDDLE_MS = JOINED_MS + SETTLE_MS + DURATION_MS / 2;

type World = {
  readonly time: SimulatedTime;
  readonly match: FakeMatch;
  readonly simulation: Simulation;
  /** Ends the simulation early. */
  readonly abort: AbortController;
  finish(): Promise<Summary>;
};

/** Exactly these, nothing beside them. */
function faultsOf({ missingTicks, divergences, reconnects, rejoins, disconnects, errors }: Summary) {
  return { missingTicks, divergences, reconnects, rejoins, disconnects, errors };
}

const NO_FAULTS = {
  missingTicks: 0,
  divergences: 0,
  reconnects: 0,
  rejoins: 0,
  disconnects: {},
  errors: {},
};

async function joinAtOnce(match: FakeMatch): Promise<FakeRoom> {
  return match.join();
}

function begin(join: (match: FakeMatch, bot: number) => Promise<FakeRoom> = joinAtOnce): World {
  const time = new SimulatedTime(1_000);
  const match = new FakeMatch(time, 20);
  const abort = new AbortController();
  const simulation = new Simulation({
    clients: CLIENTS,
    rampMs: RAMP_MS,
    durationMs: DURATION_MS,
    inputsPerSecond: 10,
    addedRoundTripMs: 0,
    scheduler: time,
    signal: abort.signal,
    join: (bot) => join(match, bot),
  });
  let isOver = false;
  const running = simulation.run().then(() => {
    isOver = true;
  });
  const finish = async () => {
    while (!isOver) await time.advance(500);
    await running;
    return summarise(simulation, "fake", CLIENTS);
  };
  return { time, match, simulation, abort, finish };
}

describe("a simulation without faults", () => {
  it("measures rates, bytes, latency and intervals in the steady window", async () => {
    const summary = await begin().finish();
    expect(summary).toMatchObject({
      room: "fake",
      clients: CLIENTS,
      joined: CLIENTS,
      steadySeconds: DURATION_MS / 1000,
      updatesPerClientPerSecond: 20,
      bytesPerClientPerSecond: 20 * STATE_BYTES,
      skippedInputs: 0,
    });
    expect(faultsOf(summary)).toEqual(NO_FAULTS);
    expect(summary.latencyMs).toEqual({
      p50: LATENCY_MS,
      p99: LATENCY_MS,
      p999: LATENCY_MS,
      max: LATENCY_MS,
    });
    expect(summary.tickIntervalMs.p50).toBeCloseTo(50, 0);
    expect(summary.comparedStates).toBeGreaterThanOrEqual((CLIENTS * DURATION_MS) / 500);
  });

  it("joins over the ramp, each client at its time", async () => {
    const { time, match, finish } = begin();
    await time.advance(0);
    expect(match.rooms).toHaveLength(1);
    await time.advance(RAMP_MS / 2);
    expect(match.rooms).toHaveLength(CLIENTS / 2 + 1);
    await time.advance(RAMP_MS / 2);
    expect(match.rooms).toHaveLength(CLIENTS);
    await finish();
  });

  it("lets each bot act at its rate and all of them leave", async () => {
    const { match, finish } = begin();
    await finish();
    for (const [index, room] of match.rooms.entries()) {
      const playedMs = JOINED_MS - (index * RAMP_MS) / CLIENTS + SETTLE_MS + DURATION_MS;
      expect(Math.abs(room.acts - playedMs / 100)).toBeLessThanOrEqual(1);
      expect(room.hasLeft).toBe(true);
    }
  });
});

describe("faults", () => {
  it("finds the one client whose state is not that of the others", async () => {
    const { time, match, finish } = begin();
    await time.advance(MIDDLE_MS);
    const [room] = match.rooms;
    if (room === undefined) throw new Error("nobody has joined");
    room.corruptFrom = room.tick;
    const { divergences } = await finish();
    // Every tenth tick of the second half of the window.
    expect(divergences).toBe(DURATION_MS / 2 / 500);
  });

  it("finds it in a room without ticks, when the room is at rest", async () => {
    const corrupt = (from: number) =>
      begin(async (match, bot) => {
        const room = match.join(0);
        if (bot === 2) room.corruptFrom = from;
        // Such a room stays at tick 0.
        room.receive = () => undefined;
        return room;
      }).finish();
    expect(await corrupt(0)).toMatchObject({ divergences: 1, comparedStates: CLIENTS });
    expect(await corrupt(1)).toMatchObject({ divergences: 0, comparedStates: CLIENTS });
  });

  it("compares nothing where each client sees a part of the state", async () => {
    for (const tickRate of [20, 0]) {
      const summary = await begin(async (match, bot) => {
        const room = match.join(tickRate);
        room.comparesState = false;
        if (bot === 2) room.corruptFrom = 0;
        return room;
      }).finish();
      expect(summary).toMatchObject({ joined: CLIENTS, divergences: 0, comparedStates: 0 });
    }
  });

  it("counts ticks that a client missed", async () => {
    const { time, match, finish } = begin();
    await time.advance(MIDDLE_MS);
    const tick = match.rooms[0]?.tick ?? 0;
    for (const missed of [tick + 2, tick + 3, tick + 9]) match.rooms[0]?.lostTicks.add(missed);
    const { missingTicks, tickIntervalMs } = await finish();
    expect(missingTicks).toBe(3);
    expect(tickIntervalMs.max).toBeCloseTo(150, -1);
  });

  it("counts a lost connection and its return, and no ticks of the time between", async () => {
    const { time, match, finish } = begin();
    await time.advance(MIDDLE_MS);
    match.rooms[0]?.drop(1006);
    const { acts } = match.rooms[0] ?? {};
    await time.advance(1_000);
    expect(match.rooms[0]?.acts).toBe(acts);
    match.rooms[0]?.comeBack("reconnect");
    match.rooms[1]?.drop(4503);
    match.rooms[1]?.comeBack("rejoin");
    expect(faultsOf(await finish())).toEqual({
      ...NO_FAULTS,
      reconnects: 1,
      rejoins: 1,
      disconnects: { 1006: 1, 4503: 1 },
    });
  });

  it("compares the states of a new room from its first ticks on", async () => {
    const { time, match, simulation, finish } = begin();
    await time.advance(MIDDLE_MS);
    const comparedBefore = simulation.divergence.compared;
    for (const room of match.rooms) {
      room.drop(4444);
      room.roomId = "room-2";
      room.firstTick = room.tick;
      room.comeBack("rejoin");
      room.corruptFrom = room === match.rooms[0] ? 0 : Number.POSITIVE_INFINITY;
    }
    const { comparedStates, divergences, missingTicks } = await finish();
    const sampledTicks = DURATION_MS / 2 / 500;
    expect(comparedStates - comparedBefore).toBe(sampledTicks * CLIENTS);
    expect(divergences).toBe(sampledTicks);
    expect(missingTicks).toBe(0);
  });

  it("counts a session's end as a lost connection, and one that could not be resumed as an error", async () => {
    const { time, match, simulation, finish } = begin();
    await time.advance(MIDDLE_MS);
    match.rooms[0]?.emit("leave", 4440, "KICKED");
    match.rooms[1]?.drop(1006);
    match.rooms[1]?.emit("leave", 4415, "SESSION_NOT_FOUND");
    expect(simulation.connected).toBe(CLIENTS - 2);
    expect(faultsOf(await finish())).toEqual({
      ...NO_FAULTS,
      disconnects: { 1006: 1, 4440: 1 },
      errors: { SESSION_NOT_FOUND: 1 },
    });
  });

  it("counts refused joins, refused messages and faults of the bots by their code", async () => {
    const { time, match, finish } = begin(async (match, bot) => {
      if (bot < 2) throw new RookeryError("ROOM_FULL");
      return match.join();
    });
    await time.advance(MIDDLE_MS);
    const [first, second] = match.rooms;
    first?.emit("$error", { code: "MESSAGE_INVALID", message: "No.", seq: 3 });
    second?.emit("error", new TypeError("a callback threw"));
    if (second !== undefined) second.fault = new RookeryError("SESSION_OVERFLOW");
    await time.advance(100);
    if (second !== undefined) second.fault = undefined;
    const { joined, errors } = await finish();
    expect(joined).toBe(CLIENTS - 2);
    expect(errors).toEqual({ MESSAGE_INVALID: 1, ROOM_FULL: 2, SESSION_OVERFLOW: 1, TypeError: 1 });
  });

  it("tells when its own process is late, and skips the inputs of that time", async () => {
    const { time, match, finish } = begin();
    await time.advance(MIDDLE_MS);
    const { acts = 0 } = match.rooms[0] ?? {};
    time.stall(1_000);
    await time.advance(0);
    expect((match.rooms[0]?.acts ?? 0) - acts).toBeLessThanOrEqual(1);
    const { loopDelayMs, skippedInputs } = await finish();
    expect(loopDelayMs.max).toBeGreaterThan(970);
    expect(skippedInputs).toBeGreaterThanOrEqual(9 * CLIENTS);
  });
});

describe("the end", () => {
  it("comes early when it is asked for in the steady window, with a summary of what was measured", async () => {
    const { time, match, abort, finish } = begin();
    await time.advance(MIDDLE_MS);
    abort.abort();
    const summary = await finish();
    expect(summary.steadySeconds).toBe(DURATION_MS / 2 / 1000);
    expect(summary.updatesPerClientPerSecond).toBeCloseTo(20, 0);
    expect(match.rooms.every((room) => room.hasLeft)).toBe(true);
  });

  it("comes early when it is asked for in the ramp, and measures nothing", async () => {
    const { time, match, abort, finish } = begin();
    await time.advance(RAMP_MS / 2);
    abort.abort();
    const summary = await finish();
    expect(summary).toMatchObject({ steadySeconds: 0, updatesPerClientPerSecond: 0 });
    expect(summary.latencyMs).toEqual({ p50: null, p99: null, p999: null, max: null });
    expect(match.rooms).toHaveLength(CLIENTS / 2 + 1);
    expect(match.rooms.every((room) => room.hasLeft)).toBe(true);
  });

  it("comes right after the ramp when nobody could join", async () => {
    const { time, finish } = begin(async () => {
      throw new RookeryError("ROOM_TYPE_UNKNOWN");
    });
    const startMs = time.now();
    const summary = await finish();
    expect(summary).toMatchObject({ joined: 0, steadySeconds: 0, errors: { ROOM_TYPE_UNKNOWN: CLIENTS } });
    expect(time.now() - startMs).toBeLessThanOrEqual(JOINED_MS + 500);
  });

  it("does not wait for clients that cannot leave", async () => {
    const { time, finish } = begin(async (match) => {
      const room = match.join();
      room.leave = () => new Promise(() => undefined);
      return room;
    });
    const startMs = time.now();
    await finish();
    const tookMs = time.now() - startMs - JOINED_MS - SETTLE_MS - DURATION_MS;
    expect(tookMs).toBeGreaterThanOrEqual(5_000);
    expect(tookMs).toBeLessThan(6_000);
  });

  it("lets a client leave that joins only then, and counts nothing that comes later", async () => {
    const joined = Promise.withResolvers<void>();
    const { time, match, abort, finish } = begin(async (match) => {
      await joined.promise;
      return match.join();
    });
    abort.abort();
    await time.advance(100);
    joined.resolve();
    expect(faultsOf(await finish())).toEqual(NO_FAULTS);
    expect(match.rooms.map((room) => room.hasLeft)).toEqual([true]);
  });

  it("counts no lost connections and errors once it is over", async () => {
    const { match, simulation, finish } = begin(async (match) => {
      const room = match.join();
      room.leave = async () => {
        room.drop(1006);
        room.emit("leave", 4503, "SERVER_SHUTTING_DOWN");
        return 4503;
      };
      return room;
    });
    expect(faultsOf(await finish())).toEqual(NO_FAULTS);
    expect(match.rooms).toHaveLength(CLIENTS);
    expect(simulation.connected).toBe(0);
  });
});

it("keeps so many joins under way and no more, and counts the wait for one as time to join", async () => {
  const time = new SimulatedTime();
  const match = new FakeMatch(time, 20);
  const waiting: (() => void)[] = [];
  const simulation = new Simulation({
    clients: 257,
    rampMs: 0,
    durationMs: 1_000,
    inputsPerSecond: 0,
    addedRoundTripMs: 0,
    scheduler: time,
    signal: new AbortController().signal,
    join: async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return match.join();
    },
  });
  const running = simulation.run();
  await time.advance(3_000);
  expect(waiting).toHaveLength(256);
  waiting[0]?.();
  await time.advance(1_000);
  expect(waiting).toHaveLength(257);
  for (const resolve of waiting) resolve();
  await time.advance(3_000);
  await running;
  const { joinMs } = summarise(simulation, "fake", 257);
  expect(joinMs.max).toBeCloseTo(4_000, -1);
});
