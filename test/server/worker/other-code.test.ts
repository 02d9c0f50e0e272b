/** A room whose journal other code has written: it is taken up at its last checkpoint, and migrated. */
import { describe, expect, test } from "vitest";
import type { Client } from "../../../server/room/client.ts";
import { effect } from "../../../server/room/effects.ts";
import { type JoinOptions, Room, type SavedByOtherCode } from "../../../server/room/room.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import {
  bool,
  describe as describeSchema,
  entity,
  Mirror,
  map,
  type PlainEntity,
  u16,
  u32,
} from "../../../shared/schema/index.ts";
import { accountOf, Observed, play, seated, slow, TICK_MS, upTo, Written } from "./dice-rooms.ts";
import { Owners } from "./owners.ts";

describe("a journal of other code", () => {
  test("is taken up at its last checkpoint; the loss is logged, and the next owner goes on from there", async () => {
    const { owners, client } = await seated(Written);
    await play(owners, client, 10);
    slow(owners);
    await play(owners, client, 1);
    const { checkpoints } = owners;
    expect(checkpoints).toHaveLength(1);
    await play(owners, client, 20);

    const second = owners.next(Written, { codeVersion: "2", survivors: ["ann"] });
    expect(accountOf(client)).toEqual(upTo(11));
    expect(owners.warnings).toHaveLength(1);
    expect(owners.warnings[0]?.fields).toMatchObject({
      stepsLost: 20,
      checkpoint: checkpoints[0],
      writtenBy: [{ codeVersion: "1", nodeVersion: process.version, arch: process.arch }],
    });
    // It had forgotten what was lost: it goes on all the same, and says what it says from now on.
    client.goOn(second);
    expect(client.transport.messages).toEqual([]);
    client.throw();
    await owners.time.advance(TICK_MS);
    client.read();
    expect([client.stepsBack, client.welcome?.stepBackEpoch, client.welcome?.ack]).toEqual([1, 2, 11]);
    await play(owners, client, 3);
    const account = [...upTo(11), 32, 33, 34, 35];
    expect(accountOf(client)).toEqual(account);

    // The second owner is killed as well: its journal is its own code's, and nothing is lost any more.
    client.goOn(owners.next(Written, { codeVersion: "2", survivors: ["ann"] }));
    await play(owners, client, 3);
    expect(accountOf(client)).toEqual([...account, 36, 37, 38]);
    expect(owners.warnings).toHaveLength(1);
    expect([client.stepsBack, client.welcome?.stepBackEpoch, client.welcome?.epoch]).toEqual([1, 2, 3]);
    expect(new Set(client.heard)).toEqual(new Set(upTo(38)));
  });

  test("a client that comes back only after the next owner's death goes on, too", async () => {
    const { owners, client } = await seated(Written);
    slow(owners);
    await play(owners, client, 1);
    await play(owners, client, 20);
    owners.next(Written, { codeVersion: "2" });
    await owners.time.advance(3 * TICK_MS);
    const third = owners.next(Written, { codeVersion: "2" });
    client.resume(third);
    await owners.time.advance(TICK_MS);
    client.read();
    expect([client.stepsBack, client.welcome?.stepBackEpoch, client.welcome?.epoch]).toEqual([1, 2, 3]);
    await play(owners, client, 3);
    expect(accountOf(client)).toEqual([1, 22, 23, 24]);
    // And is not the worse for the death of that one.
    client.resume(owners.next(Written, { codeVersion: "2" }));
    await play(owners, client, 3);
    expect(accountOf(client)).toEqual([1, 22, 23, 24, 25, 26, 27]);
    expect(client.stepsBack).toBe(1);
  });

  test("events since then are not lost with the next owner, although they were counted on from what the client said", async () => {
    const { owners, client } = await seated(Written);
    slow(owners);
    await play(owners, client, 1);
    await play(owners, client, 5);
    client.resume(owners.next(Written, { codeVersion: "2" }));
    await play(owners, client, 1);
    for (let i = 0; i < 3; i++) {
      client.throw();
      await owners.time.advance(TICK_MS);
    }
    // Sent, and never read.
    client.resume(owners.next(Written, { codeVersion: "2" }));
    await play(owners, client, 1);
    await owners.time.advance(TICK_MS);
    client.read();
    expect(client.heard).toEqual(upTo(11));
  });

  test("without a checkpoint, the room is created again with the same seed and options", async () => {
    let options: unknown;
    class Optional extends Written {
      override onCreate(given: JoinOptions) {
        options = given;
      }
    }
    const { owners, client } = await seated(Optional);
    await play(owners, client, 3);
    const second = owners.next(Optional, { codeVersion: "2" });
    expect(second.sessionIds).toEqual([]);
    expect(options).toEqual({ map: "hills" });
    expect(owners.warnings[0]?.fields).toMatchObject({ checkpoint: null, stepsLost: 6 });
    client.resume(second);
    expect(client.transport.closeCode).toBe("SESSION_NOT_FOUND");
  });

  test("of the same code and another Node: nothing to migrate, but no step is trusted", async () => {
    const owners = new Owners();
    owners.writtenOn("v1.0.0", [
      { type: "created", options: {} },
      { type: "joined", sessionId: "ann", options: {}, auth: undefined },
    ]);
    expect(owners.next(Written).sessionIds).toEqual([]);
    expect(owners.warnings).toHaveLength(1);
    expect(owners.warnings[0]?.fields).toMatchObject({ writtenBy: [{ nodeVersion: "v1.0.0" }] });

    const ours = new Owners();
    ours.writtenOn(process.version, [
      { type: "created", options: {} },
      { type: "joined", sessionId: "ann", options: {}, auth: undefined },
    ]);
    expect(ours.next(Written).sessionIds).toEqual(["ann"]);
    expect(ours.warnings).toEqual([]);
  });

  test("nothing is lost when no step follows the checkpoint, and migrate runs", async () => {
    const migrated: SavedByOtherCode[] = [];
    class Migrated extends Written {
      migrate(from: SavedByOtherCode) {
        migrated.push(from);
        this.data.set("migrated", [this.data.get("ann")?.length ?? 0]);
        const ann = this.state.players.get("ann");
        if (ann !== undefined) ann.pips = 7;
      }
    }
    const { owners, client } = await seated(Migrated);
    await play(owners, client, 3);
    slow(owners);
    await play(owners, client, 1);
    const second = owners.next(Migrated, { codeVersion: "2", survivors: ["ann"] });
    expect(owners.warnings).toEqual([]);
    expect(migrated).toHaveLength(1);
    expect(migrated[0]?.codeVersion).toBe("1");
    expect(migrated[0]?.state).toMatchObject({ ticks: 6, players: new Map([["ann", { throws: 4 }]]) });
    expect(Observed.last.data.get("migrated")).toEqual([4]);
    client.goOn(second);
    await owners.time.advance(TICK_MS);
    client.read();
    expect(client.stepsBack).toBe(0);
    // Once: what it has made is what the next owner finds.
    owners.next(Migrated, { codeVersion: "2" });
    expect(migrated).toHaveLength(1);
    expect(Observed.last.state.players.get("ann")?.pips).toBe(7);
  });

  test("with another schema: by name, and migrate does the rest", async () => {
    const Gambler = entity({ throws: u16, purse: u32 }, "Player");
    const Casino = entity({ ticks: u32, players: map(Gambler), isOpen: bool }, "DiceState");
    class Other extends Room<typeof Casino, unknown> {
      static override state = Casino;
      static override tickRate = 20;
      migrate({ state }: SavedByOtherCode) {
        for (const [key, player] of this.state.players) {
          const before = (state.players as Map<string, PlainEntity>).get(key);
          player.purse = 100 * Number(before?.pips);
        }
        this.state.isOpen = true;
      }
    }
    const { owners, client } = await seated(Written);
    await play(owners, client, 1);
    slow(owners);
    await play(owners, client, 1);
    const pips = Observed.last.state.players.get("ann")?.pips ?? 0;
    const second = owners.next(Other, { codeVersion: "2", survivors: ["ann"] });
    client.goOn(second);
    await owners.time.advance(TICK_MS);
    client.read();
    const { schema } = client.welcome ?? {};
    expect(schema).toEqual(describeSchema(Casino));
    const mirror = new Mirror<typeof Casino>(schema ?? []);
    const [, , , , patch] = client.transport.ofType(ServerMessage.SNAPSHOT)[0] ?? [];
    mirror.applySnapshot(patch ?? new Uint8Array(0));
    expect(mirror.state.isOpen).toBe(true);
    expect({ ...mirror.state.players.get("ann") }).toEqual({ throws: 2, purse: 100 * pips });
  });

  test("a migrate that throws ends the room, and says so", async () => {
    class Broken extends Written {
      migrate() {
        throw new Error("cannot be migrated");
      }
    }
    const { owners, client } = await seated(Broken);
    slow(owners);
    await play(owners, client, 1);
    expect(() => owners.next(Broken, { codeVersion: "2" })).toThrow(
      expect.objectContaining({ code: "ROOM_CREATE_FAILED", cause: new Error("cannot be migrated") }),
    );
  });

  test("effects that it does not know are left, and the others run", async () => {
    const runs: string[] = [];
    const run = (input: string, { key }: { key: string }) => {
      runs.push(`${key} ${input}`);
      return new Promise<void>(() => undefined);
    };
    class Early extends Written {
      override effects = { kept: effect({ run }), gone: effect({ run }) };
      override onJoin(client: Client) {
        super.onJoin(client);
        this.effects.gone.start("a");
        this.effects.kept.start("b");
      }
    }
    class Late extends Written {
      override effects = { kept: effect({ run }) };
    }
    const { owners, client } = await seated(Early);
    slow(owners);
    await play(owners, client, 1);
    expect(runs.splice(0)).toEqual(["written:1 a", "written:2 b"]);
    owners.next(Late, { codeVersion: "2" });
    await owners.time.settle();
    expect(runs).toEqual(["written:2 b"]);
    expect(owners.warnings).toHaveLength(1);
  });
});
