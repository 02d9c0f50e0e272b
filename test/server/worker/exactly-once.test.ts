/**
 * Sessions under everything a network does to them: whatever is lost, cut, resumed, superseded or skipped, messages
 * are applied and events heard exactly once and in order, and mirrors are right after every delivery.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Client } from "../../../server/room/client.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { ModelClient } from "./model-client.ts";
import { RoomHarness } from "./room-harness.ts";
import { Desk, Table } from "./rooms.ts";

const IDS = ["a", "b", "c"];
const EVENTS = ["tell", "tellOthers", "whisper"];

const who = fc.nat({ max: IDS.length - 1 });
const some = fc.integer({ min: 1, max: 4 });
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), who, what: fc.nat({ max: 6 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("up" as const), who, count: some }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("down" as const), who, count: some }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 120 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lose" as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("connect" as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("buffer" as const), who, isFull: fc.boolean() }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

const history = fc.array(command, { minLength: 30, maxLength: 200, size: "max" });

class World {
  readonly harness: RoomHarness;
  readonly clients: ModelClient[];
  /** Payloads of `add` that a client sent, by session, in order. */
  readonly added = new Map<string, number[]>();
  /** Texts of events that the room was asked for. */
  #texts = 0;

  constructor(roomClass: RoomClass) {
    Table.onHook = () => undefined;
    this.harness = new RoomHarness(roomClass);
    this.clients = IDS.map((id) => new ModelClient(this.harness, id));
  }

  async run(step: Command): Promise<void> {
    if (step.do === "pass") return await this.harness.time.advance(step.ms);
    const client = this.clients[step.who];
    if (client === undefined) throw new Error("there is no such client");
    switch (step.do) {
      case "send":
        return this.#send(client, step.what);
      case "up":
        return client.deliverUp(step.count);
      case "down":
        return client.deliverDown(step.count);
      case "lose":
        return client.lose();
      case "connect":
        return client.connect();
      case "buffer":
        client.bufferedBytes = step.isFull ? 1 : 0;
        return;
    }
  }

  #send(client: ModelClient, what: number): void {
    const event = EVENTS[what];
    if (event !== undefined) return client.send(event, `${++this.#texts}`);
    if (what === 3) return client.send("grow", (this.#texts % 5) + 1);
    if (what === 4) return client.send("shrink", null);
    if (what === 5) return client.send("keep", ++this.#texts);
    const added = this.added.get(client.sessionId) ?? [];
    added.push(added.length + 1);
    this.added.set(client.sessionId, added);
    client.send("add", added.length);
  }

  /** Everybody gets a good connection, and time to say and hear all. */
  async settle(): Promise<void> {
    for (const client of this.clients) client.connect();
    for (let round = 0; round < 12; round++) {
      for (const client of this.clients) {
        client.deliverUp(Number.POSITIVE_INFINITY);
        client.deliverDown(Number.POSITIVE_INFINITY);
      }
      await this.harness.time.advance(200);
    }
  }
}

describe.each<[string, RoomClass]>([
  ["with ticks", Table],
  ["without ticks", Desk],
])("in a room %s", (_kind, roomClass) => {
  test("[A1] [E1] [R2] everything is applied and heard exactly once, in order", async () => {
    let resumes = 0;
    await fc.assert(
      fc.asyncProperty(history, async (commands) => {
        const world = new World(roomClass);
        const { harness, clients } = world;
        const said = recordEvents(harness);
        for (const client of clients) client.connect();
        for (const step of commands) await world.run(step);
        await world.settle();
        for (const client of clients) {
          const { sessionId } = client;
          const applied = harness.table.applied.filter((each) => each.sessionId === sessionId);
          expect(applied.map(({ payload }) => payload)).toEqual(world.added.get(sessionId) ?? []);
          expect(client.heard).toEqual(said.get(sessionId) ?? []);
          expect(client.isConnected).toBe(true);
        }
        resumes += harness.table.notes.filter((note) => note.startsWith("onReconnect")).length;
        expect(harness.errors).toEqual([]);
        expect(harness.reported("session-left").length).toBe(lostBeforeJoining(harness));
      }),
      { numRuns: 60 },
    );
    // The runs were of the kind this is about.
    expect(resumes).toBeGreaterThan(50);
  });
});

/** Wraps the room's own sending: what each client with a seat is to hear. */
function recordEvents({ table }: RoomHarness): Map<string, unknown[]> {
  const said = new Map<string, unknown[]>();
  const note = (sessionId: string, payload: unknown) => {
    const heard = said.get(sessionId);
    if (heard === undefined) said.set(sessionId, [payload]);
    else heard.push(payload);
  };
  const broadcast = table.broadcast.bind(table);
  table.broadcast = (type, payload, options) => {
    const { except } = options ?? {};
    for (const client of table.clients) if (client !== except) note(client.sessionId, payload);
    broadcast(type, payload, options);
  };
  const { whisper } = table.messages;
  const { apply } = whisper;
  Object.assign(whisper, {
    apply(client: Client, payload: unknown) {
      note(client.sessionId, payload);
      return apply(client, payload);
    },
  });
  return said;
}

/** Sessions that ended because their only connection broke before the room knew them: they came back as new ones. */
function lostBeforeJoining({ table, reports }: RoomHarness): number {
  const joins = table.notes.filter((note) => note.startsWith("onJoin")).length;
  const left = table.notes.filter((note) => note.startsWith("onLeave")).length;
  expect(left).toBe(0);
  expect(joins).toBe(IDS.length);
  return reports.filter(({ type }) => type === "session-left").length;
}
