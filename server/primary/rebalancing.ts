/**
 * Spreads the rooms over the workers again. When a worker has died, others have its rooms, and the one that replaces
 * it has none: the cores are used unevenly, and the next death would cost more players a moment than it has to. So a
 * while after a worker has become ready, rooms move to where there are fewer clients, one after the other. Each move
 * costs the clients of one room a moment, on the same socket.
 */
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { LIMITS } from "../limits.ts";
import type { RoomDirectory, RoomEntry } from "./room-directory.ts";
import type { RoomPlacement } from "./room-placement.ts";

export type RebalancingOptions = {
  readonly scheduler: Scheduler;
  /** Ids of those that take rooms. */
  readonly workers: () => readonly number[];
  /** What of the room is under way can follow it. */
  readonly canMove: (room: RoomEntry) => boolean;
  readonly log: { info(fields: object, message: string): void };
};

type Move = { readonly room: RoomEntry; readonly workerId: number };

/** How often it is tried to spread the rooms: some cannot leave at the moment, because of a client or an effect. */
const ROUNDS_MAX = 4;
/** Two workers are about equally full when they differ by less than this share of what the fuller one has. */
const GAP_SHARE_MIN = 0.2;

export class Rebalancing {
  readonly #directory: RoomDirectory;
  readonly #placement: RoomPlacement;
  readonly #options: RebalancingOptions;
  #timer: TimerHandle | undefined;
  /** The rooms of this round: each is asked once. */
  #asked = new Set<string>();
  #moving: Move | undefined;
  #moved = 0;
  /** Rounds that may still be made as long as the rooms are not spread. */
  #roundsLeft = 0;
  /** When the last worker became ready, and how many there were then. */
  #lastReady = { atMs: 0, workers: 0 };
  #isStopped = false;
  #onStill: () => void = () => undefined;

  constructor(directory: RoomDirectory, placement: RoomPlacement, options: RebalancingOptions) {
    this.#directory = directory;
    this.#placement = placement;
    this.#options = options;
  }

  /** A worker is ready. Others may become so together with it. */
  workerReady(): void {
    if (this.#isStopped || this.#directory.size === 0) return;
    this.#asked = new Set();
    this.#roundsLeft = ROUNDS_MAX - 1;
    const { scheduler, workers } = this.#options;
    this.#lastReady = { atMs: scheduler.now(), workers: workers().length };
    this.#nextIn(LIMITS.rebalanceAfterMs);
  }

  /** The room's worker has let it go. @param connectionIds those that go with it */
  released(room: RoomEntry, connectionIds: readonly number[]): void {
    const { workerId } = this.#moving?.room === room ? this.#moving : room;
    const isReady = this.#options.workers().includes(workerId);
    this.#placement.moveOn(room, isReady ? workerId : undefined, connectionIds);
    this.#moved += 1;
  }

  /**
   * The server shuts down: no other room moves.
   *
   * @returns settles when none is between two workers, where nobody would end it in order, or when that takes too long
   */
  async stop(): Promise<void> {
    const { scheduler } = this.#options;
    this.#isStopped = true;
    if (this.#timer !== undefined) scheduler.clearTimeout(this.#timer);
    if (this.#moving === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onStill = resolve;
    const tooLong = scheduler.setTimeout(resolve, LIMITS.moveMs);
    await promise;
    scheduler.clearTimeout(tooLong);
  }

  /** From a timer: by then what was to be sent to the room's worker has been. */
  #nextIn(delayMs: number): void {
    const { scheduler } = this.#options;
    if (this.#timer !== undefined) scheduler.clearTimeout(this.#timer);
    this.#timer = scheduler.setTimeout(() => {
      this.#timer = undefined;
      this.#next();
    }, delayMs);
  }

  #next(): void {
    if (this.#moving !== undefined) return; // it goes on when that has ended
    const move = this.#choose();
    if (move === undefined) return this.#endRound();
    this.#moving = move;
    this.#asked.add(move.room.roomId);
    this.#placement.release(move.room);
    const goOn = () => {
      this.#moving = undefined;
      this.#onStill();
      if (!this.#isStopped && this.#timer === undefined) this.#nextIn(0);
    };
    // Open at the other worker, or still at its own, or gone.
    move.room.opened.promise.then(goOn, goOn);
  }

  /** Rooms that could not move now may later. */
  #endRound(): void {
    this.#asked = new Set();
    const isEven = this.#choose(() => true) === undefined;
    if (!isEven && this.#roundsLeft > 0) {
      this.#roundsLeft -= 1;
      return this.#nextIn(LIMITS.rebalanceAgainMs);
    }
    const outcome = isEven ? "rooms are spread over the workers" : "rooms could not be spread evenly";
    this.#options.log.info({ moved: this.#moved }, outcome);
    this.#moved = 0;
    // One has died meanwhile: it goes on when that is replaced.
    if (this.#options.workers().length < this.#lastReady.workers) return;
    this.#directory.settle(this.#lastReady.atMs);
  }

  /**
   * The move that evens out most between the fullest worker and the emptiest. Rooms that a death has displaced go first,
   * since the players of others are to notice nothing of it; while such a one is busy, others wait for the last round.
   */
  #choose(canMove = this.#options.canMove): Move | undefined {
    const loads = this.#options.workers().map((workerId) => {
      const rooms = this.#directory.roomsOf(workerId);
      return { workerId, rooms, load: rooms.reduce((sum, room) => sum + loadOf(room), 0) };
    });
    loads.sort((a, b) => a.load - b.load);
    const emptiest = loads[0];
    const fullest = loads.at(-1);
    if (fullest === undefined || emptiest === undefined) return undefined;
    const gap = fullest.load - emptiest.load;
    if (gap < GAP_SHARE_MIN * fullest.load) return undefined;
    const worthIt = fullest.rooms
      .map((room) => ({ room, gain: gap - Math.abs(gap - 2 * loadOf(room)) }))
      // A move that turns the difference around is not worth its moment.
      .filter(({ room, gain }) => gain >= loadOf(room) && room.type.durability === "journal")
      .sort((a, b) => Number(isDisplaced(b.room)) - Number(isDisplaced(a.room)) || b.gain - a.gain);
    const othersWait = this.#roundsLeft > 0 && worthIt.some(({ room }) => isDisplaced(room));
    const best = worthIt.find(({ room }) => {
      const isFit = room.phase === "open" && (isDisplaced(room) || !othersWait);
      return isFit && !this.#asked.has(room.roomId) && canMove(room);
    });
    return best && { room: best.room, workerId: emptiest.workerId };
  }
}

function isDisplaced({ displacedAtMs }: RoomEntry): boolean {
  return displacedAtMs !== undefined;
}

/** By the seats, and one for the room itself. */
function loadOf({ seats }: RoomEntry): number {
  return seats.size + 1;
}
