/**
 * What is known of one key over the last moments: samples in the order of their times, from which any moment between
 * them is worked out. While nobody has the key there is a sample without an entity.
 */
import type { NumberFields } from "./number-fields.ts";

type Sample<E> = {
  readonly timeMs: number;
  /** Undefined: from this time on nobody is there. */
  readonly entity: E | undefined;
  readonly values: readonly number[];
  /** What leads here from the sample before; undefined when it is not a way but a jump. */
  readonly way: readonly number[] | undefined;
};

/** What was there at a moment. */
export type Moment<E> = { readonly entity: E; readonly values: readonly number[] };

/** However short the intervals are; the oldest go first. */
const SAMPLES_MAX = 256;

export class Track<E extends object> {
  readonly #fields: NumberFields;
  readonly #snapDistance: number;
  readonly #samples: Sample<E>[] = [];

  /** @param snapDistance a longer way between two samples is a jump */
  constructor(fields: NumberFields, snapDistance: number) {
    this.#fields = fields;
    this.#snapDistance = snapDistance;
  }

  /** True when nobody is there at the end. */
  get isVacant(): boolean {
    return this.#samples.at(-1)?.entity === undefined;
  }

  /** @param timeMs not before that of an earlier sample; at the same time the later sample counts */
  add(timeMs: number, entity: E): void {
    const values = this.#fields.valuesOf(entity);
    this.#samples.push({ timeMs, entity, values, way: this.#wayTo(entity, values) });
  }

  /** Nobody is there from this time on. */
  vacate(timeMs: number): void {
    this.#samples.push({ timeMs, entity: undefined, values: [], way: undefined });
  }

  /** @returns undefined when nobody was there, or nothing is known */
  at(timeMs: number): Moment<E> | undefined {
    const i = this.#samples.findLastIndex((sample) => sample.timeMs <= timeMs);
    const sample = this.#samples[i];
    if (sample?.entity === undefined) return undefined;
    const { entity, values } = sample;
    const next = this.#samples[i + 1];
    if (next?.way === undefined) return { entity, values };
    const { way } = next;
    const part = (timeMs - sample.timeMs) / (next.timeMs - sample.timeMs);
    return { entity, values: values.map((value, field) => value + (way[field] as number) * part) };
  }

  /**
   * Lets go of what is not needed to work out this moment and later ones.
   *
   * @returns false when nothing is left of it
   */
  trim(timeMs: number): boolean {
    const first = this.#samples.findLastIndex((sample) => sample.timeMs <= timeMs);
    this.#samples.splice(0, Math.max(first, this.#samples.length - SAMPLES_MAX));
    return this.#samples.some(({ entity }) => entity !== undefined);
  }

  #wayTo(entity: E, values: readonly number[]): readonly number[] | undefined {
    const last = this.#samples.at(-1);
    if (last?.entity !== entity) return undefined;
    const way = this.#fields.differences(last.values, values);
    return this.#fields.distance(way) > this.#snapDistance ? undefined : way;
  }
}
