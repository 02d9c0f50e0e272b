/**
 * A room's checkpoint: everything that its next step depends on, as bytes. A runtime restored from it goes on as the
 * one that was saved would have.
 */
import { deserialize, serialize } from "node:v8";
import type { SchemaDescriptor } from "../../shared/schema/index.ts";
import type { RandomState } from "../../shared/sim/random.ts";
import type { ClientView } from "./client.ts";
import type { SavedEffects } from "./effects.ts";
import type { Listing } from "./room-runtime.ts";
import type { SavedTimers } from "./timers.ts";

export type SavedClient = {
  readonly sessionId: string;
  readonly slot: number;
  readonly auth: unknown;
  readonly isDropped: boolean;
  readonly lastMessageSeq: number;
  readonly view: ClientView | undefined;
};

export type RuntimeCheckpoint = {
  readonly nowMs: number;
  readonly tick: number;
  readonly random: RandomState;
  /** Of `StateEncoder.serialize`. */
  readonly state: Uint8Array;
  /** The room's `data`. */
  readonly data: unknown;
  /** What the room's own `save` returned. */
  readonly custom: Uint8Array | undefined;
  readonly clients: readonly SavedClient[];
  readonly timers: SavedTimers;
  readonly effects: SavedEffects;
  readonly listing: Listing;
};

/** What saved a checkpoint, where that is not the code that takes it up. */
export type OtherCode = { readonly codeVersion: string; readonly schema: SchemaDescriptor };

/** @throws DataCloneError when `data` holds what cannot be cloned, such as a function */
export function encodeCheckpoint<T extends object>(checkpoint: T): Uint8Array {
  return serialize(checkpoint);
}

/** @param bytes of `encodeCheckpoint`, whose integrity has been checked */
export function decodeCheckpoint<T extends object>(bytes: Uint8Array): T {
  return deserialize(bytes) as T;
}
