/**
 * The player's own movement without waiting for the server: each input is applied at once by the step that the server
 * runs, and each state sets the prediction right. When the server's body differs from what was predicted for the input
 * it acknowledges, the prediction is rewound to that body and the later inputs are applied to it again.
 *
 * With a step that computes the same bits on both sides, the server always agrees, until it does something to the body
 * that no input says. Source: https://www.gabrielgambetta.com/client-side-prediction-server-reconciliation.html
 */
import type { Scheduler } from "../../shared/time.ts";
import { Correction } from "./correction.ts";
import { InputBuffer, type Step } from "./input-buffer.ts";
import { NumberFields, type NumberKey } from "./number-fields.ts";
import type { StateFeed } from "./state-feed.ts";

export type PredictOptions<State, K extends string, Input, B extends object> = {
  /** Type of the message that carries an input. */
  readonly message: K;
  /** @returns a plain copy of the own body in the state, flat; undefined while there is none */
  readonly read: (state: State) => B | undefined;
  /** Applies one input, as the server decodes it. Pure: it changes neither, and the same arguments give the same. */
  readonly step: Step<Input, B>;
  /** Fields that move over to a corrected value within 100 ms when drawn; the others jump. */
  readonly numbers?: readonly NumberKey<B>[];
  /** The same for angles in radians, which turn the shorter way. */
  readonly angles?: readonly NumberKey<B>[];
  /** Corrections that are farther than this over `numbers`, such as teleports, jump. Default: none does. */
  readonly snapDistance?: number;
};

export type PredictorSetup<Input, B extends object> = {
  readonly options: PredictOptions<never, string, Input, B>;
  readonly read: () => B | undefined;
  /** @returns its sequence number, and the input as the server will decode it */
  readonly send: (input: Input) => { readonly seq: number; readonly input: Input };
  readonly feed: StateFeed;
  readonly scheduler: Scheduler;
};

export class Predictor<Input, B extends object> {
  readonly #setup: PredictorSetup<Input, B>;
  readonly #buffer: InputBuffer<Input, B>;
  readonly #correction: Correction;
  readonly #unfollow: () => void;
  #corrections = 0;

  /** Predictors come from `room.predict`. */
  constructor(setup: PredictorSetup<Input, B>) {
    const { step, numbers, angles, snapDistance = Number.POSITIVE_INFINITY } = setup.options;
    this.#setup = setup;
    this.#buffer = new InputBuffer(step);
    this.#correction = new Correction(new NumberFields(numbers, angles), snapDistance);
    this.#buffer.rewind(setup.read());
    this.#unfollow = setup.feed.follow({
      onState: ({ ack }) => this.#reconcile(ack),
      onNewSession: () => this.#restart(),
    });
  }

  /** The prediction, after all inputs sent. For logic; to draw, take `shown`. */
  get body(): B | undefined {
    return this.#buffer.predicted;
  }

  /** Inputs that no state acknowledges yet. */
  get pending(): number {
    return this.#buffer.size;
  }

  /** How many states have changed the prediction. */
  get corrections(): number {
    return this.#corrections;
  }

  /**
   * Sends an input and applies it. Values off the grid of a binary input schema are snapped to it, here as on the
   * wire: a duration must be rounded by the caller, who carries the rest over to the next input.
   *
   * @returns the message's sequence number; undefined, and nothing is done, while 256 inputs wait for the server
   * @throws what `room.send` throws
   */
  send(input: Input): number | undefined {
    if (this.#buffer.isFull) return undefined;
    const sent = this.#setup.send(input);
    this.#buffer.push(sent.seq, sent.input);
    return sent.seq;
  }

  /**
   * @param nowMs the scheduler's time of the frame, `performance.now()` in a browser; default: now
   * @param unsent what the player has been doing since the last input, when frames come more often than inputs
   * @returns the body to draw
   */
  shown(nowMs: number = this.#setup.scheduler.now(), unsent?: Input): B | undefined {
    const { body } = this;
    if (body === undefined) return undefined;
    const latest = unsent === undefined ? body : this.#setup.options.step(body, unsent);
    return this.#correction.applyTo(latest, nowMs);
  }

  /** Follows the room no more. */
  stop(): void {
    this.#unfollow();
  }

  #reconcile(ack: number): void {
    const body = this.#setup.read();
    this.#buffer.acknowledge(ack);
    if (isSame(body, this.#buffer.confirmed)) return;
    const nowMs = this.#setup.scheduler.now();
    const before = this.#buffer.predicted;
    this.#buffer.rewind(body);
    const after = this.#buffer.predicted;
    if (before === undefined || after === undefined) return this.#correction.cancel();
    if (isSame(before, after)) return;
    this.#corrections += 1;
    this.#correction.begin(this.#correction.applyTo(before, nowMs), after, nowMs);
  }

  #restart(): void {
    this.#buffer.clear();
    this.#correction.cancel();
  }
}

/** Flat objects, field by field and bit by bit. */
function isSame(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const other = b as Record<string, unknown>;
  return Object.entries(a).every(([name, value]) => Object.is(value, other[name]));
}
