/**
 * One simulated player's life: joins, plays when told to, leaves, and reports what happens to it meanwhile. It never
 * throws; what goes wrong is counted.
 */
import type { Scheduler } from "../../shared/time.ts";
import { type ErrorCode, RookeryError, type StateInfo } from "../sdk/index.ts";
import type { DivergenceDetector } from "./divergence.ts";
import { type Measurements, StateSequence } from "./measurements.ts";
import type { BotRoom, Player } from "./strategies/strategy.ts";

export type BotSetup = {
  readonly join: () => Promise<Player>;
  readonly scheduler: Scheduler;
  readonly measurements: Measurements;
  readonly divergence: DivergenceDetector;
};

export class Bot {
  readonly #setup: BotSetup;
  readonly #states = new StateSequence();
  #joining: Promise<void> | undefined;
  #player: Player | undefined;
  #isConnected = false;
  /** The simulation has ended: what happens from here on does not count. */
  #isOver = false;
  /** Last tick whose state was compared. */
  #comparedTick = 0;

  constructor(setup: BotSetup) {
    this.#setup = setup;
  }

  /** True while it has a live connection to its room. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** @param dueMs the scheduler's time at which it wanted to join; from then on it waits */
  join(dueMs: number): Promise<void> {
    this.#joining = this.#join(dueMs);
    return this.#joining;
  }

  async #join(dueMs: number): Promise<void> {
    const { scheduler, measurements } = this.#setup;
    try {
      const player = await this.#setup.join();
      measurements.joinMs.record(scheduler.now() - dueMs);
      measurements.joined += 1;
      this.#player = player;
      this.#isConnected = true;
      this.#watch(player);
    } catch (error) {
      this.#fail(error);
    }
  }

  act(): void {
    if (this.#player === undefined || !this.#isConnected || this.#isOver) return;
    try {
      this.#player.act();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** True in a room without ticks. */
  get isUnticked(): boolean {
    return this.#player?.room.tickRate === 0;
  }

  /** States without a tick have no number to compare by; at rest, everybody in the room must have the same one. */
  compareAtRest(): void {
    if (!this.#player?.comparesState || !this.#isConnected) return;
    const { room } = this.#player;
    if (room.tickRate > 0) return;
    this.#setup.divergence.record(room.roomId, `at rest ${room.roomTimeMs}`, room.mirror.hash());
  }

  /** Settles when it has left, also when it is only just joining. What happens to it from now on does not count. */
  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#joining;
    await this.#player?.room.leave();
  }

  #watch({ room, comparesState }: Player): void {
    const { measurements } = this.#setup;
    room.onState((info) => {
      this.#measure(room, info);
      if (comparesState) this.#compare(room, info);
    });
    room.onDrop((code) => this.#disconnect(code));
    room.onReconnect(() => {
      measurements.reconnects += 1;
      this.#isConnected = true;
    });
    room.onMove(() => this.#states.restart());
    room.onRejoin(() => {
      measurements.rejoins += 1;
      this.#isConnected = true;
      this.#comparedTick = 0;
    });
    room.onLeave((code, reason) => this.#end(code, reason));
    room.onError((error) => this.#fail(error));
    room.onMessage<{ readonly code?: unknown }>("$error", ({ code }) => this.#count(String(code)));
  }

  #measure(room: BotRoom, info: StateInfo): void {
    const latencyMs = room.clock.now() - info.roomTimeMs;
    this.#setup.measurements.recordState({ ...this.#states.next(info), bytes: info.bytes, latencyMs });
  }

  #compare(room: BotRoom, info: StateInfo): void {
    const { divergence } = this.#setup;
    // Each tick once; and the state must still be that of the tick it is announced for.
    if (info.tick <= this.#comparedTick || info.tick !== room.tick || !divergence.isSampled(info.tick))
      return;
    this.#comparedTick = info.tick;
    divergence.record(room.roomId, info.tick, room.mirror.hash());
  }

  #disconnect(code: number): void {
    this.#isConnected = false;
    this.#states.restart();
    if (!this.#isOver) this.#setup.measurements.disconnects.add(code);
  }

  /** The end of the session, uninvited: a lost connection, or one that could not be had again. */
  #end(code: number, reason: ErrorCode | undefined): void {
    if (this.#isConnected) this.#disconnect(code);
    else this.#count(reason ?? String(code));
  }

  #fail(error: unknown): void {
    if (error instanceof RookeryError) this.#count(error.code);
    else this.#count(error instanceof Error ? error.name : "UNKNOWN");
  }

  #count(code: string): void {
    if (!this.#isOver) this.#setup.measurements.errors.add(code);
  }
}
