/** Every example room, restored from a checkpoint at random steps, goes on exactly as the room itself. */

import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { Arena } from "../../../server/games/arena.ts";
import { ConnectFour } from "../../../server/games/connect-four.ts";
import { World } from "../../../server/games/world.ts";
import {
  DeterminismCheck,
  type Difference,
  firstDifference,
  restoredCopy,
} from "../../../server/room/determinism.ts";
import { message } from "../../../server/room/messages.ts";
import { Room } from "../../../server/room/room.ts";
import { loadRoomClass, type RoomClass, type RoomSource } from "../../../server/room/room-class.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { RoomRuntime } from "../../../server/room/room-runtime.ts";
import { timer } from "../../../server/room/timers.ts";
import { MoveInput } from "../../../shared/games/arena/schema.ts";
import { SteerInput } from "../../../shared/games/world/schema.ts";
import { encodeInput, entity, map, u32 } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";

const IDENTITY = { roomId: "room", code: "CODE", seed: 7 };
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const PLAYERS = ["ann", "ben", "cid", "dot"];

type Traffic = (random: () => number, sessionId: string, seq: number) => RoomEvent;

const TRAFFIC: Readonly<Record<string, Traffic>> = {
  arena: (random, sessionId, seq) => {
    const direction = () => Math.floor(random() * 255) - 127;
    const input = {
      durationMs: 50,
      dx: direction(),
      dy: direction(),
      aim: random() * 6 - 3,
      shoot: random() < 0.5,
      seenAtMs: 0,
    };
    return { type: "message", sessionId, seq, message: "move", payload: encodeInput(MoveInput, input) };
  },
  "connect-four": (random, sessionId, seq) => {
    const isDrop = random() < 0.9;
    const payload = isDrop ? { column: Math.floor(random() * 7) } : null;
    return { type: "message", sessionId, seq, message: isDrop ? "drop" : "rematch", payload };
  },
  world: (random, sessionId, seq) => {
    const direction = () => Math.floor(random() * 255) - 127;
    const input = { dx: direction(), dy: direction(), sprint: random() < 0.3 };
    return { type: "message", sessionId, seq, message: "steer", payload: encodeInput(SteerInput, input) };
  },
};

/** A seeded run of a room: players come, go, drop, return and send; each step is given to `observe`. */
function run(
  roomClass: RoomClass,
  traffic: Traffic,
  steps: number,
  observe: (
    room: RoomRuntime,
    nowMs: number,
    events: RoomEvent[],
    result: ReturnType<RoomRuntime["step"]>,
  ) => void,
): void {
  const { next: random } = createRandom(3);
  const room = new RoomRuntime(roomClass, IDENTITY, SILENT);
  const seqs = new Map<string, number>();
  let nowMs = 0;
  const step = (events: RoomEvent[]) => observe(room, nowMs, events, room.step(nowMs, events));
  step([{ type: "created", options: {} }]);
  for (let index = 0; index < steps; index++) {
    nowMs += 50;
    const events: RoomEvent[] = [];
    for (const sessionId of PLAYERS) {
      const client = room.clients.get(sessionId);
      const dice = random();
      if (client === undefined) {
        if (dice < 0.2) events.push({ type: "joined", sessionId, options: { name: sessionId }, auth: null });
        seqs.set(sessionId, 0);
      } else if (dice < 0.01) events.push({ type: "left", sessionId, consented: dice < 0.005 });
      else if (dice < 0.03) {
        events.push(
          client.isDropped
            ? { type: "returned", sessionId, tokenGeneration: 1 }
            : { type: "dropped", sessionId },
        );
      } else if (!client.isDropped && dice < 0.8) {
        const seq = (seqs.get(sessionId) ?? 0) + 1;
        seqs.set(sessionId, seq);
        events.push(traffic(random, sessionId, seq));
      }
    }
    for (const timerId of room.timers.due(nowMs)) events.push({ type: "timer", timerId });
    if (roomClass.tickRate > 0) events.push({ type: "tick", dtMs: 50 });
    step(events);
  }
}

function differencesOf(roomClass: RoomClass, traffic: Traffic, steps: number): Difference[] {
  const check = new DeterminismCheck(roomClass, IDENTITY, createRandom(5).next);
  const differences: Difference[] = [];
  run(roomClass, traffic, steps, (room, nowMs, events, result) => {
    const difference = check.observe(room, nowMs, events, result);
    if (difference !== undefined) differences.push(difference);
  });
  return differences;
}

describe.each<[string, RoomSource]>([
  ["arena", Arena],
  ["connect-four", ConnectFour],
  ["world", World],
])("%s", (name, source) => {
  const traffic = TRAFFIC[name] as Traffic;

  it("goes on from a checkpoint as the room itself", async () => {
    expect(differencesOf(await loadRoomClass(name, source), traffic, 1_500)).toEqual([]);
  });

  it("is the same after a checkpoint as before it", async () => {
    const roomClass = await loadRoomClass(name, source);
    let steps = 0;
    run(roomClass, traffic, 300, (room) => {
      steps += 1;
      if (steps % 20 === 0)
        expect(firstDifference(room, restoredCopy(room, roomClass, IDENTITY))).toBeUndefined();
    });
  });
});

const Counter = entity({ count: u32 }, "Counter");
const CounterState = entity({ counters: map(Counter) }, "CounterState");

/** Keeps what it must not keep. */
class Forgetful extends Room<typeof CounterState, { sum: number }> {
  static state = CounterState;
  static tickRate = 20;
  data = { sum: 0 };
  hidden = 0;
  messages = { any: message(v.unknown(), () => undefined) };

  onCreate() {
    this.state.counters.set("ticks", {});
  }

  onTick() {
    this.hidden += 1;
    const ticks = this.state.counters.get("ticks");
    if (ticks !== undefined) ticks.count = this.hidden;
  }
}

class Gambler extends Forgetful {
  override onTick() {
    this.data.sum += Math.random();
  }
}

class Patient extends Forgetful {
  timers = {
    wake: timer<{ by: number }>(({ by }) => {
      this.data.sum += by;
    }),
  };

  override onCreate() {
    super.onCreate();
    this.timers.wake.every(70, { by: 2 });
  }

  override onTick() {
    this.data.sum += this.random();
  }
}

describe("a room that is not a function of its events", () => {
  const idle: Traffic = (_random, sessionId, seq) => ({
    type: "message",
    sessionId,
    seq,
    message: "any",
    payload: null,
  });

  it("is found, and the field named: state kept outside state and data", async () => {
    const [first] = differencesOf(await loadRoomClass("forgetful", Forgetful), idle, 400);
    expect(first?.path).toBe("state.counters.ticks.count");
    expect(first?.room).toBeGreaterThan(Number(first?.copy));
  });

  it("is found, and the field named: Math.random", async () => {
    const [first] = differencesOf(await loadRoomClass("gambler", Gambler), idle, 400);
    expect(first?.path).toBe("data.sum");
  });

  it("is not found where there is none: timers and the room's own random numbers", async () => {
    expect(differencesOf(await loadRoomClass("patient", Patient), idle, 1_000)).toEqual([]);
  });
});
