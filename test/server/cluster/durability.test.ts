/** What a room with durability "checkpoint" keeps when its worker is killed: all that was saved, and every input once. */
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../../../client-sim/sdk/index.ts";
import { LIMITS } from "../../../server/limits.ts";
import { eventually } from "../../support/eventually.ts";
import { nextMessage } from "../../support/next-message.ts";
import { Dice, DiceState } from "../../support/rooms/dice.ts";
import { ServerProcess } from "../../support/server-process.ts";

const KILLS = 3;
const SEND_MS = 10;
/** A scheduler that comes late makes a checkpoint late. */
const SLACK_TICKS = 5;
const STEP_BACK_TICKS = (LIMITS.checkpointIntervalMs / 1_000) * Dice.tickRate + SLACK_TICKS;

/** The process that runs a room now: the last that has created it or taken it over. */
function pidOf(server: ServerProcess, roomId: string): number {
  return Number(server.lines.findLast((line) => line.msg === "room created" && line.roomId === roomId)?.pid);
}

test.each([
  ["1", "the same"],
  ["0", "a new"],
] as const)(
  "with RETAIN_SOCKETS=%s, over %s connection, inputs are neither lost nor doubled",
  async (retain, over) => {
    await using server = await ServerProcess.start({ WORKERS: "2", RETAIN_SOCKETS: retain });
    const client = new Client(server.url, { webSocket: WebSocket });
    const room = await client.create("dice", {}, { state: DiceState });
    const { roomId, sessionId } = room;
    room.onRejoin(() => expect.unreachable("the room is there, and the seat in it"));
    const stepsBack: number[] = [];
    const ways: string[] = [];
    room.onMove(() => ways.push("the same"));
    room.onReconnect(() => ways.push("a new"));
    let lastTick = 0;
    room.onStepBack(() => stepsBack.push(lastTick - room.tick));
    room.onState(({ tick }) => {
      lastTick = tick;
    });
    const heard: number[] = [];
    room.onMessage<number>("thrown", (number) => heard.push(number));
    const sent: number[] = [];
    const talk = setInterval(() => {
      sent.push(sent.length + 1);
      room.send("throw", sent.length);
    }, SEND_MS);
    for (let kill = 1; kill <= KILLS; kill++) {
      const { length } = heard;
      await eventually(
        () => heard.length - length,
        (count) => count >= 60 * kill,
        "throws heard",
      );
      process.kill(pidOf(server, roomId), "SIGKILL");
      await eventually(
        () => stepsBack.length,
        (count) => count === kill,
        "steps back",
      );
    }
    clearInterval(talk);
    const account = nextMessage(room, "account");
    room.send("account");
    expect(await account).toEqual(sent);
    expect(room.state.players.get(sessionId)?.throws).toBe(sent.length);
    // What it did again it said again.
    expect(heard.length).toBeGreaterThanOrEqual(sent.length);
    expect([...new Set(heard)].toSorted((a, b) => a - b)).toEqual(sent);
    expect({ roomId: room.roomId, sessionId: room.sessionId }).toEqual({ roomId, sessionId });
    expect(ways).toEqual(Array.from({ length: KILLS }, () => over));
    expect(Math.max(...stepsBack)).toBeLessThanOrEqual(STEP_BACK_TICKS);
    await room.leave();
  },
);
