/** The estimate of the room's clock over simulated networks. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClockSync } from "../../../client-sim/sdk/clock-sync.ts";
import { CLIENT_LIMITS } from "../../../client-sim/sdk/limits.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { between } from "../../support/between.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

type Way = {
  readonly delayMs: number;
  readonly jitterMs: number;
  /** This part of what the server sends is held up for so long. */
  readonly heldShare?: number;
  readonly heldMs?: number;
};

/** A clock that pings a room over a network, as a connection does. */
class Simulation {
  readonly time = new SimulatedTime(1_000_000);
  readonly clock = new ClockSync(this.time);
  roomTimeAt: (nowMs: number) => number;
  way: Way;
  readonly #random: () => number;
  #pings = 0;

  constructor(roomTimeAt: (nowMs: number) => number, way: Way, random: () => number) {
    this.roomTimeAt = roomTimeAt;
    this.way = way;
    this.#random = random;
    this.#beat();
  }

  get errorMs(): number {
    return this.clock.now() - this.roomTimeAt(this.time.now());
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
  }

  #beat(): void {
    const sentAtMs = this.time.now();
    this.time.setTimeout(() => {
      const roomTimeMs = this.roomTimeAt(this.time.now());
      const { heldShare = 0, heldMs = 0 } = this.way;
      const backMs = this.#delayMs() + (this.#random() < heldShare ? heldMs : 0);
      this.time.setTimeout(() => this.clock.sample(sentAtMs, roomTimeMs), backMs);
    }, this.#delayMs());
    this.#pings += 1;
    const { burstPings, burstPingMs, pingMs } = CLIENT_LIMITS;
    this.time.setTimeout(() => this.#beat(), this.#pings < burstPings ? burstPingMs : pingMs);
  }

  #delayMs(): number {
    return this.way.delayMs + this.#random() * this.way.jitterMs;
  }
}

/** A short list of draws, repeated: enough to place delays anywhere, and easy to shrink. */
const randoms = fc.array(between(0, 1), { minLength: 1, maxLength: 40 }).map((draws) => {
  let drawn = 0;
  return () => draws[drawn++ % draws.length] ?? 0;
});

describe("the room's clock", () => {
  it("is exact when there is no jitter", async () => {
    const simulation = new Simulation(
      (nowMs) => nowMs - 12_345,
      { delayMs: 40, jitterMs: 0 },
      () => 0,
    );
    await simulation.advance(2_000);
    expect(simulation.errorMs).toBeCloseTo(0, 6);
    expect(simulation.clock.rttMs).toBe(80);
  });

  it("converges within 2 s to less than half of the jitter, whatever the delays, and never runs backwards", async () => {
    await fc.assert(
      fc.asyncProperty(between(0, 100), between(0, 80), randoms, async (delayMs, jitterMs, random) => {
        const simulation = new Simulation((nowMs) => nowMs + 777, { delayMs, jitterMs }, random);
        let last = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < 100; i++) {
          await simulation.advance(20);
          const now = simulation.clock.now();
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
        expect(Math.abs(simulation.errorMs)).toBeLessThanOrEqual(jitterMs / 2 + 0.01);
      }),
      { numRuns: 50 },
    );
  });

  describe.each([1, 2, 3])("at 100 +- 20 ms, with every fifth answer held up by 200 ms (seed %i)", (seed) => {
    const way = { delayMs: 80, jitterMs: 40, heldShare: 0.2, heldMs: 200 };

    it("is within the jitter after 2 s, though it began at a state a tenth of a second old", async () => {
      const { next } = createRandom(seed);
      const simulation = new Simulation((nowMs) => nowMs - 4_321, way, next);
      simulation.clock.anchor(simulation.roomTimeAt(simulation.time.now() - 100));
      await simulation.advance(2_000);
      expect(Math.abs(simulation.errorMs)).toBeLessThanOrEqual(20);
    });

    it.each([200e-6, -200e-6])("stays there for ten minutes while the clocks drift (%d)", async (drift) => {
      const { next } = createRandom(seed);
      const simulation = new Simulation((nowMs) => nowMs * (1 + drift), way, next);
      await simulation.advance(2_000);
      let last = simulation.clock.now();
      for (let i = 0; i < 6_000; i++) {
        await simulation.advance(100);
        // Half of what the jitter may hide, and what the clocks drift apart while the best sample is in use.
        expect(Math.abs(simulation.errorMs)).toBeLessThanOrEqual(20 + 4);
        const elapsedMs = simulation.clock.now() - last;
        expect(elapsedMs).toBeGreaterThanOrEqual(89);
        expect(elapsedMs).toBeLessThanOrEqual(111);
        last += elapsedMs;
      }
    });
  });

  it("takes the sample with the shortest round trip, until it is old", async () => {
    const time = new SimulatedTime(1_000);
    const clock = new ClockSync(time);
    const ping = async (thereMs: number, backMs: number): Promise<void> => {
      const sentAtMs = time.now();
      await time.advance(thereMs + backMs);
      clock.sample(sentAtMs, sentAtMs + thereMs);
    };
    await ping(200, 10);
    await ping(10, 10);
    await ping(10, 210);
    await ping(90, 10);
    expect(clock.rttMs).toBe(20);
    await time.advance(2_000);
    expect(clock.now()).toBeCloseTo(time.now(), 6);
    await ping(12, 12);
    expect(clock.rttMs).toBe(20);
    await time.advance(10_000);
    await ping(12, 12);
    expect(clock.rttMs).toBe(24);
  });

  it("follows a room whose clock runs at another speed", async () => {
    for (const drift of [200e-6, -200e-6]) {
      const simulation = new Simulation(
        (nowMs) => nowMs * (1 + drift),
        { delayMs: 30, jitterMs: 0 },
        () => 0,
      );
      for (let i = 0; i < 600; i++) {
        await simulation.advance(1_000);
        if (i > 2) expect(Math.abs(simulation.errorMs)).toBeLessThan(4);
      }
    }
  });

  it("is slewed and does not jump when the estimate changes a little", async () => {
    const simulation = new Simulation(
      (nowMs) => nowMs,
      { delayMs: 20, jitterMs: 0 },
      () => 0,
    );
    await simulation.advance(10_000);
    simulation.roomTimeAt = (nowMs) => nowMs - 30;
    simulation.clock.forgetSamples();
    let last = simulation.clock.now();
    for (let i = 0; i < 300; i++) {
      await simulation.advance(10);
      const elapsed = simulation.clock.now() - last;
      expect(elapsed).toBeGreaterThan(8.9);
      expect(elapsed).toBeLessThan(11.1);
      last += elapsed;
    }
    expect(simulation.errorMs).toBeCloseTo(0, 6);
  });

  it("stands still while it is far ahead, as after a room was down", async () => {
    const simulation = new Simulation(
      (nowMs) => nowMs,
      { delayMs: 20, jitterMs: 0 },
      () => 0,
    );
    await simulation.advance(10_000);
    const before = simulation.clock.now();
    simulation.roomTimeAt = (nowMs) => nowMs - 3_000;
    simulation.clock.forgetSamples();
    let last = before;
    for (let i = 0; i < 60; i++) {
      await simulation.advance(100);
      const now = simulation.clock.now();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    expect(simulation.errorMs).toBeCloseTo(0, 6);
  });

  it("begins at the first state, and anew with another room", async () => {
    const time = new SimulatedTime(500);
    const clock = new ClockSync(time);
    expect([clock.now(), clock.rttMs]).toEqual([0, 0]);
    clock.anchor(9_000);
    await time.advance(100);
    expect(clock.now()).toBe(9_100);
    clock.anchor(1);
    expect(clock.now()).toBe(9_100);
    expect(clock.sample(560, 9_120)).toBe(40);
    clock.reset();
    clock.anchor(5);
    expect([clock.now(), clock.rttMs]).toEqual([5, 0]);
  });
});
