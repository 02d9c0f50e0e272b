/**
 * A match of the arena in this process, written down as a worker writes it, and taken up as a worker takes it up. The
 * state's hash after each step is known, so that whatever comes back can be judged.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Arena } from "../../server/games/arena.ts";
import { nodeFs } from "../../server/journal/journal-fs.ts";
import { readRoom } from "../../server/journal/journal-reader.ts";
import { JournalSync } from "../../server/journal/journal-sync.ts";
import { RoomJournal } from "../../server/journal/room-journal.ts";
import { segmentName } from "../../server/journal/segment-format.ts";
import { ValueWriter } from "../../server/journal/value-writer.ts";
import { decodeCheckpoint, encodeCheckpoint, type RuntimeCheckpoint } from "../../server/room/checkpoint.ts";
import { SILENT } from "../../server/room/determinism.ts";
import { loadRoomClass, type RoomClass } from "../../server/room/room-class.ts";
import type { RoomEvent, StepResult } from "../../server/room/room-events.ts";
import { RoomRuntime } from "../../server/room/room-runtime.ts";
import { type ArenaState, MoveInput } from "../../shared/games/arena/schema.ts";
import { encodeInput } from "../../shared/schema/index.ts";
import { createRandom, type Random } from "../../shared/sim/random.ts";
import { systemScheduler } from "../../shared/time.ts";
import { RoomDriver } from "../support/room-driver.ts";
import { below } from "./mutations.ts";

const SERVICES = {
  fs: nodeFs,
  sync: new JournalSync(nodeFs, 0, systemScheduler),
  writer: new ValueWriter(),
};
const INPUT_MS = 50;
const FULL_SPEED = 127;

export class JournaledRoom extends RoomDriver<typeof ArenaState> {
  readonly directory: string;
  /** The state's hash after each step, by the step's index; the first is 1. */
  readonly hashes: number[] = [];
  /** Name of the newest segment, and its length after each step, by the step's index. */
  segment = "";
  readonly lengths: number[] = [];
  readonly #roomClass: RoomClass;
  readonly #seed: number;
  readonly #random: Random;
  readonly #players: readonly string[];
  #journal: RoomJournal;
  #epoch = 0;
  #segmentNumber = 0;

  static async begin(directory: string, players: number, seed: number): Promise<JournaledRoom> {
    return new JournaledRoom(directory, players, seed, await loadRoomClass("arena", Arena));
  }

  private constructor(directory: string, players: number, seed: number, roomClass: RoomClass) {
    super(roomClass, seed);
    this.directory = directory;
    this.#roomClass = roomClass;
    this.#seed = seed;
    this.#random = createRandom(seed);
    this.#journal = this.#own();
    this.#players = Array.from({ length: players }, (_, player) => `s${player}`);
    this.step({ type: "created", options: { bots: 0 } });
    for (const sessionId of this.#players) this.join(sessionId);
  }

  override step(...events: RoomEvent[]): StepResult {
    this.#journal.append(this.nowMs, events);
    const result = super.step(...events);
    const { index } = this.#journal;
    this.hashes[index] = this.runtime.encoder.hash();
    this.lengths[index] = statSync(join(this.directory, this.segment)).size;
    return result;
  }

  /** Index of the last step. */
  get index(): number {
    return this.#journal.index;
  }

  play(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      this.tick(this.#players.map((sessionId) => this.message(sessionId, "move", this.#move())));
    }
  }

  checkpoint(): void {
    this.#journal.checkpoint(encodeCheckpoint(this.runtime.save()));
    this.#segmentNumber += 1;
    this.segment = segmentName(this.#epoch, this.#segmentNumber);
  }

  /** Another owner goes on. */
  changeOwner(): void {
    this.#journal = this.#own();
  }

  /**
   * @returns the hash of what a worker would make of the files now, and the index of its last step; undefined if it
   * would find no room
   * @throws JournalDamaged
   */
  restore(): { readonly index: number; readonly hash: number } | undefined {
    const room = readRoom(this.directory);
    if (room === undefined || room.lastIndex === 0) return undefined;
    const runtime = new RoomRuntime(this.#roomClass, this.#create(), SILENT);
    if (room.checkpoint !== undefined)
      runtime.restore(decodeCheckpoint<RuntimeCheckpoint>(room.checkpoint.bytes));
    for (const { atMs, events } of room.steps) runtime.step(atMs, events);
    return { index: room.lastIndex, hash: runtime.encoder.hash() };
  }

  #own(): RoomJournal {
    this.#epoch += 1;
    this.#segmentNumber = 0;
    this.segment = segmentName(this.#epoch, 0);
    return RoomJournal.create({
      directory: this.directory,
      origin: {
        create: this.#create(),
        codeVersion: "chaos",
        nodeVersion: process.version,
        arch: process.arch,
      },
      recovered: readRoom(this.directory),
      keepAll: false,
      services: SERVICES,
      onFailure: (error) => {
        throw error;
      },
    });
  }

  #create() {
    const create = { roomId: "room", roomType: "arena", code: "CODE", options: { bots: 0 } };
    return { ...create, seed: this.#seed, epoch: this.#epoch };
  }

  #move(): Uint8Array {
    const random = this.#random;
    const speed = () => below(2 * FULL_SPEED, random) - FULL_SPEED;
    return encodeInput(MoveInput, {
      dx: speed(),
      dy: speed(),
      durationMs: INPUT_MS,
      aim: (random.next() * 2 - 1) * Math.PI,
      shoot: random.next() < 0.5,
      seenAtMs: Math.floor(this.nowMs),
    });
  }
}
