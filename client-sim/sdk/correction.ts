/**
 * Hides the jump when a prediction turns out wrong: what is drawn begins where it was and moves over to the corrected
 * body within a short time. Only what is drawn is blended, never the body that further steps start from.
 */
import { CLIENT_LIMITS } from "./limits.ts";
import type { NumberFields } from "./number-fields.ts";

export class Correction {
  readonly #fields: NumberFields;
  readonly #snapDistance: number;
  /** From the corrected body to what was drawn before; undefined when nothing is left to hide. */
  #offsets: readonly number[] | undefined;
  #startedAtMs = 0;

  /** @param snapDistance a longer way is jumped */
  constructor(fields: NumberFields, snapDistance: number) {
    this.#fields = fields;
    this.#snapDistance = snapDistance;
  }

  /** @param shown what has been drawn until now */
  begin(shown: object, corrected: object, nowMs: number): void {
    const offsets = this.#fields.differences(this.#fields.valuesOf(corrected), this.#fields.valuesOf(shown));
    this.#offsets = this.#fields.distance(offsets) > this.#snapDistance ? undefined : offsets;
    this.#startedAtMs = nowMs;
  }

  cancel(): void {
    this.#offsets = undefined;
  }

  /** @returns the body itself once nothing is left of the correction */
  applyTo<B extends object>(body: B, nowMs: number): B {
    const part = Math.max(0, nowMs - this.#startedAtMs) / CLIENT_LIMITS.correctionMs;
    if (this.#offsets === undefined || part >= 1) return body;
    // Smoothstep: begins and ends without a jerk.
    const rest = 1 - part * part * (3 - 2 * part);
    const values = this.#fields.valuesOf(body);
    const blended = this.#offsets.map((offset, i) => [
      this.#fields.names[i],
      (values[i] as number) + offset * rest,
    ]);
    return { ...body, ...Object.fromEntries(blended) };
  }
}
