/** Runs the effects of one room outside its steps and brings their results back as events. */
import { decodePayload, encodePayload } from "../../shared/protocol/codec.ts";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import type { AnyEffect, EffectContext, PendingEffect } from "../room/effects.ts";
import type { RoomEvent } from "../room/room-events.ts";

export class EffectRunner {
  readonly #scheduler: Scheduler;
  readonly #onResult: (event: RoomEvent) => void;
  readonly #abort = new AbortController();
  #pendingCount = 0;
  #deadline: TimerHandle | undefined;

  constructor(scheduler: Scheduler, onResult: (event: RoomEvent) => void) {
    this.#scheduler = scheduler;
    this.#onResult = onResult;
  }

  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** Once aborted, nothing starts any more: an effect that is tried again when it fails must not go on for ever. */
  start(effect: PendingEffect, hooks: AnyEffect["hooks"]): void {
    if (this.#abort.signal.aborted) return;
    this.#pendingCount += 1;
    const run = hooks.run as (input: unknown, context: EffectContext) => Promise<unknown>;
    const finish = (result: { value: unknown } | { error: string }) => {
      this.#pendingCount -= 1;
      this.#onResult({ type: "effect", key: effect.key, result });
    };
    // Called in a later microtask, so that a `run` that throws at once is an effect that failed, not a failed step.
    Promise.resolve()
      .then(() => this.#untilAborted(run(effect.input, { key: effect.key, signal: this.#abort.signal })))
      // A replay gives the room what was written down; live, it gets the same.
      .then((value) => (value === undefined ? undefined : decodePayload(encodePayload(value))))
      .then(
        (value) => finish({ value }),
        (error: unknown) =>
          finish({
            error: error instanceof Error ? error.message : String(error),
          }),
      );
  }

  /** An effect that does not heed its signal must not keep the room from ending. */
  #untilAborted(result: Promise<unknown>): Promise<unknown> {
    const { signal } = this.#abort;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    // It may have been aborted between the start and this microtask.
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    return Promise.race([result, promise]).finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Gives what is under way this long. */
  abortAfter(delayMs: number): void {
    this.#deadline ??= this.#scheduler.setTimeout(() => this.abort(), delayMs);
  }

  abort(): void {
    if (this.#deadline !== undefined) this.#scheduler.clearTimeout(this.#deadline);
    this.#abort.abort(new Error("The room has ended."));
  }
}
