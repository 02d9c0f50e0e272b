/** The arena's bot in a room in memory, through the real client: what it sends, and what it goes by. */
import { describe, expect, it } from "vitest";
import { arenaBot } from "../../../client-sim/bots/strategies/arena-bot.ts";
import { nearestEnemy } from "../../../client-sim/bots/strategies/arena-senses.ts";
import type { Player } from "../../../client-sim/bots/strategies/strategy.ts";
import { Client } from "../../../client-sim/sdk/index.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { MoveInput } from "../../../shared/games/arena/schema.ts";
import { decodeInput, type InputOf } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeArena, type Point } from "../sdk/fake-arena.ts";
import { BASE_URL } from "../sdk/fake-host.ts";
import { settled } from "../sdk/setup.ts";

const TURN_MS = 50;
/** As in the bot. */
const AIM_ERROR = 0.05;
const SHOT_RANGE = (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000;

class Duel {
  readonly server: FakeArena;
  readonly #player: Player;
  /** The room's clock, as the bot knew it, at each of its turns. */
  readonly sentAtMs: number[] = [];

  private constructor(server: FakeArena, player: Player) {
    this.server = server;
    this.#player = player;
  }

  static async begin(predict: boolean, latencyMs = 0): Promise<Duel> {
    const server = new FakeArena(new SimulatedTime(5_000_000));
    server.latencyMs = latencyMs;
    server.encoder.root.players.set("enemy", { hp: RULES.hpMax });
    const { webSocket, fetch, time: scheduler } = server;
    const client = new Client(BASE_URL, { webSocket, fetch, scheduler, random: () => 0.5 });
    const joining = arenaBot({ client, name: "bot 1", random: createRandom(7), turnMs: TURN_MS, predict });
    const duel = new Duel(server, await settled(server.time, joining));
    // The account of time fills up, and enough states come for the enemy to be seen.
    await server.time.advance(1_000);
    return duel;
  }

  get self() {
    return this.server.player(this.sessionId);
  }

  get sessionId(): string {
    const names = [...this.server.encoder.root.players.keys()];
    return names.find((name) => name !== "enemy") ?? "";
  }

  /** What the server has been sent. */
  get inputs(): InputOf<typeof MoveInput>[] {
    return this.server.applied
      .filter(({ type }) => type === "move")
      .map(({ payload }) => decodeInput(MoveInput, payload as Uint8Array));
  }

  put(name: string, { x, y }: Point): void {
    const player = this.server.player(name);
    player.x = x;
    player.y = y;
  }

  act(): void {
    this.sentAtMs.push(this.#player.room.clock.now());
    this.#player.act();
  }

  async play(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      this.act();
      await this.server.time.advance(TURN_MS);
    }
    await this.server.time.advance(2 * this.server.latencyMs);
  }
}

describe("the arena's bot", () => {
  it("has an eye on the nearest enemy, who is alive and not itself", () => {
    const fighter = (x: number, hp: number = RULES.hpMax) => ({
      ...{ x, hp, y: 0, vx: 0, vy: 0, angle: 0, score: 0, kills: 0, deaths: 0 },
      ...{ name: "", colour: 0, isBot: false },
    });
    const near = fighter(50);
    const players = new Map([
      ["me", fighter(0)],
      ["dead", fighter(10, 0)],
      ["far", fighter(100)],
      ["near", near],
    ]);
    expect(nearestEnemy(players, "me")).toEqual([["near", near]]);
    expect(nearestEnemy(new Map([["me", fighter(0)]]), "me")).toEqual([]);
    expect(nearestEnemy(players, "not in the game")).toEqual([]);
  });

  it.each([true, false])(
    "sends one input each turn, and shoots in range only (predict: %s)",
    async (predict) => {
      const duel = await Duel.begin(predict);
      duel.put("enemy", { x: duel.self.x + SHOT_RANGE + 200, y: duel.self.y });
      await duel.server.time.advance(1_000);
      await duel.play(2);
      duel.put("enemy", { x: duel.self.x, y: duel.self.y + 100 });
      await duel.server.time.advance(1_000);
      await duel.play(2);
      expect(duel.inputs.map(({ shoot }) => shoot)).toEqual([false, false, true, true]);
      for (const { dx, dy, durationMs } of duel.inputs) {
        expect(Math.hypot(dx, dy)).toBeCloseTo(127, -1);
        expect(durationMs).toBe(TURN_MS);
      }
      for (const { aim } of duel.inputs.slice(2)) expect(aim).toBeCloseTo(Math.PI / 2, 0);
    },
  );

  it("that predicts goes by where it is by now, not by the state that is on its way", async () => {
    const duel = await Duel.begin(true, 100);
    duel.put("enemy", duel.self);
    const enemy = { x: duel.self.x, y: duel.self.y };
    await duel.server.time.advance(1_000);
    await duel.play(100);
    const { bodies } = duel.server;
    let farthest = 0;
    for (const [index, { aim }] of duel.inputs.entries()) {
      const before = bodies.get(`${duel.sessionId} ${index}`);
      if (before === undefined) continue;
      const exact = Math.atan2(enemy.y - before.y, enemy.x - before.x);
      const error = Math.atan2(Math.sin(aim - exact), Math.cos(aim - exact));
      expect(Math.abs(error)).toBeLessThan(AIM_ERROR + 0.001);
      farthest = Math.max(farthest, Math.hypot(enemy.x - before.x, enemy.y - before.y));
    }
    // It has run away from where it began, so that an old position would have shown.
    expect(farthest).toBeGreaterThan(200);
  });

  it.each([true, false])(
    "says which moment it has seen: past, and later each turn (predict: %s)",
    async (predict) => {
      const duel = await Duel.begin(predict, 40);
      await duel.play(40);
      const seen = duel.inputs.map(({ seenAtMs }) => seenAtMs);
      expect(seen).toHaveLength(40);
      for (const [turn, seenAtMs] of seen.entries()) {
        const behindMs = (duel.sentAtMs[turn] ?? 0) - seenAtMs;
        expect(behindMs).toBeGreaterThanOrEqual(40);
        expect(behindMs).toBeLessThan(RULES.rewindMsMax);
        expect(seenAtMs).toBeGreaterThan(seen[turn - 1] ?? 0);
      }
    },
  );

  it.each([true, false])("keeps its keys pressed while it is dead (predict: %s)", async (predict) => {
    const duel = await Duel.begin(predict);
    duel.self.hp = 0;
    await duel.server.time.advance(100);
    await duel.play(3);
    expect(duel.inputs).toHaveLength(3);
  });

  it.each([true, false])("waits while it is not in the game (predict: %s)", async (predict) => {
    const duel = await Duel.begin(predict);
    duel.server.encoder.root.players.delete(duel.sessionId);
    duel.server.step();
    // Before the next tick of this server, which moves whoever has joined.
    await duel.server.time.advance(1);
    duel.act();
    await duel.server.time.advance(1);
    expect(duel.inputs).toEqual([]);
  });
});
