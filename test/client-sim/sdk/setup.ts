/** A client and a server in memory, for the tests of this folder. */
import { Client, type ClientOptions } from "../../../client-sim/sdk/client.ts";
import type { Room } from "../../../client-sim/sdk/room.ts";
import type { RoomOptions } from "../../../client-sim/sdk/types.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { BASE_URL } from "./fake-host.ts";
import { FakeServer, MoveInput, TestState } from "./fake-server.ts";

export const MESSAGES = { move: MoveInput };
export type TestRoom = Room<typeof TestState, typeof MESSAGES>;
export type TestRoomOptions = RoomOptions<typeof TestState, typeof MESSAGES>;

/** Clears the pings at the start of a connection. */
export const BURST_MS = 1_000;

/** Another client of the same server. */
export function clientOf(server: FakeServer, options: ClientOptions = {}): Client {
  const { webSocket, fetch, time: scheduler } = server;
  return new Client(BASE_URL, { webSocket, fetch, scheduler, random: () => 0.5, ...options });
}

export function makeClient(options: ClientOptions = {}): {
  time: SimulatedTime;
  server: FakeServer;
  client: Client;
} {
  // Not from zero: no test may depend on a clock that starts with its room.
  const time = new SimulatedTime(5_000_000);
  const server = new FakeServer(time);
  return { time, server, client: clientOf(server, options) };
}

/** Lets simulated time pass until the promise settles. */
export async function settled<T>(time: SimulatedTime, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const done = (): void => {
    isSettled = true;
  };
  promise.then(done, done);
  while (!isSettled) {
    const ran = await time.advanceToNext();
    if (!ran && !isSettled) throw new Error("nothing is left that could settle the promise");
  }
  return promise;
}

export type Joined = { time: SimulatedTime; server: FakeServer; client: Client; room: TestRoom };

/** In the room, with the pings of the start over. */
export async function joinRoom(
  options: ClientOptions = {},
  roomOptions: TestRoomOptions = {},
): Promise<Joined> {
  const { time, server, client } = makeClient(options);
  const joining = client.joinOrCreate("arena", {}, { state: TestState, messages: MESSAGES, ...roomOptions });
  const room = await settled(time, joining);
  await time.advance(BURST_MS);
  return { time, server, client, room };
}

type Observable = Pick<Room, "onDrop" | "onReconnect" | "onMove" | "onRejoin" | "onLeave" | "onMessage">;

/** What a room tells, as lines. */
export function record(room: Observable): string[] {
  const lines: string[] = [];
  room.onDrop((code, reason) => lines.push(`drop ${code} ${reason}`));
  room.onReconnect(() => lines.push("reconnect"));
  room.onMove(() => lines.push("move"));
  room.onRejoin(() => lines.push("rejoin"));
  room.onLeave((code, reason) => lines.push(`leave ${code} ${reason}`));
  room.onMessage("*", (payload, type) => lines.push(`${type} ${JSON.stringify(payload)}`));
  return lines;
}
