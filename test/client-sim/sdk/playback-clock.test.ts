/** Which moment is drawn, over networks good and bad; and the percentile it goes by. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlaybackClock } from "../../../client-sim/sdk/playback-clock.ts";
import { RecentPercentile } from "../../../client-sim/sdk/recent-percentile.ts";
import { StateFeed } from "../../../client-sim/sdk/state-feed.ts";
import { between } from "../../support/between.ts";

const TICK_MS = 50;
const FRAME_MS = 10;
const START_MS = 1_000_000;

/** States of a room that began at START_MS, and the frames of one who watches it. */
class Playback {
  readonly clock: PlaybackClock;
  readonly #feed = new StateFeed((error) => {
    throw error;
  });
  #nowMs = START_MS;
  #newestMs = 0;
  /** Room time of each frame. */
  readonly frames: number[] = [];

  constructor() {
    this.clock = new PlaybackClock(this.#feed, 0, START_MS);
  }

  state(roomTimeMs: number, receivedAtMs: number, snapshot = false): void {
    this.frameUntil(receivedAtMs);
    this.#newestMs = roomTimeMs;
    this.#feed.tellState({ tick: 0, ack: 0, bytes: 0, roomTimeMs, receivedAtMs, snapshot });
  }

  newSession(): void {
    this.#feed.tellNewSession();
  }

  frameUntil(untilMs: number): void {
    for (; this.#nowMs + FRAME_MS <= untilMs; this.#nowMs += FRAME_MS) {
      const before = this.clock.shownMs;
      const shown = this.clock.advance(this.#nowMs + FRAME_MS);
      expect(shown).toBeGreaterThanOrEqual(before);
      expect(shown).toBeLessThanOrEqual(this.#newestMs);
      this.frames.push(shown);
    }
  }

  /** A state for each tick, each so much later than its time, but never before the one before it. */
  play(ticks: number, lateMs: (tick: number) => number, firstTick = 1): void {
    let receivedAtMs = START_MS;
    for (let tick = firstTick; tick < firstTick + ticks; tick++) {
      receivedAtMs = Math.max(receivedAtMs, START_MS + tick * TICK_MS + lateMs(tick));
      this.state(tick * TICK_MS, receivedAtMs);
    }
  }

  /** How far what is shown is behind the room now. */
  get behindMs(): number {
    return this.#nowMs - START_MS - this.clock.shownMs;
  }

  /** How far time ran from frame to frame, of the last so many. */
  ranMs(frames: number): number[] {
    const last = this.frames.slice(-frames - 1);
    return last.slice(1).map((shown, i) => shown - (last[i] ?? 0));
  }
}

describe("the time shown", () => {
  it("is one tick behind what arrives when nothing is ever late", () => {
    const playback = new Playback();
    playback.play(200, () => 40);
    expect(playback.behindMs).toBeGreaterThanOrEqual(TICK_MS + 40);
    expect(playback.behindMs).toBeLessThanOrEqual(TICK_MS + 40 + FRAME_MS);
    for (const ran of playback.ranMs(500)) expect(ran).toBeCloseTo(FRAME_MS, 1);
  });

  it("falls back in a moment when updates come late, and recovers slowly", () => {
    const playback = new Playback();
    playback.play(200, () => 40);
    playback.play(100, (tick) => (tick % 2 === 0 ? 160 : 40), 201);
    // So late that even those are there in time, after 5 s and no pause in the last 3.
    expect(playback.behindMs).toBeGreaterThanOrEqual(TICK_MS + 160);
    expect(Math.min(...playback.ranMs(300))).toBeGreaterThan(0);
    // They are remembered for 5 s; then it runs faster, by less than can be seen.
    playback.play(60, () => 40, 301);
    expect(playback.behindMs).toBeGreaterThanOrEqual(TICK_MS + 160);
    playback.play(200, () => 40, 361);
    expect(playback.behindMs).toBeLessThan(TICK_MS + 40 + 2 * FRAME_MS);
    expect(Math.max(...playback.ranMs(1_300))).toBeLessThanOrEqual(FRAME_MS * 1.05 + 1e-6);
  });

  it("does not care for a single update that comes late", () => {
    const playback = new Playback();
    playback.play(100, () => 40);
    playback.play(100, (tick) => (tick === 150 ? 90 : 40), 101);
    expect(playback.behindMs).toBeLessThanOrEqual(TICK_MS + 40 + FRAME_MS);
  });

  it("stands still when nothing comes, and goes on where it was", () => {
    const playback = new Playback();
    playback.play(100, () => 40);
    playback.frameUntil(START_MS + 100 * TICK_MS + 40 + 300);
    expect(playback.clock.shownMs).toBe(100 * TICK_MS);
    playback.play(20, () => 40, 107);
    expect(Math.max(...playback.ranMs(20))).toBeLessThanOrEqual(FRAME_MS * 1.05 + 1e-6);
  });

  it("jumps ahead when it has fallen a second behind, as after a broken connection", () => {
    const playback = new Playback();
    playback.play(100, () => 40);
    playback.state(15_000, START_MS + 15_040, true);
    playback.play(100, () => 40, 301);
    expect(playback.clock.shownMs).toBeGreaterThan(19_000 - TICK_MS);
    // The break itself says nothing of how late updates are.
    expect(playback.behindMs).toBeLessThan(1_100);
  });

  it("is never before what is kept", () => {
    const playback = new Playback();
    playback.play(100, () => 40);
    expect(playback.clock.horizonMs).toBe(playback.clock.shownMs);
    // No frames for a while, as in a hidden page.
    const hidden = new Playback();
    const feed = hidden.clock;
    for (let tick = 1; tick <= 100; tick++) hidden.state(tick * TICK_MS, START_MS);
    expect(feed.horizonMs).toBe(4_000);
    expect(feed.advance(START_MS)).toBe(4_000);
  });

  it("begins anew with another session", () => {
    const playback = new Playback();
    playback.play(100, () => 40);
    playback.newSession();
    const before = playback.clock.shownMs;
    expect(playback.clock.advance(START_MS + 6_000)).toBe(before);
    playback.state(7, START_MS + 6_000, true);
    expect(playback.clock.shownMs).toBe(7);
  });

  it("never runs backwards, ahead of what is known or a second behind it, whatever the network", () => {
    const lateness = fc.array(between(0, 2_000), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(lateness, fc.integer({ min: 1, max: 200 }), (late, ticks) => {
        // `frameUntil` checks the first two with every frame.
        const playback = new Playback();
        playback.play(ticks, (tick) => late[tick % late.length] ?? 0);
        const newestMs = ticks * TICK_MS;
        playback.frameUntil(START_MS + newestMs + 2_100);
        expect(playback.clock.shownMs).toBeGreaterThanOrEqual(newestMs - 1_000);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a recent percentile", () => {
  it("is that of the values in the window", () => {
    const steps = fc.array(
      fc.record({ value: fc.integer({ min: -50, max: 50 }), afterMs: fc.nat({ max: 40 }) }),
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(0.5, 0.95, 1), (added, share) => {
        const [windowMs, valuesMax] = [100, 8];
        const percentile = new RecentPercentile(share, windowMs, valuesMax);
        expect(percentile.value).toBeUndefined();
        const all: { value: number; atMs: number }[] = [];
        let atMs = 0;
        for (const { value, afterMs } of added) {
          atMs += afterMs;
          all.push({ value, atMs });
          percentile.add(value, atMs);
          const recent = all.slice(-valuesMax).filter((one) => atMs - one.atMs < windowMs);
          const sorted = recent.map((one) => one.value).sort((a, b) => a - b);
          expect(percentile.value).toBe(sorted[Math.ceil(share * sorted.length) - 1]);
        }
        percentile.clear();
        expect(percentile.value).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
