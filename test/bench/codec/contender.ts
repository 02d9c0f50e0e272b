/** A codec of states, as the workload sees it. */
import type { Tick } from "./track.ts";

export type Codec = {
  /** Lets a tick happen to the server's state. @returns what has changed; the bytes are good until the next call */
  readonly encode: (tick: Tick) => Uint8Array;
  /** Brings the client's state up to date. */
  readonly decode: (bytes: Uint8Array) => void;
  /** Makes the client's state that of the server as it is now. */
  readonly begin: () => void;
  /** Of a player in the client's state and in the server's, to see that the codec does something. */
  readonly xOf: (player: number) => { readonly client: number; readonly server: number };
};
