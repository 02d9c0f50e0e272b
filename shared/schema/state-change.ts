/**
 * What one step changed: the bytes for clients that are up to date, and the same as lists of entities for those that will
 * get it merged with later changes. Of spatial entities, only `isEmpty` tells anything. Good until the next commit.
 */
export type StateChange = {
  readonly isEmpty: boolean;
  /** For every client; empty when nothing public changed. */
  readonly patch: Uint8Array;
  /** For single sessions, beside `patch`: their private fields. */
  readonly ownerPatches: ReadonlyMap<string, Uint8Array>;
  /** New entities, holders before what they hold. */
  readonly added: readonly { readonly id: number }[];
  /** Removed entities, without what was inside them. */
  readonly removed: readonly { readonly id: number }[];
  /** Changed entities, and for each the bits of its changed fields. */
  readonly changed: readonly { readonly id: number; readonly changedMask: number }[];
};

export const NO_CHANGE: StateChange = {
  isEmpty: true,
  patch: new Uint8Array(0),
  ownerPatches: new Map(),
  added: [],
  removed: [],
  changed: [],
};
