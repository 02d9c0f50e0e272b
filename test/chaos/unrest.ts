/**
 * One room, or one worker, gone wrong beside rooms that are played in: what that does to the others, and what becomes
 * of the room.
 */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { Client, type ErrorCode } from "../../client-sim/sdk/index.ts";
import { createRandom, type Random } from "../../shared/sim/random.ts";
import { EchoState } from "../support/rooms/echo.ts";
import type { RunOptions } from "./chaos-case.ts";
import { ChaosServer } from "./chaos-server.ts";
import { Crowd } from "./crowd.ts";
import type { Outcome } from "./outcome.ts";
import { within } from "./within.ts";

/** What is done to the server once. */
export type Unrest = (scene: Scene) => Promise<void>;

export type Scene = {
  readonly server: ChaosServer;
  readonly crowd: Crowd;
  readonly random: Random;
  /** Which time it is, from 0. */
  readonly round: number;
};

/** Few in each, so that there are rooms on all workers. */
const PER_ROOM = 3;
const REST_MS = 500;
/** From the end of the trouble until everybody plays again. */
const CALM_WITHIN_MS = 30_000;
/** A room that goes wrong ends within that, its second attempt included. */
const LEFT_WITHIN_MS = 60_000;

/**
 * @param environment of the server
 * @param unrest done `times` times, each time when the last is over
 */
export async function runUnrest(
  { times, clients, workers, seed, progress }: RunOptions,
  environment: Record<string, string>,
  unrest: Unrest,
): Promise<Outcome> {
  await using server = await ChaosServer.start(workers, environment);
  const crowd = await Crowd.join({ server, clients, seed, perRoom: PER_ROOM });
  const { violations } = crowd.tally;
  const random = createRandom(seed);
  for (let round = 0; round < times; round++) {
    await delay(REST_MS);
    // Rooms may still be on their way because of the last time.
    if (!(await server.still()) || !(await crowd.calm(CALM_WITHIN_MS))) {
      violations.add("Not everybody plays: the rest was not done.");
      break;
    }
    crowd.beginUnrest();
    await unrest({ server, crowd, random, round });
    const { isCalm, breaksMax } = await crowd.endUnrest(CALM_WITHIN_MS);
    if (breaksMax > 1)
      violations.add(`Players of other rooms were interrupted ${breaksMax} times by one fault.`);
    if (!isCalm) {
      violations.add("Not everybody came back: the rest was not done.");
      break;
    }
    progress(`${round + 1} of ${times}`);
  }
  await crowd.finish();
  return crowd.tally.outcome(server.roomsPutAside.length);
}

/**
 * Asks a room of its own to go wrong.
 *
 * @param message what it is asked
 * @param expected why its player has to leave
 * @returns the room's id
 */
export async function goWrong(
  { server, crowd }: Scene,
  message: string,
  expected: ErrorCode,
): Promise<string> {
  const client = new Client(server.url, { webSocket: WebSocket });
  const room = await client.create("unruly", {}, { state: EchoState, rejoin: false });
  const left = new Promise<ErrorCode | "another code">((resolve) =>
    room.onLeave((_code, reason) => resolve(reason ?? "another code")),
  );
  room.send(message);
  const reason = await within(LEFT_WITHIN_MS, left);
  if (reason !== expected)
    crowd.tally.violations.add(
      `The room that was asked to ${message} ended with ${reason ?? "nothing"} instead of ${expected}.`,
    );
  const isAside = server.roomsPutAside.includes(room.roomId);
  if (isAside !== (expected === "ROOM_QUARANTINED"))
    crowd.tally.violations.add(
      `The room that was asked to ${message} was ${isAside ? "" : "not "}put aside.`,
    );
  return room.roomId;
}
