/** The arena's bots: when they come and go, and how they play. */
import { describe, expect, it } from "vitest";
import {
  type Decision,
  decide,
  freshMind,
  type Mind,
  type Visible,
} from "../../../server/games/arena/bot.ts";
import { canSee, canWalk, distance, steer, WAYPOINTS } from "../../../server/games/arena/steering.ts";
import { Arena } from "../../../server/games/arena.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { overlap } from "../../../shared/games/arena/collide.ts";
import { WALLS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState } from "../../../shared/games/arena/schema.ts";
import { describe as describeSchema, Mirror } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { RoomDriver } from "../../support/room-driver.ts";
import {
  act,
  createArena,
  type Driver,
  IDLE,
  place,
  player,
  SHOOT,
  TICK_MS,
  tickFor,
} from "./arena-driver.ts";

function bots(arena: Driver) {
  return [...arena.state.players].filter(([, { isBot }]) => isBot);
}

/** Players and bots. */
function counts(arena: Driver) {
  return [arena.state.players.size - bots(arena).length, bots(arena).length];
}

describe("bots in the arena", () => {
  it("fill the room up, leave as players come, and come back as they leave", async () => {
    const arena: Driver = await RoomDriver.create(Arena, ArenaState);
    const seen: string[] = [];
    for (let i = 1; i <= 6; i++) {
      arena.join(`s${i}`);
      seen.push(counts(arena).join("+"));
    }
    for (let i = 1; i <= 4; i++) {
      arena.leave(`s${i}`);
      seen.push(counts(arena).join("+"));
    }
    expect(seen.join(" ")).toBe("1+3 2+2 3+1 4+0 5+0 6+0 5+0 4+0 3+1 2+2");
  });

  it("that came first stay longest", async () => {
    const arena = await createArena({ bots: 4 });
    arena.join("anna");
    const [first, second] = bots(arena).map(([id]) => id);
    arena.join("ben");
    expect(bots(arena).map(([id]) => id)).toEqual([first, second]);
  });

  it("stay away while a dropped player's seat is kept", async () => {
    const arena = await createArena({ bots: 4 });
    for (const id of ["anna", "ben", "carl", "dora"]) arena.join(id);
    arena.step({ type: "dropped", sessionId: "anna" });
    expect(counts(arena)).toEqual([4, 0]);
  });

  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [RULES.botsFillToMax, RULES.botsFillToMax - 1],
    [RULES.botsFillToMax + 1, RULES.botsFillTo - 1],
    [-1, RULES.botsFillTo - 1],
    [2.5, RULES.botsFillTo - 1],
    ["2", RULES.botsFillTo - 1],
    [null, RULES.botsFillTo - 1],
  ])("with the option %j make %i beside one player", async (option, expected) => {
    const arena = await createArena({ bots: option });
    arena.join("anna", { bots: 5 });
    expect(counts(arena)).toEqual([1, expected]);
  });

  it("hold no seats: as many players as ever find room, and are told apart", async () => {
    const arena = await createArena({ bots: RULES.botsFillToMax });
    for (let i = 0; i < RULES.playersMax; i++) {
      arena.join(`s${i}`);
      expect(new Set(Array.from(arena.state.players.values(), ({ colour }) => colour)).size).toBe(
        arena.state.players.size,
      );
    }
    expect(counts(arena)).toEqual([RULES.playersMax, 0]);
    // The last slots are still taken when bots come back.
    for (let i = 0; i < RULES.playersMax - 3; i++) arena.leave(`s${i}`);
    arena.join("late");
    const players = [...arena.state.players.values()];
    expect(counts(arena)).toEqual([4, 4]);
    expect(new Set(players.map(({ colour }) => colour)).size).toBe(8);
    expect(Math.max(...players.map(({ colour }) => colour))).toBeLessThan(RULES.playersMax);
    expect(new Set(bots(arena).map(([, { name }]) => name)).size).toBe(4);
  });

  it("are not counted in the room's description", async () => {
    const arena = await createArena({ bots: 4 });
    arena.join("anna");
    tickFor(arena, 2500);
    expect(arena.runtime.listing.metadata).toMatchObject({ players: 1 });
  });

  it("run, turn and shoot within the rules, die and come back, and never stand about", async () => {
    const arena = await createArena({ seed: 3, bots: RULES.botsFillToMax });
    arena.join("anna");
    const moved = new Map<string, { x: number; y: number; atMs: number }>();
    const shotAt = new Map<object, number>();
    const known = new Set<string>();
    let kills = 0;
    let respawns = 0;
    for (let tick = 0; tick < 60 * RULES.ticksPerSecond; tick++) {
      const before = new Map(bots(arena).map(([id, { x, y, hp }]) => [id, { x, y, hp }]));
      arena.tick([], tick % 10 === 0 ? 70 : TICK_MS);
      for (const [id, bot] of bots(arena)) {
        const { x, y, hp } = before.get(id) ?? bot;
        if (hp === 0 && bot.hp > 0) respawns += 1;
        if (hp === 0 || bot.hp === 0) {
          moved.delete(id);
          continue;
        }
        expect(distance(bot, { x, y })).toBeLessThanOrEqual(0.101 * RULES.speedMax);
        for (const wall of WALLS) expect(overlap(wall, bot.x, bot.y, RULES.playerRadius - 1)).toBeUndefined();
        const last = moved.get(id);
        if (last === undefined || distance(last, bot) > 60) moved.set(id, { x, y, atMs: arena.nowMs });
        expect(arena.nowMs - (moved.get(id)?.atMs ?? 0)).toBeLessThan(6000);
      }
      for (const [key, shot] of arena.state.shots) {
        if (known.has(key) || shot.by === undefined) continue;
        known.add(key);
        expect(shot.firedAtMs - (shotAt.get(shot.by) ?? -1000)).toBeGreaterThanOrEqual(RULES.shotCooldownMs);
        shotAt.set(shot.by, shot.firedAtMs);
      }
      for (const { type, payload } of arena.sent) {
        if (type !== "kill") continue;
        kills += 1;
        expect(payload).toMatchObject({ by: expect.stringMatching(/^bot-/) });
      }
    }
    expect(kills).toBeGreaterThan(5);
    expect(respawns).toBeGreaterThan(3);
    expect(shotAt.size).toBe(bots(arena).length);
    const scored = bots(arena).reduce((sum, [, bot]) => sum + bot.kills, 0);
    expect(scored).toBe(kills);
  });

  it("are as fast as ever when ticks are late", async () => {
    const arena = await createArena({ seed: 3, bots: 2 });
    arena.join("anna");
    const [entry] = bots(arena);
    let fastest = 0;
    for (let tick = 0; tick < 50; tick++) {
      const { x, y } = entry?.[1] ?? { x: 0, y: 0 };
      arena.tick([], 2 * TICK_MS);
      fastest = Math.max(fastest, distance(entry?.[1] ?? { x, y }, { x, y }));
    }
    expect(fastest).toBeGreaterThan((0.9 * RULES.speedMax * 2 * TICK_MS) / 1000);
  });

  it("lose against a player who circles and shoots at what it sees", async () => {
    const arena = await createArena({ seed: 1, bots: 4 });
    arena.join("anna");
    for (let tick = 0; tick < 120 * RULES.ticksPerSecond; tick++) {
      const self = player(arena, "anna");
      const enemy = bots(arena).find(
        ([, bot]) => bot.hp > 0 && distance(self, bot) < 600 && canSee(self, bot),
      );
      let input = IDLE;
      if (enemy !== undefined) {
        const aim = Math.atan2(enemy[1].y - self.y, enemy[1].x - self.x);
        const side = Math.floor(tick / 12) % 2 === 0 ? 127 : -127;
        const dx = Math.round(-Math.sin(aim) * side);
        const dy = Math.round(Math.cos(aim) * side);
        input = { ...SHOOT, aim, dx, dy, shoot: tick % 8 === 0 };
      }
      arena.tick([act(arena, "anna", input)]);
    }
    const { kills, deaths } = player(arena, "anna");
    expect(kills).toBeGreaterThan(deaths);
    // And yet they are a danger.
    expect(deaths).toBeGreaterThan(0);
  });

  it("hit a player who stands still in the open, though not with every shot", async () => {
    const arena = await createArena({ seed: 2, bots: 2 });
    arena.join("anna");
    const [id] = bots(arena)[0] ?? ["none"];
    let shots = 0;
    let hits = 0;
    place(arena, "anna", 900, 110);
    place(arena, id, 1200, 110);
    for (let tick = 0; tick < 1200; tick++) {
      const before = [...arena.state.shots.keys()].at(-1);
      arena.tick();
      const last = [...arena.state.shots.keys()].at(-1);
      if (last !== undefined && last !== before) shots += 1;
      hits += (RULES.hpMax - player(arena, "anna").hp) / RULES.hitDamage;
      player(arena, "anna").hp = RULES.hpMax;
    }
    expect(hits).toBeGreaterThan(shots * 0.2);
    expect(hits).toBeLessThan(shots * 0.9);
    expect(shots).toBeGreaterThan(20);
  });

  it("are the same to the byte when the same happens again, and clients mirror it", async () => {
    const arena = await createArena({ seed: 99, bots: 6 });
    const mirror = new Mirror(describeSchema(ArenaState));
    mirror.applySnapshot(arena.runtime.encoder.snapshot());
    const script = createRandom(4);
    const pick = (count: number) => Math.floor(script.next() * count);
    let kills = 0;
    for (const id of ["s0", "s1"]) mirror.applyPatch(arena.join(id).change.patch);
    for (let tick = 0; tick < 600; tick++) {
      const incoming: RoomEvent[] = [];
      for (const id of ["s0", "s1"]) {
        const seenAtMs = Math.max(0, Math.floor(arena.nowMs) - pick(400));
        incoming.push(
          act(arena, id, { ...SHOOT, dx: pick(255) - 127, dy: pick(255) - 127, aim: pick(6) - 3, seenAtMs }),
        );
      }
      if (tick % 90 === 40) incoming.push({ type: "joined", sessionId: `t${tick}`, options: {}, auth: null });
      if (tick % 90 === 80)
        incoming.push({ type: "left", sessionId: `t${tick - 40}`, consented: tick % 4 === 0 });
      mirror.applyPatch(arena.tick(incoming, 40 + script.next() * 30).change.patch);
      expect(mirror.hash()).toBe(arena.runtime.encoder.hash());
      kills += arena.sent.filter(({ type }) => type === "kill").length;
    }
    expect(kills).toBeGreaterThan(2);
    expect(arena.replay()).toEqual(arena.trace);
  });
});

describe("a bot", () => {
  const self: Visible = { x: 900, y: 110, vx: 0, vy: 0, hp: RULES.hpMax };
  /** In sight of it, 300 to the right. */
  const enemy: Visible = { ...self, x: 1200 };
  const random = createRandom(11);

  function decideAt(mind: Mind, nowMs: number, players: Record<string, Visible>): Decision {
    const me = players.me ?? self;
    const all = new Map(Object.entries({ ...players, me }));
    return decide(mind, me, { sessionId: "me", nowMs, players: all, random: () => random.next() });
  }

  it("takes its time from seeing an enemy to shooting, and between shots", () => {
    const firsts: number[] = [];
    for (let trial = 0; trial < 50; trial++) {
      const mind = freshMind();
      const shots: number[] = [];
      for (let nowMs = 1000; nowMs < 5000; nowMs += 10)
        if (decideAt(mind, nowMs, { enemy }).shoot) shots.push(nowMs);
      firsts.push((shots[0] ?? 0) - 1000);
      for (const [i, atMs] of shots.slice(1).entries())
        expect(atMs - (shots[i] ?? 0)).toBeGreaterThanOrEqual(450);
      expect(shots.length).toBeGreaterThan(3);
    }
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...firsts)).toBeLessThanOrEqual(610);
  });

  it("aims at the enemy, with errors to both sides that stay small", () => {
    const errors: number[] = [];
    for (let trial = 0; trial < 300; trial++) errors.push(decideAt(freshMind(), 1000, { enemy }).aim);
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.16);
    expect(Math.max(...errors)).toBeGreaterThan(0.08);
    expect(Math.min(...errors)).toBeGreaterThanOrEqual(-0.16);
    expect(Math.min(...errors)).toBeLessThan(-0.08);
  });

  it("aims to the left within what an input can hold", () => {
    for (let trial = 0; trial < 100; trial++) {
      const { aim } = decideAt(freshMind(), 1000, { enemy: { ...self, x: 600 } });
      expect(Math.abs(aim)).toBeLessThanOrEqual(Math.PI);
      expect(Math.abs(aim)).toBeGreaterThan(Math.PI - 0.17);
    }
  });

  it("goes to places that it can reach in a straight line, here and there", () => {
    const goals = new Set<unknown>();
    for (let trial = 0; trial < 100; trial++) {
      const mind = freshMind();
      const { dx, dy, aim, shoot } = decideAt(mind, 1000, {});
      const goal = mind.goal ?? self;
      expect(canWalk(self, goal)).toBe(true);
      const heading = Math.atan2(goal.y - self.y, goal.x - self.x);
      expect(aim).toBeCloseTo(heading);
      expect([dx, dy]).toEqual([Math.cos(heading), Math.sin(heading)].map((part) => Math.round(part * 127)));
      expect(shoot).toBe(false);
      goals.add(goal);
    }
    expect(goals.size).toBeGreaterThan(4);
  });

  it("aims ahead of an enemy that runs", () => {
    const aims = Array.from(
      { length: 300 },
      () => decideAt(freshMind(), 1000, { enemy: { ...enemy, vy: 250 } }).aim,
    );
    const mean = aims.reduce((sum, aim) => sum + aim, 0) / aims.length;
    expect(mean).toBeGreaterThan(0.08);
    expect(mean).toBeLessThan((250 / RULES.shotSpeed) * 1.0);
  });

  it("takes no notice of the dead, of those far away and of those behind walls", () => {
    const hidden: Visible = { ...self, x: 350, y: 350 };
    for (const other of [
      { ...enemy, hp: 0 },
      { ...enemy, x: 1700 },
    ]) {
      const mind = freshMind();
      for (let nowMs = 0; nowMs < 5000; nowMs += 50) {
        expect(decideAt(mind, nowMs, { other }).shoot).toBe(false);
        expect(mind.enemy).toBeUndefined();
      }
    }
    const mind = freshMind();
    decideAt(mind, 0, { me: { ...self, x: 200, y: 350 }, hidden });
    expect(mind.enemy).toBeUndefined();
    decideAt(mind, 1000, { me: { ...self, x: 420, y: 350 }, hidden });
    expect(mind.enemy).toBe("hidden");
  });

  it("turns to the nearest of its enemies, and to another when that one dies", () => {
    const mind = freshMind();
    const far = { ...enemy, x: 1400 };
    decideAt(mind, 0, { far, enemy });
    expect(mind.enemy).toBe("enemy");
    decideAt(mind, 500, { enemy, far });
    expect(mind.enemy).toBe("enemy");
    decideAt(mind, 1000, { far, enemy: { ...enemy, hp: 0 } });
    expect(mind.enemy).toBe("far");
  });

  it("goes up to an enemy far away, around one near by, and back from one too close", () => {
    const dxAt = (away: number) => decideAt(freshMind(), 0, { enemy: { ...self, x: self.x + away } }).dx;
    expect(dxAt(500)).toBeGreaterThan(90);
    expect(Math.abs(dxAt(270))).toBeLessThan(40);
    expect(dxAt(100)).toBeLessThan(-40);
  });

  it("runs for a while when a hit leaves it hurt", () => {
    const mind = freshMind();
    expect(decideAt(mind, 0, { enemy: { ...enemy, x: 1400 } }).dx).toBeGreaterThan(0);
    const hurt = { ...self, hp: 50 };
    const far = { ...enemy, x: 1400 };
    expect(decideAt(mind, 1000, { me: hurt, enemy: far }).dx).toBeLessThan(0);
    expect(decideAt(mind, 2400, { me: hurt, enemy: far }).dx).toBeLessThan(0);
    expect(decideAt(mind, 2600, { me: hurt, enemy: far }).dx).toBeGreaterThan(0);
  });

  it("does nothing while dead, and begins afresh", () => {
    const mind = freshMind();
    decideAt(mind, 0, { enemy });
    expect(decideAt(mind, 1000, { me: { ...self, hp: 0 }, enemy })).toEqual({
      dx: 0,
      dy: 0,
      aim: 0,
      shoot: false,
    });
    expect(mind).toEqual(freshMind());
  });

  it("finds from every waypoint to every other, and steers off walls", () => {
    for (const { x, y } of WAYPOINTS)
      for (const wall of WALLS) expect(overlap(wall, x, y, RULES.playerRadius + 4)).toBeUndefined();
    for (const start of WAYPOINTS) {
      const reached = new Set([start]);
      for (const from of reached)
        for (const to of WAYPOINTS) if (distance(from, to) > 150 && canWalk(from, to)) reached.add(to);
      expect(reached.size).toBe(WAYPOINTS.length);
    }
    expect(canWalk({ x: 200, y: 350 }, { x: 350, y: 350 })).toBe(false);
    // In sight, but a shoulder would touch the corner.
    expect(canSee({ x: 235, y: 100 }, { x: 235, y: 500 })).toBe(true);
    expect(canWalk({ x: 235, y: 100 }, { x: 235, y: 500 })).toBe(false);
    expect(steer({ x: 900, y: 110 }, 0, 1)).toBe(0);
    expect(steer({ x: 220, y: 350 }, 0, 1)).toBeCloseTo(1.2);
    expect(steer({ x: 220, y: 350 }, 0, -1)).toBeCloseTo(-1.2);
  });
});
