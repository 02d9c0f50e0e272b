/** The world: what players do, how creatures live, and that each client has exactly what is around its player. */
import { beforeEach, describe, expect, it } from "vitest";
import { World } from "../../../server/games/world.ts";
import { Sight } from "../../../server/room/interest.ts";
import type { RoomEvent, StepResult } from "../../../server/room/room-events.ts";
import { KINDS, RULES } from "../../../shared/games/world/rules.ts";
import { type Creature, type Player, SteerInput, WorldState } from "../../../shared/games/world/schema.ts";
import { type Steering, stepPlayer } from "../../../shared/games/world/step.ts";
import { describe as describeSchema, encodeInput, type Live, Mirror } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { RoomDriver } from "../../support/room-driver.ts";

type Driver = RoomDriver<typeof WorldState>;
type Point = { readonly x: number; readonly y: number };

const TICK_MS = 1000 / RULES.ticksPerSecond;
const CREATURES = KINDS.reduce((sum, { herds }) => sum + herds * RULES.herdSize, 0);
const EAST: Steering = { dx: 127, dy: 0, sprint: false };
/** Far from all that this test is about. */
const FAR: Point = { x: 3900, y: 3900 };

let world: Driver;

function player(id: string): Live<typeof Player> {
  const found = world.state.players.get(id);
  if (found === undefined) throw new Error(`no player ${id}`);
  return found;
}

function creatures(): Live<typeof Creature>[] {
  return [...world.state.creatures.values()];
}

function steer(driver: Driver, id: string, steering: Steering): RoomEvent {
  return driver.message(id, "steer", encodeInput(SteerInput, steering));
}

function tickFor(milliseconds: number): StepResult[] {
  return Array.from({ length: milliseconds / TICK_MS }, () => world.tick());
}

function place(what: { x: number; y: number }, { x, y }: Point): void {
  what.x = x;
  what.y = y;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Moves all creatures away, but one of this kind, which is put where it is wanted. */
function lone(kind: number, at: Point): Live<typeof Creature> {
  const chosen = creatures().find((creature) => creature.kind === kind);
  if (chosen === undefined) throw new Error(`no creature of kind ${kind}`);
  for (const creature of creatures()) place(creature, FAR);
  place(chosen, at);
  return chosen;
}

beforeEach(async () => {
  world = await RoomDriver.create(World, WorldState, { seed: 7 });
  world.join("anna", { name: " Anna " });
  world.join("ben");
  world.tick();
});

describe("players", () => {
  it("have a name, a colour and a place in the world", () => {
    expect(player("anna")).toMatchObject({ name: "Anna", colour: 0, score: 0, stamina: RULES.staminaMax });
    expect(player("ben")).toMatchObject({ name: "Player 2", colour: 1 });
    expect(world.state.playerCount).toBe(2);
  });

  it("walk as they last steered, exactly as clients predict", () => {
    let predicted = stepPlayer(player("anna"), EAST, TICK_MS);
    world.tick([steer(world, "anna", EAST)]);
    for (let i = 0; i < 10; i++) {
      expect(player("anna")).toMatchObject(predicted);
      predicted = stepPlayer(predicted, EAST, TICK_MS);
      world.tick();
    }
  });

  it("stop when their connection breaks, and are gone when they leave", () => {
    world.tick([steer(world, "anna", EAST)]);
    world.step({ type: "dropped", sessionId: "anna" });
    const { x } = player("anna");
    tickFor(200);
    expect(player("anna").x).toBe(x);
    world.leave("anna");
    expect([...world.state.players.keys()]).toEqual(["ben"]);
    expect(world.state.playerCount).toBe(1);
    world.tick();
  });
});

describe("creatures", () => {
  it("are more than 500, three in ten of them on their feet", () => {
    expect(CREATURES).toBeGreaterThanOrEqual(500);
    expect(world.state.creatures.size).toBe(CREATURES);
    let moved = 0;
    const ticks = 600;
    for (let i = 0; i < ticks; i++) {
      const before = creatures().map(({ x, y }) => ({ x, y }));
      world.tick();
      moved += creatures().filter((creature, n) => distance(creature, before[n] ?? FAR) > 0).length;
    }
    expect(moved / ticks / CREATURES).toBeGreaterThan(0.25);
    expect(moved / ticks / CREATURES).toBeLessThan(0.4);
  });

  it("stay with their herd", () => {
    tickFor(60_000);
    const herds = Map.groupBy(world.state.creatures, ([key]) => key.split(".")[0]);
    const spreads = Array.from(herds.values(), (herd) => {
      const [, first] = herd[0] as [string, Point];
      return Math.max(...herd.map(([, creature]) => distance(creature, first)));
    });
    expect(spreads).toHaveLength(CREATURES / RULES.herdSize);
    const mean = spreads.reduce((sum, spread) => sum + spread, 0) / spreads.length;
    expect(mean).toBeLessThan(4 * RULES.herdRadius);
  });

  it.each(KINDS.map(({ name }, kind) => [name, kind] as const))("run from players: %s", (_, kind) => {
    const { shyDistance, runSpeed } = KINDS[kind] as (typeof KINDS)[number];
    place(player("anna"), { x: 1000, y: 1000 });
    place(player("ben"), FAR);
    const creature = lone(kind, { x: 1000 + shyDistance - 1, y: 1000 });
    const { x } = creature;
    world.tick();
    expect(creature.x - x).toBeCloseTo((runSpeed * TICK_MS) / 1000, 0);
    expect(Math.abs(creature.facing)).toBeLessThan(0.02);
  });

  it("stay in the world", () => {
    for (const [i, creature] of creatures().entries()) {
      const { radius } = KINDS[creature.kind] as (typeof KINDS)[number];
      const { worldWidth, worldHeight } = RULES;
      place(creature, {
        x: i % 2 ? radius : worldWidth - radius,
        y: i % 3 ? radius : worldHeight - radius,
      });
    }
    // They run from who stands beside them, into the corners.
    place(player("anna"), { x: 30, y: 30 });
    place(player("ben"), { x: RULES.worldWidth - 30, y: 30 });
    tickFor(3_000);
    for (const { x, y, kind } of creatures()) {
      const { radius } = KINDS[kind] as (typeof KINDS)[number];
      expect(Math.min(x, y, RULES.worldWidth - x, RULES.worldHeight - y)).toBeGreaterThanOrEqual(radius);
    }
  });
});

describe("tagging", () => {
  const at = { x: 1000, y: 1000 };
  let deer: Live<typeof Creature>;

  beforeEach(() => {
    place(player("anna"), at);
    place(player("ben"), FAR);
    deer = lone(2, { x: 1000 + RULES.tagDistance - 1, y: 1000 });
    // Far from all creatures, which are where Ben is.
    place(player("ben"), { x: 100, y: 100 });
  });

  it("takes getting close, gives a colour, and brings points, told to the player alone", () => {
    place(deer, { x: 1000 + RULES.tagDistance + 1, y: 1000 });
    world.tick();
    expect([deer.colour, deer.tagger, world.sent]).toEqual([undefined, undefined, []]);
    place(deer, { x: 1000, y: 1001 });
    world.tick();
    expect(deer.colour).toBe(0);
    expect(deer.tagger).toBe(player("anna"));
    expect(player("anna").score).toBe(5);
    expect(world.sent).toEqual([
      { type: "tagged", payload: { x: 1000, y: 1001, kind: 2, worth: 5 }, to: ["anna"] },
    ]);
  });

  it("counts once, until somebody else has tagged it, and not again at once", () => {
    world.tick();
    for (let ms = 0; ms < RULES.tagPauseMs - TICK_MS; ms += TICK_MS) {
      place(player(ms % 100 ? "anna" : "ben"), deer);
      world.tick();
    }
    expect([player("anna").score, player("ben").score]).toEqual([5, 0]);
    place(player("anna"), { x: 100, y: 3000 });
    place(player("ben"), deer);
    world.tick();
    expect([player("anna").score, player("ben").score]).toEqual([5, 5]);
    expect(deer).toMatchObject({ colour: 1, tagger: player("ben") });
  });

  it("is forgotten when the player leaves", () => {
    world.tick();
    world.leave("anna");
    expect([deer.colour, deer.tagger]).toEqual([undefined, undefined]);
  });

  it("brings the best to the board of leaders", () => {
    const scores = [3, 9, 1, 0, 7, 5, 8];
    scores.forEach((score, i) => {
      world.join(`p${i}`);
      player(`p${i}`).score = score;
    });
    tickFor(RULES.leadersIntervalMs);
    const board = () => Array.from(world.state.leaders, ([key, { score }]) => `${key} ${score}`).sort();
    expect(board()).toEqual(["anna 5", "p1 9", "p4 7", "p5 5", "p6 8"]);
    player("p0").score = 20;
    world.leave("p1");
    tickFor(RULES.leadersIntervalMs);
    expect(board()).toEqual(["anna 5", "p0 20", "p4 7", "p5 5", "p6 8"]);
  });
});

describe("a client", () => {
  it("mirrors what is around its player, to the byte the same when the same happens again", async () => {
    const meadow: Driver = await RoomDriver.create(World, WorldState, { seed: 2026 });
    const script = createRandom(77);
    const pick = (count: number) => Math.floor(script.next() * count);
    const ids = Array.from({ length: 8 }, (_, i) => `s${i}`);
    const viewers = new Map<string, { sight: Sight; mirror: Mirror<typeof WorldState> }>();
    let seen = 0;
    let samples = 0;

    const deliver = ({ change }: StepResult) => {
      for (const client of meadow.runtime.clients) {
        const { sessionId } = client;
        const own = change.ownerPatches.get(sessionId);
        let viewer = viewers.get(sessionId);
        const isNew = viewer === undefined;
        viewer ??= { sight: new Sight(), mirror: new Mirror(describeSchema(WorldState)) };
        viewers.set(sessionId, viewer);
        const shared = { patch: isNew ? meadow.runtime.encoder.snapshot() : change.patch, own };
        const frame = meadow.runtime.interest?.frame(viewer.sight, client, shared);
        if (frame === undefined) throw new Error("the world has no interest management");
        viewer.mirror[isNew ? "applySnapshot" : "applyPatch"](frame.patch);
        if (frame.own) viewer.mirror.applyOwn(frame.own);
      }
    };

    for (const id of ids) deliver(meadow.join(id, { name: id }));
    for (let tick = 0; tick < 400; tick++) {
      const incoming = ids
        .filter(() => pick(20) === 0)
        .map((id) => steer(meadow, id, { dx: pick(255) - 127, dy: pick(255) - 127, sprint: pick(2) === 0 }));
      deliver(meadow.tick(incoming, 40 + pick(20)));
      if (tick % 20 !== 0) continue;
      for (const [id, { mirror }] of viewers) {
        const me = meadow.state.players.get(id) as Live<typeof Player>;
        expect(mirror.state.players.get(id)).toMatchObject({ x: me.x, y: me.y, stamina: me.stamina });
        expect(mirror.state.playerCount).toBe(ids.length);
        for (const [key, creature] of meadow.state.creatures) {
          const mirrored = mirror.state.creatures.get(key);
          const away = distance(creature, me);
          if (away <= RULES.viewRadius) expect(mirrored).toBeDefined();
          if (away > RULES.viewRadius * 1.1) expect(mirrored).toBe(undefined);
          if (mirrored) expect([mirrored.x, mirrored.y]).toEqual([creature.x, creature.y]);
        }
        for (const [key, other] of mirror.state.players)
          if (key !== id) expect(other.stamina).toBe(undefined);
        seen += mirror.state.creatures.size;
        samples++;
      }
    }
    // About what the radius is made for.
    expect(seen / samples).toBeGreaterThan(20);
    expect(seen / samples).toBeLessThan(70);
    expect(meadow.replay()).toEqual(meadow.trace);
  });
});
