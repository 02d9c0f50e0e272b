/**
 * A server with mortal rooms: sets their traps, kills their processes, and reads what is written down of them. And what
 * tests of such rooms have in common.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { type RecoveredRoom, readRoom } from "../../../server/journal/journal-reader.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { eventually } from "../../support/eventually.ts";
import { nextMessage } from "../../support/next-message.ts";
import { type Account, MortalState, type Point, slowFile, trapFile } from "../../support/rooms/mortal.ts";
import { type LogLine, ServerProcess } from "../../support/server-process.ts";

/** For the client library. */
export const mortal = { state: MortalState };
export type MortalRoom = Room<typeof MortalState>;

export class MortalServer implements AsyncDisposable {
  readonly process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.process = process;
  }

  static async start(environment: Record<string, string>): Promise<MortalServer> {
    return new MortalServer(await ServerProcess.start(environment));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }

  get client(): Client {
    return new Client(this.process.url, { webSocket: WebSocket });
  }

  /** Whoever comes by this point of the room dies, once. */
  trap(point: Point, name = ""): void {
    writeFileSync(this.trapFile(point, name), "");
  }

  trapFile(point: Point, name: string): string {
    return trapFile(this.process.dataDirectory, point, name);
  }

  /** From now on it takes long to restore the room. */
  slow(name: string): void {
    writeFileSync(slowFile(this.process.dataDirectory, name), "");
  }

  /** The process that runs a room now: the last that has created it or taken it over. */
  pidOf(roomId: string): number {
    return Number(this.process.lines.findLast((line) => isCreated(line, roomId))?.pid);
  }

  signal(name: NodeJS.Signals, roomId: string): void {
    process.kill(this.pidOf(roomId), name);
  }

  /** @returns the line of the log when the room has been taken over next */
  async taken(roomId: string): Promise<LogLine> {
    return await this.process.nextLine((line) => isCreated(line, roomId));
  }

  /** @returns when so many workers are ready, for there are more than that */
  async isManned(workers: number): Promise<void> {
    const count = async () => {
      const answer = await fetch(`${this.process.url}/info`, { headers: { connection: "close" } });
      return ((await answer.json()) as { workers: number }).workers;
    };
    await eventually(count, (ready) => ready >= workers, "workers");
  }

  /** Ids of the rooms that have files. */
  get rooms(): string[] {
    return readdirSync(join(this.process.dataDirectory, "rooms"));
  }

  directoryOf(roomId: string): string {
    return join(this.process.dataDirectory, "rooms", roomId);
  }

  async filesGone(roomId: string): Promise<void> {
    const isThere = () => existsSync(this.directoryOf(roomId));
    await eventually(isThere, (is) => !is, "the files of a room that has ended");
  }

  /** All that stands in the journal of a room that is recorded. */
  journalOf(roomId: string): RecoveredRoom {
    const journal = readRoom(this.directoryOf(roomId), { fromStart: true });
    if (journal === undefined) throw new Error(`there is no journal of ${roomId}`);
    return journal;
  }

  eventsOf(roomId: string): RoomEvent[] {
    return [...this.journalOf(roomId).steps].flatMap(({ events }) => events);
  }

  /** Kills the room's worker. @returns when the room goes on for this client */
  async survives(room: MortalRoom, kill = () => this.signal("SIGKILL", room.roomId)): Promise<void> {
    const back = moved(room);
    kill();
    await back;
  }
}

export function isCreated({ msg, roomId }: LogLine, id: string): boolean {
  return msg === "room created" && roomId === id;
}

/** The room goes on for this client: as a rule over the same connection, over a new one if a message was cut in two. */
export function moved(room: MortalRoom): Promise<void> {
  return new Promise((resolve) => {
    const stops = [room.onMove(() => settle()), room.onReconnect(() => settle())];
    const settle = () => {
      for (const stop of stops) stop();
      resolve();
    };
  });
}

export async function accountOf(room: MortalRoom): Promise<Account> {
  const account = nextMessage(room, "account");
  room.send("account");
  return (await account) as Account;
}

/** Notes the chain of each tick that the client is told, and fails when one is another than before. */
export function noteTicks(room: MortalRoom): Map<number, number> {
  const received = new Map<number, number>();
  room.onState(({ tick }) => {
    // What came before the first listener is told late: then the room shows a newer state already.
    if (tick !== room.tick) return;
    expect(received.get(tick) ?? room.state.chain).toBe(room.state.chain);
    received.set(tick, room.state.chain);
  });
  return received;
}

/** No tick that a client has received is another one in the end. */
export function expectSame(received: ReadonlyMap<number, number>, { ticks }: Account): void {
  expect(ticks.map(({ tick }) => tick)).toEqual(upTo(ticks.length));
  const known = [...received].filter(([tick]) => tick > 0 && tick <= ticks.length);
  expect(known.length).toBeGreaterThan(3);
  for (const [tick, chain] of known) expect(ticks[tick - 1]?.chain).toBe(chain);
}

export function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count - from + 1 }, (_, index) => from + index);
}

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "rookery-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A service outside the server, for effects: it notes the keys that it is asked with, and answers when the test says so. */
export async function outside() {
  const keys: string[] = [];
  const waiting: ServerResponse[] = [];
  let onAsked: () => void = () => undefined;
  const http = createServer(async (request, response) => {
    keys.push(String((await request.toArray())[0]));
    waiting.push(response);
    onAsked();
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    keys,
    answer: (text: string) => void waiting.at(-1)?.end(text),
    asked: async (times: number) => {
      while (keys.length < times) {
        await new Promise<void>((resolve) => {
          onAsked = resolve;
        });
      }
    },
  };
}
