/** Shots are judged by what the shooter saw, within a limit: the rule of `server/games/arena/history.ts`. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  forget,
  MOMENTS_MAX,
  type Moment,
  remember,
  rewound,
  spansSince,
} from "../../../server/games/arena/history.ts";
import { canSee } from "../../../server/games/arena/steering.ts";
import type { Point } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { act, createArena, type Driver, IDLE, place, player, RIGHT, SHOOT, tickFor } from "./arena-driver.ts";

const UP = { ...IDLE, dy: -127 };
const FULL_SPEED_TICKS = 5;

describe("a shot at somebody who runs", () => {
  let arena: Driver;
  /** Where Ben was, by room time. */
  let places: Map<number, Point>;
  beforeEach(async () => {
    arena = await createArena({ seed: 5 });
    for (const id of ["anna", "ben"]) arena.join(id);
    places = new Map();
  });

  /** Ben runs until Anna, to whom he is shown as he was `agoMs` before, sees what she waits for. */
  function runUntil(input: typeof RIGHT, agoMs: number, isTime: (seen: Point) => boolean): Point {
    for (let tick = 0; tick < 200; tick++) {
      arena.tick([act(arena, "ben", input)]);
      const { x, y } = player(arena, "ben");
      places.set(arena.nowMs, { x, y });
      // Her input comes in with the next tick.
      const seen = placeAt(arena.nowMs + 50 - agoMs);
      if (tick >= FULL_SPEED_TICKS && seen !== undefined && isTime(seen)) return seen;
    }
    throw new Error("it did not happen within 200 ticks");
  }

  /** As a client interpolates. */
  function placeAt(atMs: number): Point | undefined {
    const beforeMs = Math.floor(atMs / 50) * 50;
    const before = places.get(beforeMs);
    const after = places.get(beforeMs + 50) ?? before;
    if (before === undefined || after === undefined) return undefined;
    const part = (atMs - beforeMs) / 50;
    return { x: before.x + (after.x - before.x) * part, y: before.y + (after.y - before.y) * part };
  }

  /** Anna shoots once, Ben runs on. @returns whether she hits him */
  function shoot(input: typeof RIGHT, aim: number, seenAtMs: number): boolean {
    arena.tick([act(arena, "ben", input), act(arena, "anna", { ...SHOOT, aim, seenAtMs })]);
    for (let i = 0; i < 20; i++) arena.tick([act(arena, "ben", input)]);
    return player(arena, "ben").hp < RULES.hpMax;
  }

  function aimAt(to: Point): number {
    const { x, y } = player(arena, "anna");
    return Math.atan2(to.y - y, to.x - x);
  }

  /** Where a shot fired now meets who is seen at a place and runs on from there. */
  function leadOf(seen: Point, vx: number, vy: number): Point {
    const { x, y } = player(arena, "anna");
    let meeting = seen;
    for (let round = 0; round < 20; round++) {
      const seconds = Math.hypot(meeting.x - x, meeting.y - y) / RULES.shotSpeed;
      meeting = { x: seen.x + vx * seconds, y: seen.y + vy * seconds };
    }
    return meeting;
  }

  type Case = { agoMs: number; claimedAgoMs?: number };

  /** Ben runs along the upper border, close to Anna, who aims at exactly what she sees. */
  function passingBy({ agoMs, claimedAgoMs = agoMs }: Case): boolean {
    place(arena, "anna", 1000, 110);
    place(arena, "ben", 700, 40);
    const seen = runUntil(RIGHT, agoMs, ({ x }) => x >= 985);
    expect(player(arena, "ben").vx).toBe(RULES.speedMax);
    return shoot(RIGHT, aimAt(seen), Math.max(0, arena.nowMs + 50 - claimedAgoMs));
  }

  /** The same from afar: she aims ahead of what she sees, by as much as the shot takes to get there. */
  function farAway({ agoMs, claimedAgoMs = agoMs }: Case): boolean {
    place(arena, "anna", 1000, 360);
    place(arena, "ben", 600, 40);
    const seen = runUntil(RIGHT, agoMs, ({ x }) => x >= 900);
    return shoot(RIGHT, aimAt(leadOf(seen, RULES.speedMax, 0)), arena.nowMs + 50 - claimedAgoMs);
  }

  it.each([50, 100, 130, 180, 250])("hits what is seen %i ms late, close by", (agoMs) => {
    expect(passingBy({ agoMs })).toBe(true);
    expect(player(arena, "anna").score).toBe(RULES.scorePerHit);
  });

  it.each([50, 100, 130, 180, 250])("hits what is seen %i ms late, from afar and with lead", (agoMs) => {
    expect(farAway({ agoMs })).toBe(true);
  });

  it.each([100, 130, 180, 250])("would miss what is seen %i ms late if it flew in the present", (agoMs) => {
    expect(passingBy({ agoMs, claimedAgoMs: 0 })).toBe(false);
  });

  it.each([100, 250])("would miss what is seen %i ms late from afar if it flew in the present", (agoMs) => {
    expect(farAway({ agoMs, claimedAgoMs: 0 })).toBe(false);
  });

  it("misses what is seen later than the limit, whatever is claimed", () => {
    expect(passingBy({ agoMs: RULES.rewindMsMax + 150 })).toBe(false);
  });

  it("hits who was seen in the open, and has gone behind a wall since", () => {
    // A wall ends at y 450, and is between x 250 and 300.
    place(arena, "anna", 270, 490);
    place(arena, "ben", 340, 600);
    const seen = runUntil(UP, 250, ({ y }) => y <= 441);
    const anna = player(arena, "anna");
    expect(canSee(anna, leadOf(seen, 0, -RULES.speedMax))).toBe(true);
    expect(canSee(anna, player(arena, "ben"))).toBe(false);
    expect(shoot(UP, aimAt(leadOf(seen, 0, -RULES.speedMax)), arena.nowMs + 50 - 250)).toBe(true);
  });

  it("does not hit who was behind a wall, and has come into the open since", () => {
    place(arena, "anna", 200, 500);
    place(arena, "ben", 350, 360);
    const seen = runUntil({ ...UP, dy: 127 }, 250, ({ y }) => y >= 400);
    expect(player(arena, "ben").y).toBeGreaterThan(450);
    expect(shoot({ ...UP, dy: 127 }, aimAt(seen), arena.nowMs + 50 - 250)).toBe(false);
  });
});

describe("a shot from the past", () => {
  let arena: Driver;
  beforeEach(async () => {
    arena = await createArena({ seed: 5 });
    arena.join("anna");
    arena.join("ben");
    place(arena, "anna", 100, 60);
    place(arena, "ben", 300, 60);
    tickFor(arena, 1000);
  });

  /** The shot Anna has fired last. */
  function lastShot() {
    const shot = [...arena.state.shots.values()].at(-1);
    if (shot === undefined) throw new Error("no shot");
    return shot;
  }

  it("begins where the shooter is, no earlier than the limit, and has flown on", () => {
    arena.tick([act(arena, "anna", { ...SHOOT, aim: Math.PI / 2, seenAtMs: 0 })]);
    expect(lastShot()).toMatchObject({ x: 100, y: 60, firedAtMs: arena.nowMs - RULES.rewindMsMax });
    tickFor(arena, 500);
    arena.tick([act(arena, "anna", { ...SHOOT, aim: Math.PI / 2, seenAtMs: arena.nowMs - 40 })]);
    expect(lastShot()).toMatchObject({ x: 100, y: 60, firedAtMs: arena.nowMs - 90 });
    tickFor(arena, 500);
    arena.tick([act(arena, "anna", { ...SHOOT, aim: Math.PI / 2, seenAtMs: 2 ** 32 - 1 })]);
    expect(lastShot().firedAtMs).toBe(arena.nowMs);
  });

  it("hits at once whom it has reached by now, once, and tells where that was", () => {
    arena.tick([act(arena, "anna", { ...SHOOT, seenAtMs: 0 })]);
    const reachMs = ((200 - RULES.playerRadius - RULES.shotRadius) / RULES.shotSpeed) * 1000;
    expect(player(arena, "ben").hp).toBe(RULES.hpMax - RULES.hitDamage);
    expect(lastShot().lifeMs).toBe(Math.floor(reachMs));
    tickFor(arena, 1000);
    expect(player(arena, "ben").hp).toBe(RULES.hpMax - RULES.hitDamage);
  });

  it("is judged once at every time: who walks into its way behind it is not hit", () => {
    place(arena, "ben", 200, 100);
    tickFor(arena, 1000);
    arena.tick([act(arena, "anna", { ...SHOOT, seenAtMs: 0 })]);
    for (let i = 0; i < 20; i++) arena.tick([act(arena, "ben", UP)]);
    expect(player(arena, "ben")).toMatchObject({ y: RULES.playerRadius, hp: RULES.hpMax });
  });

  it("passes the dead, who were alive when it was fired", () => {
    player(arena, "ben").hp = 0;
    arena.tick([act(arena, "anna", { ...SHOOT, seenAtMs: 0 })]);
    tickFor(arena, 600);
    expect(player(arena, "anna").score).toBe(0);
    expect(lastShot().lifeMs).toBe(RULES.shotLifetimeMs);
  });

  it("passes who was not there yet", () => {
    arena.leave("ben");
    arena.join("carl");
    place(arena, "carl", 200, 60);
    arena.tick([act(arena, "anna", { ...SHOOT, seenAtMs: 0 })]);
    tickFor(arena, 600);
    expect(player(arena, "carl").hp).toBe(RULES.hpMax);
  });

  it("does not hit who has respawned on a way nobody went", () => {
    player(arena, "ben").hp = RULES.hitDamage;
    arena.tick([act(arena, "anna", { ...SHOOT, seenAtMs: 0 })]);
    expect(player(arena, "ben").hp).toBe(0);
    // The room stands still for longer than it takes to respawn: no tick saw Ben dead.
    const old = { x: 300, y: 60 };
    arena.nowMs += 3000;
    arena.fireTimers();
    const spawn = player(arena, "ben");
    expect(spawn.hp).toBe(RULES.hpMax);
    const part = 2750 / 3000;
    const ghost = { x: old.x + (spawn.x - old.x) * part, y: old.y + (spawn.y - old.y) * part };
    place(arena, "anna", ghost.x, ghost.y);
    const aim = Math.atan2(old.y - spawn.y, old.x - spawn.x);
    arena.tick([act(arena, "anna", { ...SHOOT, aim, seenAtMs: 0 })], 0);
    expect(player(arena, "ben").hp).toBe(RULES.hpMax);
  });
});

describe("the history of places", () => {
  const moment = (atMs: number, places: Record<string, Point>): Moment => ({
    atMs,
    places: new Map(Object.entries(places)),
  });
  const at = (x: number): Point => ({ x, y: 0 });

  it("is bounded, and goes back as far as shots do", () => {
    const history: Moment[] = [];
    const tickMs = 1000 / RULES.ticksPerSecond;
    for (let tick = 0; tick < 1000; tick++) remember(history, moment(tick * tickMs, {}));
    expect(history).toHaveLength(MOMENTS_MAX);
    expect(history.at(-1)?.atMs).toBe(999 * tickMs);
    expect(history[0]?.atMs).toBeLessThanOrEqual(999 * tickMs - RULES.rewindMsMax);
    expect(MOMENTS_MAX).toBeLessThanOrEqual(16);
    // As many spans as the limit takes, and no more.
    expect(spansSince(history, 999 * tickMs - RULES.rewindMsMax)).toHaveLength(RULES.rewindMsMax / tickMs);
  });

  it("tells the ways of those who were there at both ends", () => {
    const history = [
      moment(100, { anna: at(0), ben: at(10) }),
      moment(150, { anna: at(1), carl: at(20) }),
      moment(150, { anna: at(1), carl: at(20) }),
      moment(200, { anna: at(2), carl: at(21) }),
    ];
    const anna = { sessionId: "anna", from: at(0), to: at(1) };
    const spans = [
      { fromMs: 100, toMs: 150, targets: [anna] },
      {
        fromMs: 150,
        toMs: 200,
        targets: [
          { sessionId: "anna", from: at(1), to: at(2) },
          { sessionId: "carl", from: at(20), to: at(21) },
        ],
      },
    ];
    expect(spansSince(history, 0)).toEqual(spans);
    expect(spansSince(history, 149)).toEqual(spans);
    expect(spansSince(history, 150)).toEqual(spans.slice(1));
    expect(spansSince(history, 200)).toEqual([]);
    forget(history, "anna");
    expect(spansSince(history, 0).map(({ targets }) => targets.map(({ sessionId }) => sessionId))).toEqual([
      [],
      ["carl"],
    ]);
  });

  it("is entered between the limit and now", () => {
    expect(rewound(0, 1000)).toBe(1000 - RULES.rewindMsMax);
    expect(rewound(900, 1000)).toBe(900);
    expect(rewound(1001, 1000)).toBe(1000);
    expect(rewound(0, 100)).toBe(0);
  });
});
