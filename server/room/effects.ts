/**
 * Effects: what a room does outside itself, such as saving a score. `run` is asynchronous and runs outside the
 * room's step; its result comes back into the room as an event. A replay never runs `run`.
 */
import assert from "node:assert/strict";
import { LIMITS } from "../limits.ts";

export type EffectContext = {
  /** The same for every attempt at this effect, also after a crash: make the outside world idempotent by it. */
  readonly key: string;
  /** Aborts when the room ends. */
  readonly signal: AbortSignal;
};

type EffectHooks<Input, Result> = {
  readonly run: (input: Input, context: EffectContext) => Promise<Result>;
  readonly done?: (result: Result, input: Input) => void;
  readonly failed?: (error: Error, input: Input) => void;
};

/** What a room's `effects` may hold: an effect of any input and result. */
export type AnyEffect = {
  readonly hooks: {
    readonly run: (input: never, context: EffectContext) => Promise<unknown>;
    readonly done?: (result: never, input: never) => void;
    readonly failed?: (error: Error, input: never) => void;
  };
  bind(name: string, effects: RoomEffects): void;
};

export class EffectDefinition<Input, Result> implements AnyEffect {
  readonly hooks: EffectHooks<Input, Result>;
  #bound: { readonly name: string; readonly effects: RoomEffects } | undefined;

  constructor(hooks: EffectHooks<Input, Result>) {
    this.hooks = hooks;
  }

  /** @internal */
  bind(name: string, effects: RoomEffects): void {
    this.#bound = { name, effects };
  }

  /**
   * Starts the effect after this step.
   *
   * @param input plain data
   * @returns the effect's key
   * @throws RangeError when too many are under way
   */
  start(input: Input): string {
    assert(this.#bound, "effects can be started from onCreate on, not in the constructor");
    return this.#bound.effects.start(this.#bound.name, input);
  }
}

/** Declares an effect of a room, as a member of its `effects`. `done` and `failed` run within a step. */
export function effect<Input, Result>(hooks: EffectHooks<Input, Result>): EffectDefinition<Input, Result> {
  return new EffectDefinition(hooks);
}

export type PendingEffect = {
  readonly key: string;
  readonly name: string;
  readonly input: unknown;
};

export type SavedEffects = { readonly count: number; readonly pending: readonly PendingEffect[] };

/** The effects of one room that have been started and have no result yet. */
export class RoomEffects {
  readonly #pending = new Map<string, PendingEffect>();
  readonly #roomId: string;
  readonly #onStart: (effect: PendingEffect) => void;
  #count = 0;

  constructor(roomId: string, onStart: (effect: PendingEffect) => void) {
    this.#roomId = roomId;
    this.#onStart = onStart;
  }

  /** Those that have no result yet, in the order in which they were started. */
  get pending(): readonly PendingEffect[] {
    return [...this.#pending.values()];
  }

  save(): SavedEffects {
    return { count: this.#count, pending: this.pending };
  }

  restore({ count, pending }: SavedEffects): void {
    this.#count = count;
    this.#pending.clear();
    for (const effect of pending) this.#pending.set(effect.key, effect);
  }

  start(name: string, input: unknown): string {
    if (this.#pending.size >= LIMITS.roomEffectsMax) {
      throw new RangeError(`A room has at most ${LIMITS.roomEffectsMax} effects under way.`);
    }
    const pending = { key: `${this.#roomId}:${++this.#count}`, name, input };
    this.#pending.set(pending.key, pending);
    this.#onStart(pending);
    return pending.key;
  }

  /** Takes an effect out whose result has come. */
  take(key: string): PendingEffect | undefined {
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    return pending;
  }
}
