/**
 * The changes a client has not been sent, merged: each entity is remembered once, with the bits of all its changed
 * fields, and values are read when the client can take them. So a client that was skipped gets one newer delta.
 */

import type { EntitySchema } from "./fields.ts";
import type { StateChange } from "./state-change.ts";
import type { StateEncoder } from "./state-encoder.ts";

/** Entities remembered for one client; beyond them a snapshot is the better answer. */
export const PENDING_ENTITIES_MAX = 4_096;

export class PendingChanges {
  readonly #added = new Set<number>();
  readonly #removed = new Set<number>();
  readonly #masks = new Map<number, number>();
  #overflowed = false;

  /** True once more changed than is remembered: the client needs a snapshot, then `clear()`. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  get isEmpty(): boolean {
    return !this.#overflowed && this.#size === 0;
  }

  /** @param change of the last commit */
  add(change: StateChange): void {
    if (this.#overflowed) return;
    for (const { id } of change.removed) {
      this.#masks.delete(id);
      if (!this.#added.delete(id)) this.#removed.add(id);
    }
    for (const { id } of change.added) this.#added.add(id);
    for (const { id, changedMask } of change.changed) {
      if (!this.#added.has(id)) this.#masks.set(id, (this.#masks.get(id) ?? 0) | changedMask);
    }
    if (this.#size > PENDING_ENTITIES_MAX) {
      this.clear();
      this.#overflowed = true;
    }
  }

  /**
   * @param encoder the one whose changes were added, with nothing uncommitted
   * @returns the patch for everyone's fields, and the session's own if there are any
   * @throws Error after an overflow
   */
  encode<S extends EntitySchema>(
    encoder: StateEncoder<S>,
    sessionId: string,
  ): { readonly patch: Uint8Array; readonly own: Uint8Array | undefined } {
    if (this.#overflowed) throw new Error("changes were lost: the client needs a snapshot");
    return encoder.encodeMerged(this.#removed, this.#added, this.#masks, sessionId);
  }

  clear(): void {
    this.#added.clear();
    this.#removed.clear();
    this.#masks.clear();
    this.#overflowed = false;
  }

  get #size(): number {
    return this.#added.size + this.#removed.size + this.#masks.size;
  }
}
