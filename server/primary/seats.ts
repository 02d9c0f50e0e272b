/**
 * The seats of one room: the one place where they are counted, so a room never has more than it may.
 *
 *   reserve --> reserved --pass--> passed --joined--> joined
 *                  |  ^              |  |                |
 *           expiry |  +-- unpass ----+  | release        | release
 *                  v                    v                v
 *                free                 free             free
 */
import assert from "node:assert/strict";
import { RookeryError } from "../../shared/errors.ts";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";

export type JoinOptions = Readonly<Record<string, unknown>>;

type SeatState =
  /** Held for a join under way, then for its ticket; free again when the timer fires. */
  | { readonly kind: "reserved"; readonly expiry: TimerHandle }
  /** This many socket handles are on their way to the worker, which answers for the session. */
  | { readonly kind: "passed"; readonly handoffs: number }
  | { readonly kind: "joined" };

export type Seat = {
  readonly sessionId: string;
  readonly options: JoinOptions;
  /** What onAuth returned, encoded. */
  auth: Uint8Array | undefined;
  /** Somebody has a ticket for it: a connection that does not get to the worker can come again. */
  hasTicket: boolean;
  state: SeatState;
  /** Tells a join under way that its seat is gone, and why. */
  onReleased: ((reason: unknown) => void) | undefined;
};

export type SeatCounts = Record<SeatState["kind"], number>;

type SeatsOptions = {
  readonly scheduler: Scheduler;
  readonly maxClients: number;
  /** A seat was taken or has become free. */
  readonly onChange: (sessionId: string, isTaken: boolean) => void;
};

export class Seats {
  readonly maxClients: number;
  readonly #scheduler: Scheduler;
  readonly #onChange: SeatsOptions["onChange"];
  readonly #seats = new Map<string, Seat>();

  constructor({ scheduler, maxClients, onChange }: SeatsOptions) {
    this.maxClients = maxClients;
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#seats.size;
  }

  get isFull(): boolean {
    return this.#seats.size >= this.maxClients;
  }

  get(sessionId: string): Seat | undefined {
    return this.#seats.get(sessionId);
  }

  all(): IterableIterator<Seat> {
    return this.#seats.values();
  }

  /** Takes a free seat for `forMs`. */
  reserve(
    sessionId: string,
    options: JoinOptions,
    forMs: number,
    onReleased: (reason: unknown) => void,
  ): void {
    const state = this.#reservedFor(forMs, sessionId);
    this.#take({ sessionId, options, auth: undefined, hasTicket: false, state, onReleased });
  }

  /** Takes a free seat for a join that is done as soon as it has begun. */
  admit(sessionId: string, options: JoinOptions, hasTicket: boolean, forMs: number): void {
    const state = this.#reservedFor(forMs, sessionId);
    this.#take({ sessionId, options, auth: undefined, hasTicket, state, onReleased: undefined });
  }

  /** The join is done: from now on the seat waits for `forMs`, for its ticket or its connection. */
  commit(sessionId: string, auth: Uint8Array | undefined, hasTicket: boolean, forMs: number): void {
    const seat = this.#seats.get(sessionId);
    assert(seat?.state.kind === "reserved", "only a reserved seat commits");
    seat.auth = auth;
    seat.hasTicket = hasTicket;
    seat.onReleased = undefined;
    this.#setState(seat, this.#reservedFor(forMs, sessionId));
  }

  /** A socket handle goes to the worker. */
  pass(seat: Seat): void {
    if (seat.state.kind === "joined") return;
    const handoffs = seat.state.kind === "passed" ? seat.state.handoffs + 1 : 1;
    this.#setState(seat, { kind: "passed", handoffs });
  }

  /** A socket handle did not get to the worker: with the last of them the seat waits for its ticket again, or is free. */
  unpass(sessionId: string, forMs: number): void {
    const seat = this.#seats.get(sessionId);
    if (seat?.state.kind !== "passed") return;
    const handoffs = seat.state.handoffs - 1;
    if (handoffs > 0) this.#setState(seat, { kind: "passed", handoffs });
    else if (seat.hasTicket) this.#setState(seat, this.#reservedFor(forMs, sessionId));
    else this.release(sessionId, new RookeryError("SERVER_BUSY"));
  }

  /**
   * The worker has the session. One whose seat is free again has come back by its ticket before the primary knew
   * that it had left, and takes a seat anew.
   *
   * @returns false if there is none
   */
  join(sessionId: string): boolean {
    const seat = this.#seats.get(sessionId);
    if (seat !== undefined) {
      this.#setState(seat, { kind: "joined" });
      return true;
    }
    if (this.isFull) return false;
    const state: SeatState = { kind: "joined" };
    this.#take({ sessionId, options: {}, auth: undefined, hasTicket: false, state, onReleased: undefined });
    return true;
  }

  /**
   * Another worker has taken the room over: who has a seat is what it says. A ticket that was being redeemed can be
   * redeemed again.
   */
  overwrite(sessionIds: ReadonlySet<string>, reason: unknown, ticketMs: number): void {
    for (const { sessionId, state } of this.#seats.values()) {
      if (sessionIds.has(sessionId) || state.kind === "reserved") continue;
      if (state.kind === "joined") this.release(sessionId, reason);
      else while (this.#seats.get(sessionId)?.state.kind === "passed") this.unpass(sessionId, ticketMs);
    }
    for (const sessionId of sessionIds) this.join(sessionId);
  }

  /** Frees a seat in any state; does nothing if it is free. A join under way fails with the reason. */
  release(sessionId: string, reason: unknown): void {
    const seat = this.#seats.get(sessionId);
    if (seat === undefined) return;
    if (seat.state.kind === "reserved") this.#scheduler.clearTimeout(seat.state.expiry);
    this.#seats.delete(sessionId);
    this.#onChange(sessionId, false);
    seat.onReleased?.(reason);
  }

  /** @param kind only seats in this state; all by default */
  releaseAll(reason: unknown, kind?: SeatState["kind"]): void {
    for (const seat of this.#seats.values()) {
      if (kind === undefined || seat.state.kind === kind) this.release(seat.sessionId, reason);
    }
  }

  #take(seat: Seat): void {
    assert(!this.isFull, "a seat is taken only while one is free");
    assert(!this.#seats.has(seat.sessionId), "a session has one seat");
    this.#seats.set(seat.sessionId, seat);
    this.#onChange(seat.sessionId, true);
  }

  #setState(seat: Seat, state: SeatState): void {
    if (seat.state.kind === "reserved") this.#scheduler.clearTimeout(seat.state.expiry);
    seat.state = state;
  }

  #reservedFor(forMs: number, sessionId: string): SeatState {
    const expire = (): void => this.release(sessionId, new RookeryError("TIMEOUT"));
    return { kind: "reserved", expiry: this.#scheduler.setTimeout(expire, forMs) };
  }
}
