/** The arena, event by event: what comes in at a tick, and what its players see. */
import { beforeEach, describe, expect, it } from "vitest";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { SPAWNS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState, MoveInput } from "../../../shared/games/arena/schema.ts";
import { stepBody } from "../../../shared/games/arena/step.ts";
import { describe as describeSchema, encodeInput, Mirror } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import {
  act,
  createArena,
  type Driver,
  IDLE,
  type Input,
  place,
  player,
  RIGHT,
  SHOOT,
  TICK_MS,
  tickFor,
  tickUntil,
} from "./arena-driver.ts";

describe("the arena", () => {
  let arena: Driver;
  beforeEach(async () => {
    arena = await createArena({ seed: 5 });
    arena.join("anna", { name: "Anna" });
    arena.join("ben", { name: " Ben\u202e\n " });
    place(arena, "anna", 100, 60);
    place(arena, "ben", 300, 60);
    arena.tick();
  });

  describe("players", () => {
    it("begin at a spawn, with full health and a clean name", async () => {
      const fresh = await createArena();
      for (let i = 0; i < RULES.playersMax; i++) fresh.join(`s${i}`, i === 0 ? { name: "Zoe" } : { name: 7 });
      const players = [...fresh.state.players.values()];
      for (const { x, y, hp } of players) {
        expect(SPAWNS).toContainEqual({ x, y });
        expect(hp).toBe(RULES.hpMax);
      }
      expect(players.map(({ name }) => name)).toEqual([
        "Zoe",
        ...players.slice(1).map((_, i) => `Player ${i + 2}`),
      ]);
      expect(new Set(players.map(({ colour }) => colour)).size).toBe(RULES.playersMax);
      expect(player(arena, "ben").name).toBe("Ben");
    });

    it("begin away from others, where the seed says", async () => {
      const spawnsBySeed = async (seed: number) => {
        const fresh = await createArena({ seed });
        for (let i = 0; i < 6; i++) fresh.join(`s${i}`);
        return Array.from(fresh.state.players.values(), ({ x, y }) => `${x} ${y}`);
      };
      const spawns = await spawnsBySeed(1);
      expect(new Set(spawns).size).toBe(6);
      expect(await spawnsBySeed(1)).toEqual(spawns);
      expect(await spawnsBySeed(2)).not.toEqual(spawns);
    });

    it("are gone when they leave", () => {
      arena.leave("anna");
      expect([...arena.state.players.keys()]).toEqual(["ben"]);
      arena.tick([act(arena, "anna", RIGHT)]);
      expect(arena.state.players.size).toBe(1);
    });

    it("stand still while they are dropped, and play on when they are back", () => {
      for (let i = 0; i < 10; i++) arena.tick([act(arena, "anna", RIGHT)]);
      expect(player(arena, "anna").vx).toBe(RULES.speedMax);
      arena.step({ type: "dropped", sessionId: "anna" });
      const { x, vx } = player(arena, "anna");
      expect(vx).toBe(0);
      tickFor(arena, 1000);
      expect(player(arena, "anna")).toMatchObject({ x, y: 60, vx: 0, hp: RULES.hpMax });
      arena.step({ type: "returned", sessionId: "anna", tokenGeneration: 1 });
      arena.tick([act(arena, "anna", RIGHT)]);
      expect(player(arena, "anna").x).toBeGreaterThan(x);
    });
  });

  describe("inputs", () => {
    it("move a player as `stepBody` says, from what clients see", () => {
      const { x, y, vx, vy } = player(arena, "anna");
      arena.tick([act(arena, "anna", { ...RIGHT, aim: 1 })]);
      expect(player(arena, "anna")).toMatchObject(stepBody({ x, y, vx, vy }, RIGHT, 50));
      expect(player(arena, "anna").angle).toBeCloseTo(1, 1);
      expect(player(arena, "ben")).toMatchObject({ x: 300, y: 60 });
    });

    it("of one tick last in turn, each for its own time", () => {
      const down: Input = { ...IDLE, dy: 127, durationMs: 20 };
      const right: Input = { ...RIGHT, durationMs: 30 };
      arena.tick([act(arena, "anna", down), act(arena, "anna", right)]);
      const start = { x: 100, y: 60, vx: 0, vy: 0 };
      expect(player(arena, "anna")).toMatchObject(stepBody(stepBody(start, down, 20), right, 30));
    });

    it("give a client at 60 a second the same way as one at 20", () => {
      place(arena, "ben", 100, 60);
      for (let i = 0; i < 20; i++) {
        const sixty = [17, 17, 16].map((durationMs) => act(arena, "ben", { ...RIGHT, durationMs }));
        arena.tick([act(arena, "anna", RIGHT), ...sixty]);
      }
      expect(Math.abs(player(arena, "anna").x - player(arena, "ben").x)).toBeLessThan(4);
    });

    it("cannot make a player faster than time: ten times as many bring at most the backlog", () => {
      place(arena, "anna", 20, 60);
      tickFor(arena, 1000);
      const many = () => Array.from({ length: 10 }, () => act(arena, "anna", { ...RIGHT, durationMs: 50 }));
      for (let i = 0; i < 20; i++) arena.tick(many());
      const way = player(arena, "anna").x - 20;
      expect(way).toBeLessThanOrEqual((RULES.speedMax * (1000 + RULES.inputBacklogMsMax)) / 1000);
      expect(way).toBeGreaterThan((RULES.speedMax * 1000) / 1000);
    });

    it("that come late catch up within the backlog", () => {
      place(arena, "anna", 20, 60);
      place(arena, "ben", 20, 100);
      tickFor(arena, 200);
      for (let i = 0; i < 10; i++) arena.tick([act(arena, "anna", RIGHT), act(arena, "ben", RIGHT)]);
      // Anna's inputs are held up for two ticks, and come together.
      arena.tick([act(arena, "ben", RIGHT)]);
      arena.tick([act(arena, "ben", RIGHT)]);
      arena.tick([...[0, 1, 2].map(() => act(arena, "anna", RIGHT)), act(arena, "ben", RIGHT)]);
      const braked = player(arena, "ben").x - player(arena, "anna").x;
      expect(Math.abs(braked)).toBeLessThan(10);
    });

    it("that stay away let the player slow down and stop", () => {
      for (let i = 0; i < 10; i++) arena.tick([act(arena, "anna", RIGHT)]);
      tickFor(arena, RULES.inputBacklogMsMax + 200);
      const { x, vx } = player(arena, "anna");
      expect(vx).toBe(0);
      arena.tick();
      expect(player(arena, "anna").x).toBe(x);
    });

    it.each([0, RULES.inputMsMin - 1, RULES.inputMsMax + 1, 255])(
      "that claim %i ms are refused",
      (durationMs) => {
        const bytes = encodeInput(MoveInput, RIGHT);
        bytes[0] = durationMs - RULES.inputMsMin;
        const before = arena.state.players.get("anna")?.x;
        arena.tick([arena.message("anna", "move", bytes)]);
        expect(arena.sent).toMatchObject([
          { type: "$error", payload: { code: "MESSAGE_INVALID" }, to: ["anna"] },
        ]);
        expect(arena.state.players.get("anna")?.x).toBe(before);
      },
    );

    it("of a player who has stopped cost no bytes", () => {
      arena.tick([act(arena, "anna", IDLE), act(arena, "ben", IDLE)]);
      expect(arena.tick([act(arena, "anna", IDLE), act(arena, "ben", IDLE)]).change.isEmpty).toBe(true);
    });

    it("of a player who runs cost few bytes", () => {
      for (let i = 0; i < 10; i++) arena.tick([act(arena, "anna", RIGHT)]);
      const { change } = arena.tick([act(arena, "anna", { ...RIGHT, dx: 90, dy: 90, aim: 2 })]);
      expect(change.patch.length).toBeLessThanOrEqual(12);
    });
  });

  describe("shots", () => {
    it("fly from the shooter, are sent once, and end", () => {
      arena.tick([act(arena, "anna", { ...SHOOT, aim: Math.PI / 2 })]);
      const [shot] = arena.state.shots.values();
      expect(shot).toMatchObject({ x: 100, y: 60, firedAtMs: arena.nowMs, by: player(arena, "anna") });
      expect(shot?.angle).toBeCloseTo(Math.PI / 2, 3);
      expect(arena.tick().change.patch).toHaveLength(0);
      expect(shot?.lifeMs).toBe(RULES.shotLifetimeMs);
      tickFor(arena, RULES.shotLifetimeMs + RULES.shotLingerMs - 2 * TICK_MS);
      expect(arena.state.shots.size).toBe(1);
      arena.tick();
      expect(arena.state.shots.size).toBe(0);
    });

    it("have a cooldown, however many inputs ask for them", () => {
      const firedAt = new Set<number>();
      for (let i = 0; i < 40; i++) {
        arena.tick([1, 2, 3].map(() => act(arena, "anna", { ...SHOOT, aim: Math.PI / 2, durationMs: 8 })));
        for (const { firedAtMs } of arena.state.shots.values()) firedAt.add(firedAtMs);
        expect(arena.state.shots.size).toBeLessThanOrEqual(4);
      }
      const times = [...firedAt];
      expect(times).toHaveLength(7);
      expect(times.slice(1).map((time, i) => time - (times[i] ?? 0))).toEqual(new Array(6).fill(300));
    });

    it("hurt whom they hit, and end there", () => {
      const ticks = tickUntil(arena, () => player(arena, "ben").hp < RULES.hpMax, "anna", SHOOT);
      // 200 units less both radii, at 45 units a tick, the first of which is the one it is fired in.
      expect(ticks).toBe(
        1 + Math.ceil((200 - RULES.playerRadius - RULES.shotRadius) / (RULES.shotSpeed / 20)),
      );
      expect(player(arena, "ben").hp).toBe(RULES.hpMax - RULES.hitDamage);
      const [shot] = arena.state.shots.values();
      expect(shot?.lifeMs).toBe(Math.floor((181 / RULES.shotSpeed) * 1000));
      tickFor(arena, RULES.shotLifetimeMs);
      expect(player(arena, "ben").hp).toBe(RULES.hpMax - RULES.hitDamage);
      expect(player(arena, "anna")).toMatchObject({ score: RULES.scorePerHit, kills: 0, hp: RULES.hpMax });
    });

    it("are stopped by walls", () => {
      // A wall from x 250 to 300 stands between them.
      place(arena, "anna", 200, 350);
      place(arena, "ben", 350, 350);
      arena.tick([act(arena, "anna", SHOOT)]);
      expect([...arena.state.shots.values()][0]?.lifeMs).toBe(Math.floor((50 / RULES.shotSpeed) * 1000));
      tickFor(arena, RULES.shotLifetimeMs);
      expect(player(arena, "ben").hp).toBe(RULES.hpMax);
    });

    it("miss who stands beside their way", () => {
      place(arena, "ben", 300, 60 + RULES.playerRadius + RULES.shotRadius + 1);
      for (let i = 0; i < 20; i++) arena.tick([act(arena, "anna", SHOOT)]);
      expect(player(arena, "ben").hp).toBe(RULES.hpMax);
    });

    it("fly on when the shooter leaves, for nobody", () => {
      player(arena, "ben").hp = RULES.hitDamage;
      arena.tick([act(arena, "anna", SHOOT)]);
      arena.leave("anna");
      tickFor(arena, 300);
      expect(player(arena, "ben")).toMatchObject({ hp: 0, deaths: 1 });
    });
  });

  describe("death", () => {
    function kill(): void {
      tickUntil(arena, () => player(arena, "ben").hp === 0, "anna", SHOOT);
    }

    it("takes four hits, counts for both, and is told to all", () => {
      kill();
      expect(arena.sent).toEqual([
        {
          type: "kill",
          payload: { by: "anna", byName: "Anna", victim: "ben", victimName: "Ben" },
          to: undefined,
        },
      ]);
      const score = 4 * RULES.scorePerHit + RULES.scorePerKill;
      expect(player(arena, "anna")).toMatchObject({ kills: 1, deaths: 0, score });
      expect(player(arena, "ben")).toMatchObject({ kills: 0, deaths: 1, score: 0 });
    });

    it("names nobody when the shooter has left", () => {
      player(arena, "ben").hp = RULES.hitDamage;
      arena.tick([act(arena, "anna", SHOOT)]);
      arena.leave("anna");
      for (let i = 0; arena.sent.length === 0 && i < 20; i++) arena.tick();
      expect(arena.sent).toMatchObject([
        { type: "kill", payload: { by: null, byName: null, victim: "ben" } },
      ]);
    });

    it("keeps from moving, shooting and being hit", () => {
      kill();
      arena.leave("anna");
      arena.tick([act(arena, "ben", { ...RIGHT, shoot: true })]);
      arena.tick([act(arena, "ben", { ...RIGHT, shoot: true })]);
      expect(player(arena, "ben")).toMatchObject({ x: 300, y: 60, deaths: 1 });
      expect([...arena.state.shots.values()].filter(({ by }) => by !== undefined)).toEqual([]);
      expect(player(arena, "ben").hp).toBe(0);
    });

    it("lets shots through", () => {
      arena.join("carl");
      place(arena, "carl", 400, 60);
      kill();
      tickUntil(arena, () => player(arena, "carl").hp < RULES.hpMax, "anna", SHOOT);
      expect(player(arena, "ben").deaths).toBe(1);
    });

    it("ends after the respawn time, at a spawn, with full health", () => {
      kill();
      tickFor(arena, RULES.respawnMs - TICK_MS);
      expect(player(arena, "ben").hp).toBe(0);
      arena.tick();
      const { x, y, vx, vy, hp } = player(arena, "ben");
      expect(SPAWNS).toContainEqual({ x, y });
      expect([vx, vy, hp]).toEqual([0, 0, RULES.hpMax]);
    });

    it("does not bring back who has left meanwhile", () => {
      kill();
      arena.leave("ben");
      tickFor(arena, RULES.respawnMs + 100);
      expect(arena.state.players.has("ben")).toBe(false);
    });

    it("comes once, however many shots arrive with it", () => {
      arena.join("carl");
      place(arena, "carl", 500, 60);
      player(arena, "ben").hp = RULES.hitDamage;
      arena.tick([act(arena, "anna", SHOOT), act(arena, "carl", { ...SHOOT, aim: Math.PI })]);
      tickUntil(arena, () => player(arena, "ben").hp === 0, "ben", IDLE);
      expect(arena.sent).toMatchObject([{ type: "kill", payload: { by: "anna" } }]);
      expect(player(arena, "ben").deaths).toBe(1);
      expect(player(arena, "carl")).toMatchObject({ score: 0, kills: 0 });
      // Carl's shot flies on towards Anna.
      tickFor(arena, 300);
      expect(player(arena, "anna").hp).toBe(RULES.hpMax - RULES.hitDamage);
    });

    it("of two who hit each other at the same time takes both", () => {
      for (const id of ["anna", "ben"]) player(arena, id).hp = RULES.hitDamage;
      arena.tick([act(arena, "anna", SHOOT), act(arena, "ben", { ...SHOOT, aim: Math.PI })]);
      tickFor(arena, 300);
      for (const id of ["anna", "ben"])
        expect(player(arena, id)).toMatchObject({ hp: 0, deaths: 1, kills: 1 });
    });
  });

  it("describes itself to those who look for a room, rarely, and only when something changed", () => {
    let changes = 0;
    for (let i = 0; i < 200; i++) if (arena.tick([act(arena, "anna", SHOOT)]).listingChanged) changes++;
    expect(arena.runtime.listing.metadata).toEqual({ players: 2, topScore: player(arena, "anna").score });
    expect(changes).toBeLessThanOrEqual(5);
    const { deaths } = player(arena, "ben");
    expect(deaths).toBeGreaterThan(0);
    tickFor(arena, 4000);
    for (let i = 0; i < 100; i++) expect(arena.tick().listingChanged).toBe(false);
  });

  it("is the same to the byte when the same happens again, and clients mirror it", async () => {
    const battle = await createArena({ seed: 2026 });
    const mirror = new Mirror(describeSchema(ArenaState));
    mirror.applySnapshot(battle.runtime.encoder.snapshot());
    const script = createRandom(77);
    const pick = (count: number) => Math.floor(script.next() * count);
    const ids = Array.from({ length: 12 }, (_, i) => `s${i}`);
    for (const id of ids) mirror.applyPatch(battle.join(id, { name: id }).change.patch);
    let kills = 0;
    for (let tick = 0; tick < 400; tick++) {
      const incoming: RoomEvent[] = [];
      for (const id of ids) {
        const { x, y } = player(battle, id);
        const enemy = player(battle, ids[pick(ids.length)] ?? "");
        for (let i = pick(4); i > 0; i--) {
          incoming.push(
            act(battle, id, {
              durationMs: 8 + pick(43),
              dx: pick(255) - 127,
              dy: pick(255) - 127,
              aim: Math.atan2(enemy.y - y, enemy.x - x),
              shoot: pick(3) > 0,
              seenAtMs: Math.max(0, Math.floor(battle.nowMs) - pick(400)),
            }),
          );
        }
      }
      const id = ids[pick(ids.length)] ?? "";
      if (tick % 50 === 10)
        incoming.push(
          { type: "dropped", sessionId: id },
          { type: "returned", sessionId: id, tokenGeneration: 1 },
        );
      if (tick % 100 === 60) {
        incoming.push({ type: "left", sessionId: id, consented: false });
        incoming.push({ type: "joined", sessionId: id, options: { name: `again ${tick}` }, auth: null });
      }
      if (tick % 70 === 30) incoming.push(battle.message(id, "move", new Uint8Array([1, 2, 3])));
      const { change } = battle.tick(incoming, 40 + pick(30));
      mirror.applyPatch(change.patch);
      expect(mirror.hash()).toBe(battle.runtime.encoder.hash());
      expect(battle.state.shots.size).toBeLessThanOrEqual(4 * ids.length);
      kills += battle.sent.filter(({ type }) => type === "kill").length;
    }
    expect(kills).toBeGreaterThan(5);
    expect(battle.replay()).toEqual(battle.trace);
  });
});
