/**
 * What each durability promises when a room's owner dies: "journal" that it was never gone, "checkpoint" a short step
 * back in which no input is lost, "none" nothing.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import type { Client } from "../../../server/room/client.ts";
import { effect } from "../../../server/room/effects.ts";
import { ClientMessage, ServerMessage } from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { Dice } from "../../support/rooms/dice.ts";
import { systemError } from "../journal/journal-harness.ts";
import { DiceClient } from "./dice-client.ts";
import {
  accountOf,
  Cup,
  Observed,
  play,
  seated,
  slow,
  TICK_MS,
  Unwritten,
  upTo,
  Written,
} from "./dice-rooms.ts";
import { Owners } from "./owners.ts";

describe('"journal"', () => {
  test("goes on where it was, over whatever connection", async () => {
    const { owners, client } = await seated(Written);
    await play(owners, client, 30);
    const { tick, roomTimeMs } = client;
    const second = owners.next(Written, { survivors: ["ann"] });
    client.goOn(second);
    await owners.time.advance(TICK_MS);
    client.read();
    expect(accountOf(client)).toEqual(upTo(30));
    expect([client.tick, client.stepsBack]).toEqual([tick + 1, 0]);
    expect(client.roomTimeMs).toBeCloseTo(roomTimeMs + TICK_MS, 0);
    expect(client.welcome).toMatchObject({ savesLater: false, stepBackEpoch: 0, epoch: 2 });
    expect(client.heard).toEqual(upTo(30));
    expect(client.transport.ofType(ServerMessage.SAVED)).toEqual([]);
  });

  test("[R2] [A1] refuses a client that says it has had more, or sent more, than was ever written down", async () => {
    const { owners, client } = await seated(Written);
    await play(owners, client, 3);
    const second = owners.next(Written);
    client.events += 1;
    client.resume(second);
    expect(client.transport.closeCode).toBe("SESSION_OVERFLOW");

    const other = await seated(Written);
    await play(other.owners, other.client, 3);
    other.client.resume(other.owners.next(Written));
    await other.owners.time.advance(TICK_MS);
    other.client.transport.receive([ClientMessage.MESSAGE, 9, 0, "throw", 9]);
    expect(other.client.transport.closeCode).toBe("PROTOCOL_ERROR");
  });
});

test.each([
  ["in its steps", () => undefined],
  ["in its checkpoint", slow],
])(
  "who was told to leave has to, although the owner has died meanwhile: it stands %s",
  async (_where, before) => {
    class Strict extends Written {
      override onTick() {
        super.onTick();
        if (this.state.ticks === 5) this.clients.get("ann")?.leave("out");
      }
    }
    const { owners, client } = await seated(Strict);
    await owners.time.advance((5 - Observed.last.state.ticks - 1) * TICK_MS);
    before(owners);
    await owners.time.advance(TICK_MS);
    expect(client.transport.closeCode).toBe("KICKED");
    const room = owners.next(Strict);
    expect(room.sessionIds).toEqual(["ann"]);
    await owners.time.advance(TICK_MS);
    expect(room.sessionIds).toEqual([]);
  },
);

test('"none" is lost', async () => {
  const { owners, client } = await seated(Unwritten);
  await play(owners, client, 3);
  expect(() => owners.files).toThrow("ENOENT");
  const second = owners.next(Unwritten);
  expect(second.sessionIds).toEqual([]);
  expect(second.resumeMessage("ann", 1)).toBeUndefined();
});

describe('"checkpoint"', () => {
  test.each(["goOn", "resume"] as const)(
    "goes back a short way, and every input counts once (%s)",
    async (way) => {
      const { owners, client } = await seated(Observed);
      await play(owners, client, 30);
      const { tick, roomTimeMs, forgotten } = client;
      expect(forgotten).toBeGreaterThan(0);
      expect(forgotten).toBeLessThan(30);
      const heardBefore = client.heard.length;

      const second = owners.next(Observed, { survivors: ["ann"] });
      client[way](second);
      await owners.time.advance(TICK_MS);
      client.read();
      expect(client.welcome).toMatchObject({ savesLater: true, stepBackEpoch: 2, epoch: 2, resumed: true });
      expect(client.stepsBack).toBe(1);
      const stepBackMs = roomTimeMs + TICK_MS - client.roomTimeMs;
      expect(stepBackMs).toBeGreaterThan(0);
      expect(stepBackMs).toBeLessThanOrEqual(LIMITS.checkpointIntervalMs);
      expect(tick + 1 - client.tick).toBe(stepBackMs / TICK_MS);
      await play(owners, client, 5);
      expect(accountOf(client)).toEqual(upTo(35));
      // What happened since the checkpoint has happened again.
      expect(client.heard.slice(0, heardBefore)).toEqual(upTo(30));
      expect(client.heard.slice(heardBefore)).toEqual(upTo(35).slice(forgotten));
    },
  );

  test("the step back is never longer than the interval, whenever it comes", async () => {
    for (let ticks = 1; ticks < 45; ticks++) {
      const { owners, client } = await seated(Observed);
      await play(owners, client, ticks);
      const { roomTimeMs } = client;
      client.resume(owners.next(Observed));
      await owners.time.advance(TICK_MS);
      client.read();
      expect(roomTimeMs + TICK_MS - client.roomTimeMs).toBeLessThanOrEqual(LIMITS.checkpointIntervalMs);
    }
  });

  test("nobody's seat is set back: who joined, left or was dropped a moment ago has", async () => {
    const { owners, client } = await seated(Observed);
    let room = owners.next(Observed, { survivors: ["ann"] });
    client.goOn(room);
    await owners.time.advance(2 * TICK_MS);
    client.read();
    const bob = new DiceClient("bob");
    bob.join(room);
    await owners.time.advance(TICK_MS);
    bob.read();
    const { resumeToken } = bob.welcome ?? {};

    room = owners.next(Observed);
    expect([...room.sessionIds].sort()).toEqual(["ann", "bob"]);
    bob.resume(room);
    client.resume(room);
    await owners.time.advance(TICK_MS);
    for (const one of [bob, client]) one.read();
    expect(bob.welcome).toMatchObject({ resumed: true, sessionId: "bob" });
    expect(bob.welcome?.resumeToken).not.toBe(resumeToken);
    bob.transport.receive([ClientMessage.LEAVE]);
    client.lose();
    await owners.time.advance(TICK_MS);

    room = owners.next(Observed);
    expect(room.sessionIds).toEqual(["ann"]);
    expect(Observed.last.clients.get("ann")?.isDropped).toBe(true);
  });

  test("a seat is kept for as long as the room said when its client was dropped", async () => {
    class Patient extends Observed {
      override onDrop(client: Client) {
        this.allowReconnection(client, 3 * Dice.reconnectMs);
      }
    }
    const { owners, client } = await seated(Patient);
    client.lose();
    await owners.time.advance(2 * TICK_MS);
    const room = owners.next(Patient);
    await owners.time.advance(2 * Dice.reconnectMs);
    expect(room.sessionIds).toEqual(["ann"]);
    await owners.time.advance(Dice.reconnectMs + 2 * TICK_MS);
    expect(room.sessionIds).toEqual([]);
  });

  test("what is told to be saved is never lost, and nothing counts twice, whenever owners die", async () => {
    const random = createRandom(5);
    const below = (count: number) => Math.floor(random.next() * count);
    for (let round = 0; round < 20; round++) {
      const roomClass = round % 4 === 0 ? Cup : Observed;
      const { owners, client } = await seated(roomClass);
      for (let i = 0; i < 120; i++) {
        const action = below(20);
        if (action < 9) client.throw();
        else if (action < 17) await owners.time.advance(below(4) * TICK_MS);
        else if (action < 19) client.read(below(5));
        else {
          const room = owners.next(roomClass, { survivors: ["ann"] });
          if (client.transport.isOpen && below(2) === 0) client.goOn(room);
          else client.resume(room);
        }
        expect(client.transport.closeCode).toBeUndefined();
      }
      client.read();
      await owners.time.advance(3 * LIMITS.checkpointIntervalMs);
      client.read();
      expect(accountOf(client)).toEqual(upTo(client.lastSeq));
      expect([client.ack, client.forgotten]).toEqual([client.lastSeq, client.lastSeq]);
      expect(new Set(client.heard)).toEqual(new Set(upTo(client.lastSeq)));
    }
  });

  test("[A6] SAVED comes with a state, once for a checkpoint", async () => {
    const { owners, client } = await seated(Observed);
    const from = client.transport.messages.length;
    await play(owners, client, 40);
    const messages = client.transport.messages.slice(from);
    const withSaved = messages.filter((values) => values.some(([type]) => type === ServerMessage.SAVED));
    expect(withSaved.length).toBe(2);
    for (const [first, second] of withSaved) {
      expect([first?.[0], second?.[0]]).toEqual([ServerMessage.STATE, ServerMessage.SAVED]);
    }
    expect(messages).toHaveLength(40);
  });

  test("[A6] who was skipped is told what is saved once it is", async () => {
    const { owners, client } = await seated(Cup);
    await play(owners, client, 1);
    await owners.time.advance(LIMITS.checkpointIntervalMs);
    client.read();
    expect(client.forgotten).toBe(1);
    client.transport.bufferedBytes = 1;
    await play(owners, client, 10);
    // The checkpoint is made meanwhile, and nothing happens any more.
    await owners.time.advance(2 * LIMITS.checkpointIntervalMs);
    client.read();
    expect(client.forgotten).toBe(1);
    client.transport.bufferedBytes = 0;
    await owners.time.advance(LIMITS.checkpointIntervalMs);
    client.read();
    expect([client.ack, client.forgotten]).toEqual([11, 11]);
  });

  test("without ticks, the last messages are saved although nothing follows them", async () => {
    const { owners, client } = await seated(Cup);
    await play(owners, client, 5);
    await owners.time.advance(LIMITS.checkpointIntervalMs);
    client.read();
    expect(client.forgotten).toBe(5);
    const sent = client.transport.messages.length;
    const { pendingTimers } = owners.time;
    await owners.time.advance(5 * LIMITS.checkpointIntervalMs);
    expect(client.transport.messages.length).toBe(sent);
    expect(owners.time.pendingTimers).toBeLessThanOrEqual(pendingTimers);
    owners.next(Cup);
    expect(accountOf(client)).toEqual(upTo(5));
  });

  test("its files stay few, and hold no steps", async () => {
    const { owners, client } = await seated(Observed);
    await play(owners, client, 400);
    expect(owners.files.filter((name) => name.endsWith(".checkpoint"))).toHaveLength(2);
    expect(owners.files.length).toBeLessThanOrEqual(4);
  });

  test("killed before its first checkpoint it is created again, as it was", () => {
    const owners = new Owners();
    owners.next(Observed);
    const first = Observed.last.random();
    owners.next(Observed);
    expect(Observed.last.random()).toBe(first);
  });

  test("effects that are under way are in a checkpoint before they are started", async () => {
    const runs: string[] = [];
    class Saving extends Observed {
      override effects = {
        save: effect({
          run: (input: number, { key }) => {
            runs.push(`${key} ${input}`);
            return new Promise<void>(() => undefined);
          },
        }),
      };
      override onTick() {
        super.onTick();
        if (this.clock.tick % 7 === 0) this.effects.save.start(this.clock.tick);
      }
    }
    const { owners } = await seated(Saving);
    await owners.time.advance(6 * TICK_MS);
    expect(runs).toEqual(["written:1 7"]);
    owners.next(Saving);
    await owners.time.settle();
    expect(runs).toEqual(["written:1 7", "written:1 7"]);
    await owners.time.advance(7 * TICK_MS);
    expect(runs.slice(2)).toEqual(["written:2 14"]);
  });

  test("a full disk stops neither the room nor its clients, and is made good by the next checkpoint", async () => {
    const { owners, client } = await seated(Observed);
    await play(owners, client, 30);
    const saved = client.forgotten;
    owners.fs.before = (call) => {
      if (call === "write" || call === "createFile" || call === "replaceFile") throw systemError("ENOSPC");
    };
    await play(owners, client, 60);
    expect([...owners.failed]).toEqual(["written"]);
    expect(owners.errors.map(({ sentence }) => sentence)).toHaveLength(2);
    // They would have to stop otherwise.
    expect(client.forgotten).toBeGreaterThan(60);
    const { forgotten } = client;

    // It dies before it is good again: what clients have forgotten is lost, and they go on all the same.
    owners.fs.before = () => undefined;
    const second = owners.next(Observed, { survivors: ["ann"] });
    client.goOn(second);
    await owners.time.advance(2 * TICK_MS);
    client.read();
    await play(owners, client, 10);
    expect(client.transport.closeCode).toBeUndefined();
    const lost = upTo(forgotten).slice(saved);
    expect(accountOf(client)).toEqual(upTo(100).filter((seq) => !lost.includes(seq)));
    expect([...owners.failed]).toEqual([]);
  });

  test("a room that cannot be saved goes on, which is logged once, and counts as not written down", async () => {
    class Careless extends Observed {
      override save(): Uint8Array {
        throw new Error("not now");
      }
    }
    const { owners, client } = await seated(Careless);
    await play(owners, client, 60);
    expect(owners.errors.map(({ sentence }) => sentence)).toEqual(["a checkpoint could not be written"]);
    expect([...owners.failed]).toEqual(["written"]);
    expect(client.heard).toEqual(upTo(60));
  });
});
