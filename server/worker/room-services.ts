/** What a hosted room needs of its worker. */
import type { WorkerToPrimary } from "../ipc/messages.ts";
import type { StepMark } from "../journal/step-mark.ts";
import type { KeyedHash } from "../keyed-hash.ts";
import type { RoomLog } from "../room/room.ts";
import type { PaceServices } from "./room-pace.ts";
import type { Journals } from "./room-recorder.ts";
import type { StepLoad } from "./step-load.ts";

export type RoomServices = PaceServices & {
  /** The worker's number, from 0. */
  readonly worker: number;
  /** Makes the secrets of resume tokens. */
  readonly tokenHash: KeyedHash;
  /** In development: rooms are checked for being a function of their events. */
  readonly checksDeterminism: boolean;
  /** Undefined: rooms are not written down, and die with their worker. */
  readonly journals: Journals | undefined;
  /** A random 32-bit number. */
  readonly newTag: () => number;
  readonly report: (message: WorkerToPrimary) => void;
  readonly load: StepLoad;
  /** Undefined: a crash is not told from the room in whose step it came. */
  readonly mark: StepMark | undefined;
  readonly log: RoomLog;
};
