/**
 * Checks what one client is told of its room, state by state: that its ticks go forward, that the room has counted each
 * of them itself, and that what is acknowledged is in the state. One state may be of several ticks, when the client did
 * not read in time or the server had too much to do: so a number that does not come is no tick that was lost.
 */
import type { Tally } from "./tally.ts";

/** One state, as the client has it. */
export type SeenState = {
  readonly tick: number;
  /** Sequence of the client's last message that is said to be part of it. */
  readonly ack: number;
  /** The room's own count of its ticks. */
  readonly ticks: number;
  /** The last number of this client that the room has; undefined when it has no entry. */
  readonly counted: number | undefined;
};

export class StreamCheck {
  readonly #tally: Tally;
  #tick: number | undefined;
  /** The next state may be the last one again: the client was away meanwhile. */
  #mayRepeat = true;
  /** Numbers that were sent, with the sequences of their messages, oldest first, and not acknowledged. */
  readonly #sent: { readonly seq: number; readonly number: number }[] = [];
  #acknowledged = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** A numbered message was sent. */
  sent(seq: number, number: number): void {
    this.#sent.push({ seq, number });
  }

  /** The connection was lost, or the room has moved. */
  restart(): void {
    this.#mayRepeat = true;
  }

  /** @param tick of a state, as it comes */
  tick(tick: number): void {
    const last = this.#tick;
    this.#tick = tick;
    const mayRepeat = this.#mayRepeat;
    this.#mayRepeat = false;
    if (last === undefined) return;
    if (tick < last) this.#tally.ticksLost += last - tick;
    else if (tick === last && !mayRepeat) this.#tally.violations.add("A tick came twice.");
  }

  /** The whole of a state. */
  state({ tick, ack, ticks, counted }: SeenState): void {
    const { violations } = this.#tally;
    if (ticks < tick) this.#tally.ticksLost = Math.max(this.#tally.ticksLost, tick - ticks);
    if (ticks !== tick) violations.add("A room's own count of its ticks was not the tick of its state.");
    for (let next = this.#sent[0]; next !== undefined && next.seq <= ack; next = this.#sent[0]) {
      this.#acknowledged = next.number;
      this.#sent.shift();
    }
    if (counted !== this.#acknowledged)
      violations.add("What a state acknowledges and what it contains were not the same.");
  }
}
