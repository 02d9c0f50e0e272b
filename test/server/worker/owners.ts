/**
 * A room that goes from one owner to the next: each may be killed, which leaves nothing of it but its files, and what it
 * had sent. In simulated time, with connections in memory.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CreateRoom } from "../../../server/ipc/messages.ts";
import { JournalSync } from "../../../server/journal/journal-sync.ts";
import { RoomJournal } from "../../../server/journal/room-journal.ts";
import { ValueWriter } from "../../../server/journal/value-writer.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { createHostedRoom } from "../../../server/worker/create-room.ts";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import { TickScheduler } from "../../../server/worker/tick-scheduler.ts";
import type { Scheduler } from "../../../shared/time.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { FaultyFs, makeTemporaryDirectory, servicesOn } from "../journal/journal-harness.ts";
import { RoomHarness } from "./room-harness.ts";

type Logged = { readonly fields: Readonly<Record<string, unknown>>; readonly sentence: string };
type OwnerOptions = { readonly codeVersion?: string; readonly survivors?: readonly string[] };

export class Owners {
  readonly time = new SimulatedTime(1_000);
  readonly fs = new FaultyFs();
  readonly failed = new Set<string>();
  readonly warnings: Logged[] = [];
  readonly errors: Logged[] = [];
  /** By how much clocks have run on while a room's code did. */
  lagMs = 0;
  readonly #directory = makeTemporaryDirectory();
  #epoch = 0;
  #life = { isOver: false };

  /** The next owner of the room; the one before is no more. */
  next(roomClass: RoomClass, { codeVersion = "1", survivors = [] }: OwnerOptions = {}): HostedRoom {
    this.kill();
    const create = this.#nextCreate();
    const scheduler = this.#mortal();
    const services = {
      ...new RoomHarness().services,
      scheduler,
      ticks: new TickScheduler(scheduler, () => 0),
      defer: (callback: () => void) => void scheduler.setTimeout(callback, 0),
      newTag: () => 0xc0ff_ee00 + this.#epoch,
      log: {
        info: () => undefined,
        warn: (fields: object, sentence: string) =>
          void this.warnings.push({ fields: { ...fields }, sentence }),
        error: (fields: object, sentence: string) =>
          void this.errors.push({ fields: { ...fields }, sentence }),
      },
      journals: {
        dataDirectory: this.#directory,
        codeVersion,
        failed: this.failed,
        services: { fs: this.fs, sync: new JournalSync(this.fs, 0, scheduler), writer: new ValueWriter() },
      },
    };
    return createHostedRoom(create, roomClass, services, new Set(survivors));
  }

  /** An owner on another Node has written these steps, one event each. */
  writtenOn(nodeVersion: string, events: readonly RoomEvent[]): void {
    const journal = RoomJournal.create({
      directory: this.roomDirectory,
      origin: { create: this.#nextCreate(), codeVersion: "1", nodeVersion, arch: process.arch },
      recovered: undefined,
      keepAll: false,
      services: servicesOn(this.fs),
      onFailure: (error) => {
        throw error;
      },
    });
    for (const event of events) journal.append(0, [event]);
    journal.close();
  }

  /** The owner's process ends at once. */
  kill(): void {
    this.#life.isOver = true;
    this.#life = { isOver: false };
  }

  /** Of the room, sorted. */
  get files(): string[] {
    return readdirSync(this.roomDirectory).sort();
  }

  get checkpoints(): string[] {
    return this.files.filter((name) => name.endsWith(".checkpoint"));
  }

  get dataDirectory(): string {
    return this.#directory;
  }

  get roomDirectory(): string {
    return join(this.#directory, "rooms", "written");
  }

  #nextCreate(): CreateRoom {
    this.#epoch += 1;
    const options = { map: "hills" };
    return { roomId: "written", roomType: "dice", code: "CODE", seed: 1, epoch: this.#epoch, options };
  }

  /** Time that stands still with its owner's death. */
  #mortal(): Scheduler {
    const life = this.#life;
    const { time } = this;
    return {
      now: () => time.now() + this.lagMs,
      setTimeout: (callback, delayMs) => time.setTimeout(() => void (life.isOver || callback()), delayMs),
      clearTimeout: (handle) => time.clearTimeout(handle),
    };
  }
}
