/** How parts of the SDK follow a room: in the order in which they came, and before the room's users are told. */
import { Listeners } from "./listeners.ts";
import type { StateInfo } from "./session.ts";

export type StateFollower = {
  /** The mirror holds this state. */
  readonly onState: (info: StateInfo) => void;
  /**
   * A new session has begun, with a clock and sequence numbers of its own, or the room has gone back to earlier ones; its
   * first state follows.
   */
  readonly onNewSession: () => void;
};

export class StateFeed {
  readonly #state: Listeners<[info: StateInfo]>;
  readonly #newSession: Listeners<[]>;

  /** @param failed gets what a follower throws */
  constructor(failed: (error: unknown) => void) {
    this.#state = new Listeners(failed);
    this.#newSession = new Listeners(failed);
  }

  /** @returns follows no more */
  follow({ onState, onNewSession }: StateFollower): () => void {
    const unfollowState = this.#state.add(onState);
    const unfollowNewSession = this.#newSession.add(onNewSession);
    return () => {
      unfollowState();
      unfollowNewSession();
    };
  }

  tellState(info: StateInfo): void {
    this.#state.emit(info);
  }

  tellNewSession(): void {
    this.#newSession.emit();
  }
}
