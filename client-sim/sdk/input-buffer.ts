/**
 * The inputs the server has not acknowledged in a state yet, each with the body that was predicted after it. Bounded:
 * who finds it full sends no further input.
 *
 *     confirmed --input 5--> body --input 6--> body --input 7--> body = predicted
 */
import { CLIENT_LIMITS } from "./limits.ts";

type Entry<Input, B> = { readonly seq: number; readonly input: Input; body: B | undefined };
/** There is no body before the player has spawned, and none after it has died. */
export type Step<Input, B> = (body: B, input: Input) => B;

export class InputBuffer<Input, B> {
  readonly #step: Step<Input, B>;
  #entries: Entry<Input, B>[] = [];
  #confirmed: B | undefined;

  constructor(step: Step<Input, B>) {
    this.#step = step;
  }

  get size(): number {
    return this.#entries.length;
  }

  get isFull(): boolean {
    return this.#entries.length >= CLIENT_LIMITS.predictedInputsMax;
  }

  /** The body after the last acknowledged input. */
  get confirmed(): B | undefined {
    return this.#confirmed;
  }

  /** The body after all inputs. */
  get predicted(): B | undefined {
    const last = this.#entries.at(-1);
    return last === undefined ? this.#confirmed : last.body;
  }

  push(seq: number, input: Input): void {
    this.#entries.push({ seq, input, body: this.#apply(this.predicted, input) });
  }

  /** The server has applied the inputs up to this one; what was predicted after it counts as confirmed. */
  acknowledge(seq: number): void {
    const count = this.#entries.findIndex((entry) => entry.seq > seq);
    const acknowledged = this.#entries.splice(0, count < 0 ? this.#entries.length : count);
    const last = acknowledged.at(-1);
    if (last !== undefined) this.#confirmed = last.body;
  }

  /** Goes back to a body of the server's and applies the remaining inputs to it. */
  rewind(confirmed: B | undefined): void {
    this.#confirmed = confirmed;
    let body = confirmed;
    for (const entry of this.#entries) {
      body = this.#apply(body, entry.input);
      entry.body = body;
    }
  }

  clear(): void {
    this.#entries = [];
    this.#confirmed = undefined;
  }

  #apply(body: B | undefined, input: Input): B | undefined {
    return body === undefined ? undefined : this.#step(body, input);
  }
}
