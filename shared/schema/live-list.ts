/**
 * A list field on the server: an array of values that notices its changes.
 */
import { refused, toListValue } from "./codec.ts";
import { LIST_LENGTH_MAX } from "./fields.ts";
import type { FieldLayout } from "./layout.ts";
import type { ListValue } from "./record.ts";
import type { LiveRecord } from "./store.ts";

export class LiveList<T extends ListValue> implements Iterable<T> {
  readonly #record: LiveRecord;
  readonly #field: FieldLayout;
  readonly #values: T[];

  constructor(record: LiveRecord, field: FieldLayout) {
    this.#record = record;
    this.#field = field;
    this.#values = record.lists[field.slot] as T[];
  }

  get length(): number {
    return this.#values.length;
  }

  /** @returns undefined past the end */
  get(index: number): T | undefined {
    return this.#values[index];
  }

  /** @throws RangeError past the end, or when the field cannot hold the value */
  set(index: number, value: T): void {
    if (!(Number.isInteger(index) && index >= 0 && index < this.#values.length)) {
      throw new RangeError(`${this.#record.shape.name}.${this.#field.name} has no element ${index}`);
    }
    const stored = this.#stored(value);
    if (this.#values[index] === stored) return;
    this.#values[index] = stored;
    this.#mark();
  }

  /** @throws RangeError at LIST_LENGTH_MAX elements, or when the field cannot hold the value */
  push(value: T): void {
    this.#checkLength(this.#values.length + 1);
    this.#values.push(this.#stored(value));
    this.#mark();
  }

  pop(): T | undefined {
    if (this.#values.length > 0) this.#mark();
    return this.#values.pop();
  }

  clear(): void {
    if (this.#values.length > 0) this.#mark();
    this.#values.length = 0;
  }

  /** Makes the list equal to `values`. @throws RangeError, and changes nothing, when they do not fit */
  replace(values: Iterable<T>): void {
    const stored = Array.from(values, (value) => this.#stored(value));
    this.#checkLength(stored.length);
    if (stored.length === this.#values.length && stored.every((value, i) => value === this.#values[i]))
      return;
    this.#values.length = 0;
    for (const value of stored) this.#values.push(value);
    this.#mark();
  }

  indexOf(value: T): number {
    return this.#values.indexOf(value);
  }

  includes(value: T): boolean {
    return this.#values.includes(value);
  }

  toArray(): T[] {
    return this.#values.slice();
  }

  [Symbol.iterator](): ArrayIterator<T> {
    return this.#values.values();
  }

  #stored(value: T): T {
    return toListValue(this.#field, this.#record.shape.name, value) as T;
  }

  #checkLength(length: number): void {
    if (length > LIST_LENGTH_MAX) {
      throw refused(this.#field, this.#record.shape.name, `${length} elements`);
    }
  }

  #mark(): void {
    this.#record.mark(this.#field.bit);
  }
}
