/**
 * Entities of a room as they move between states. What is drawn is a little in the past (see `PlaybackClock`), where
 * the states before and after are both known; nothing is guessed ahead of them. Entities come and go at their time.
 */
import type { Scheduler } from "../../shared/time.ts";
import type { NumberFields } from "./number-fields.ts";
import type { PlaybackClock } from "./playback-clock.ts";
import type { StateFeed } from "./state-feed.ts";
import { type Moment, Track } from "./track.ts";

/** Entities by key: a map of the state, or what a generator picks from one. */
export type Entities<E> = Iterable<readonly [key: string, entity: E]>;

export type InterpolateOptions<N extends string, A extends string> = {
  readonly numbers: readonly N[];
  /** In radians; they turn the shorter way. */
  readonly angles?: readonly A[];
  /** Ways that are longer than this over `numbers`, from one state to the next, are jumped. Default: none is. */
  readonly snapDistance?: number;
};

/** The interpolated fields of one entity. */
export type Interpolated<F extends string> = { readonly [field in F]: number };

export type InterpolatorSetup<E> = {
  readonly select: () => Entities<E>;
  readonly fields: NumberFields;
  readonly snapDistance: number | undefined;
  /** Shared by all interpolators of the room, and told of each state before them. */
  readonly playback: PlaybackClock;
  readonly feed: StateFeed;
  readonly scheduler: Scheduler;
  /** Estimated room time now. */
  readonly roomNow: () => number;
  /** Room time of the state at hand. */
  readonly roomTimeMs: number;
};

export class Interpolator<E extends object, F extends string> {
  readonly #setup: InterpolatorSetup<E>;
  readonly #tracks = new Map<string, Track<E>>();
  readonly #unfollow: () => void;

  /** Interpolators come from `room.interpolate`. */
  constructor(setup: InterpolatorSetup<E>) {
    this.#setup = setup;
    this.#record(setup.roomTimeMs);
    this.#unfollow = setup.feed.follow({
      onState: ({ roomTimeMs }) => this.#record(roomTimeMs),
      onNewSession: () => this.#tracks.clear(),
    });
  }

  /** Room time of what was drawn last. A game sends it with a shot, for the server to see what the shooter saw. */
  get renderTimeMs(): number {
    return this.#setup.playback.shownMs;
  }

  /** How far that is behind the room's clock. */
  get delayMs(): number {
    return this.#setup.roomNow() - this.renderTimeMs;
  }

  /**
   * @param nowMs the scheduler's time of the frame, `performance.now()` in a browser; default: now
   * @returns undefined when the entity is not there at the time that is drawn
   */
  sample(key: string, nowMs: number = this.#setup.scheduler.now()): Interpolated<F> | undefined {
    const timeMs = this.#setup.playback.advance(nowMs);
    const moment = this.#tracks.get(key)?.at(timeMs);
    return moment && this.#shown(moment);
  }

  /**
   * All that are there at the time that is drawn, also those that the state no longer has.
   *
   * @param nowMs the scheduler's time of the frame
   * @returns `entity` is the state's own, for the fields that need no interpolation: as it is now, or was last
   */
  *entries(
    nowMs: number = this.#setup.scheduler.now(),
  ): IterableIterator<[key: string, at: Interpolated<F>, entity: E]> {
    const timeMs = this.#setup.playback.advance(nowMs);
    for (const [key, track] of this.#tracks) {
      const moment = track.at(timeMs);
      if (moment !== undefined) yield [key, this.#shown(moment), moment.entity];
    }
  }

  /** Follows the room no more. */
  stop(): void {
    this.#unfollow();
    this.#tracks.clear();
  }

  #record(roomTimeMs: number): void {
    const { select, fields, snapDistance = Number.POSITIVE_INFINITY, playback } = this.#setup;
    const present = new Set<string>();
    for (const [key, entity] of select()) {
      present.add(key);
      let track = this.#tracks.get(key);
      if (track === undefined) {
        track = new Track(fields, snapDistance);
        this.#tracks.set(key, track);
      }
      track.add(roomTimeMs, entity);
    }
    for (const [key, track] of this.#tracks) {
      if (!present.has(key) && !track.isVacant) track.vacate(roomTimeMs);
      if (!track.trim(playback.horizonMs)) this.#tracks.delete(key);
    }
  }

  #shown({ values }: Moment<E>): Interpolated<F> {
    const named = this.#setup.fields.names.map((name, i) => [name, values[i]]);
    return Object.fromEntries(named) as Interpolated<F>;
  }
}
