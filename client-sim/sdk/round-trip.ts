/**
 * A round trip somebody is waiting for. One is under way at a time; whoever asks meanwhile gets the same answer.
 */
import { RookeryError } from "../../shared/errors.ts";

type Waiting = PromiseWithResolvers<number> & { readonly sentAtMs: number };

export class RoundTrip {
  #waiting: Waiting | undefined;

  /** @returns the round trip in ms of the first ping sent from now on that is answered */
  begin(nowMs: number): Promise<number> {
    this.#waiting ??= { ...Promise.withResolvers<number>(), sentAtMs: nowMs };
    return this.#waiting.promise;
  }

  measured(sentAtMs: number, rttMs: number): void {
    if (this.#waiting === undefined || sentAtMs < this.#waiting.sentAtMs) return;
    this.#waiting.resolve(rttMs);
    this.#waiting = undefined;
  }

  /** There is no connection, or it was lost. */
  fail(): void {
    this.#waiting?.reject(new RookeryError("TIMEOUT", "There is no connection."));
    this.#waiting = undefined;
  }
}
