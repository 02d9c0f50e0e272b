/** What is drawn of entities between states: their ways, their coming and going, and what is kept of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberFields } from "../../../client-sim/sdk/number-fields.ts";
import { Track } from "../../../client-sim/sdk/track.ts";
import { between } from "../../support/between.ts";
import { joinRoom } from "./setup.ts";

const FIELDS = new NumberFields(["x", "y"], ["angle"]);
const ENTITY = { x: 0, y: 0, angle: 0 };

function trackOf(...samples: [timeMs: number, x: number, angle?: number][]): Track<typeof ENTITY> {
  const track = new Track<typeof ENTITY>(FIELDS, 100);
  const entity = { ...ENTITY };
  for (const [timeMs, x, angle = 0] of samples) track.add(timeMs, Object.assign(entity, { x, angle }));
  return track;
}

const xAt = (track: Track<typeof ENTITY>, timeMs: number) => track.at(timeMs)?.values[0];

describe("a track", () => {
  it("goes straight from sample to sample, and stands at its end", () => {
    const track = trackOf([100, 0], [150, 10], [200, 30]);
    expect([100, 125, 150, 160, 200, 900].map((ms) => xAt(track, ms))).toEqual([0, 5, 10, 14, 30, 30]);
  });

  it("turns the shorter way", () => {
    const track = trackOf([0, 0, 3], [100, 0, -3]);
    expect(track.at(50)?.values[2]).toBeCloseTo(Math.PI, 9);
    expect(track.at(100)?.values[2]).toBe(-3);
  });

  it("jumps what is too far to be a way", () => {
    const track = trackOf([0, 0], [50, 101], [100, 110]);
    expect([49, 50, 75].map((ms) => xAt(track, ms))).toEqual([0, 101, 105.5]);
  });

  it("has nobody before the first sample and from the last on", () => {
    const track = trackOf([100, 1], [150, 2]);
    track.vacate(200);
    expect([99, 100, 199, 200, 900].map((ms) => xAt(track, ms))).toEqual([
      undefined,
      1,
      2,
      undefined,
      undefined,
    ]);
    expect(track.isVacant).toBe(true);
  });

  it("does not lead from one entity to the next of the same key", () => {
    const track = trackOf([100, 0]);
    track.add(150, { ...ENTITY, x: 50 });
    expect([149, 150].map((ms) => xAt(track, ms))).toEqual([0, 50]);
    track.vacate(200);
    track.add(250, { ...ENTITY, x: 60 });
    expect([199, 249, 250].map((ms) => xAt(track, ms))).toEqual([50, undefined, 60]);
  });

  it("takes the later of two samples of one time", () => {
    const track = trackOf([100, 0], [150, 10], [150, 20], [200, 30]);
    expect([149.999, 150, 175].map((ms) => Math.round(xAt(track, ms) ?? -1))).toEqual([10, 20, 25]);
  });

  it("keeps what is needed from a moment on, and is nothing once nobody is left", () => {
    const track = trackOf([100, 0], [150, 10], [200, 20]);
    expect(track.trim(160)).toBe(true);
    expect([149, 150, 160].map((ms) => xAt(track, ms))).toEqual([undefined, 10, 12]);
    track.vacate(250);
    expect(track.trim(249)).toBe(true);
    expect(track.trim(250)).toBe(false);
  });

  it("keeps no more than so many samples, however long nobody looks", () => {
    const track = trackOf();
    for (let i = 0; i < 1_000; i++) {
      track.add(i, { ...ENTITY, x: i });
      track.trim(0);
    }
    expect(xAt(track, 1_000 - 257)).toBeUndefined();
    expect(xAt(track, 1_000 - 256)).toBe(744);
  });

  it("never goes back while its entity goes ahead", () => {
    const way = fc.array(fc.tuple(between(0.1, 99), between(0, 70)));
    fc.assert(
      fc.property(way, (steps) => {
        let timeMs = 0;
        let x = 0;
        const track = trackOf([timeMs, x]);
        for (const [ms, dx] of steps) {
          timeMs += ms;
          x += dx;
          track.add(timeMs, { ...ENTITY, x });
        }
        let last = 0;
        for (let ms = 0; ms < timeMs; ms += 7) {
          const now = xAt(track, ms) ?? Number.NaN;
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
      }),
    );
  });
});

/** When simulated time begins; the room's time is the same. */
const START_MS = 5_000_000;

/** A room with a state every 50 ms, in which entities do what the test says; frames are 10 ms apart. */
async function watch() {
  const joined = await joinRoom();
  const { server, time, room } = joined;
  const { players } = server.encoder.root;
  server.step();
  await time.advance(0);
  const interpolator = room.interpolate((state) => state.players, { numbers: ["x"], angles: ["hp"] });
  const tick = async (act: () => void = () => {}): Promise<void> => {
    await time.advance(0);
    act();
    server.step();
    for (let i = 0; i < 5; i++) {
      interpolator.sample("");
      await time.advance(10);
    }
  };
  const keys = () => [...interpolator.entries()].map(([key]) => key);
  return { ...joined, players, interpolator, tick, keys };
}

describe("an interpolator", () => {
  it("shows what is there from the start", async () => {
    const { interpolator } = await watch();
    expect(interpolator.sample("session1")).toEqual({ x: 10, hp: 100 });
    expect(interpolator.sample("nobody")).toBeUndefined();
  });

  it("shows entities on their way, at the time it tells", async () => {
    const { players, interpolator, tick, time } = await watch();
    const player = players.get("session1");
    if (player === undefined) throw new Error("no player");
    // In units of 10 ms, since `x` ends at 2000; its grid is a tenth of that.
    const move = () => {
      player.x = (time.now() - START_MS) / 10;
    };
    for (let i = 0; i < 20; i++) await tick(move);
    const xs: number[] = [];
    for (let i = 0; i < 10; i++) {
      await tick(move);
      const { x } = interpolator.sample("session1") ?? { x: Number.NaN };
      expect(x).toBeCloseTo((interpolator.renderTimeMs - START_MS) / 10, 6);
      expect(interpolator.delayMs).toBeCloseTo(time.now() - interpolator.renderTimeMs, 6);
      xs.push(x);
    }
    for (const [i, x] of xs.slice(1).entries()) expect(x - (xs[i] ?? 0)).toBeCloseTo(5, 1);
  });

  it("keeps showing those that the state no longer has, until their time", async () => {
    const { players, server, time, interpolator, tick, keys, room } = await watch();
    for (let i = 0; i < 20; i++) await tick();
    await tick(() => players.set("npc", { x: 70, name: "Nix" }));
    await tick();
    expect(keys()).toEqual(["session1", "npc"]);
    players.delete("npc");
    server.step();
    await time.advance(5);
    expect(room.state.players.has("npc")).toBe(false);
    expect(keys()).toEqual(["session1", "npc"]);
    await time.advance(95);
    expect(keys()).toEqual(["session1"]);
    expect(interpolator.sample("npc")).toBeUndefined();
  });

  it("shows them late by the delay, not sooner and not later", async () => {
    const { players, server, time, interpolator, tick } = await watch();
    for (let i = 0; i < 20; i++) await tick();
    const seen: [event: string, atMs: number][] = [];
    const cameAtMs = time.now();
    players.set("npc", { x: 70, name: "Nix" });
    let wasThere = false;
    for (let ms = 0; ms < 400; ms += 5) {
      if (ms % 50 === 0) {
        if (ms === 200) players.delete("npc");
        server.step();
      }
      await time.advance(5);
      const [, npc] = [...interpolator.entries()];
      if ((npc !== undefined) !== wasThere) seen.push([npc?.[2].name ?? "gone", interpolator.renderTimeMs]);
      wasThere = npc !== undefined;
    }
    expect(seen.map(([event]) => event)).toEqual(["Nix", "gone"]);
    const [came, went] = seen.map(([, atMs]) => atMs - cameAtMs);
    expect(came).toBeGreaterThanOrEqual(0);
    expect(came).toBeLessThan(6);
    expect(went).toBeGreaterThanOrEqual(200);
    expect(went).toBeLessThan(206);
  });

  it("picks what the game wants to see", async () => {
    const { room, players, tick } = await watch();
    const named = room.interpolate(
      function* ({ players }) {
        for (const [key, player] of players) if (player.name !== "") yield [`p-${key}`, player] as const;
      },
      { numbers: ["x"] },
    );
    await tick(() => players.set("npc", { x: 70 }));
    await tick();
    expect([...named.entries()].map(([key, at]) => [key, at])).toEqual([["p-session1", { x: 10 }]]);
  });

  it("shares its time with the others of the room", async () => {
    const { room, server, interpolator, tick, time } = await watch();
    for (let i = 0; i < 10; i++) await tick();
    server.step();
    await time.advance(0);
    const another = room.interpolate(({ players }) => players, { numbers: ["x"] });
    another.sample("session1");
    expect(another.renderTimeMs).toBe(interpolator.renderTimeMs);
    // What it has not seen is not there yet.
    expect(another.sample("session1")).toBeUndefined();
    await time.advance(100);
    expect(another.sample("session1")).toEqual({ x: 10 });
  });

  it("stops when told to", async () => {
    const { interpolator, tick, keys } = await watch();
    interpolator.stop();
    await tick();
    expect(keys()).toEqual([]);
  });

  it("reports what selecting throws, and the room goes on", async () => {
    const { room, server, tick } = await watch();
    const errors: unknown[] = [];
    room.onError((error) => errors.push(error));
    const broken = new Error("mine");
    let isBroken = false;
    room.interpolate(
      ({ players }) => {
        if (isBroken) throw broken;
        return players;
      },
      { numbers: ["x"] },
    );
    isBroken = true;
    await tick();
    expect(errors).toEqual([broken]);
    expect(room.tick).toBe(server.tick);
  });
});
