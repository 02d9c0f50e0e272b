/**
 * The arena, and a ledger: players number their messages, the room checks the numbers and keeps what it finds in its
 * state, so that it is written down and restored like everything else. In each tick it broadcasts the tick's number.
 *
 * A client that was there before a crash cannot see whether the room has come back as it was: later ticks have other
 * states anyway. So the room has a chain, a number that follows from all its states so far, and remembers it for some
 * ticks; who has seen a tick can ask what the room now believes of it.
 */
import { Arena } from "../../../server/games/arena.ts";
import type { Client } from "../../../server/room/client.ts";
import { message } from "../../../server/room/messages.ts";
import type { JoinOptions } from "../../../server/room/room.ts";
import type { Live } from "../../../shared/schema/index.ts";
import { follow } from "../numbers.ts";
import {
  COUNTS_PER_RECEIPT,
  CountInput,
  LedgerArenaState,
  type Recalled,
  RecallInput,
} from "./ledger-schema.ts";

/** For so many ticks the room remembers its chain: 50 s. */
const CHAINS_MAX = 1_000;
const RANDOM_VALUES = 2 ** 32;

export class LedgerArena extends Arena {
  static override state = LedgerArenaState;

  override data = {
    ...(this as Arena).data,
    /** By tick, modulo `CHAINS_MAX`. */
    chains: [] as { tick: number; chain: number }[],
  };

  override messages = {
    ...(this as Arena).messages,
    count: message(CountInput, (client, { number }) => this.#count(client, number)),
    recall: message(RecallInput, (client, { tick }) => this.#recall(client, tick)),
  };

  override onCreate(options: JoinOptions): void {
    super.onCreate(options);
    // Its length says how many numbers of it are replaced in each tick.
    this.#state.noise.replace(new Array<number>(Number(options.noise ?? 0)).fill(0));
  }

  override onJoin(client: Client, options: JoinOptions): void {
    super.onJoin(client, options);
    this.#state.ledger.set(client.sessionId, {});
  }

  override onLeave(client: Client): void {
    super.onLeave(client);
    this.#state.ledger.delete(client.sessionId);
  }

  override onTick(dtMs: number): void {
    super.onTick(dtMs);
    const state = this.#state;
    state.ticks += 1;
    state.chain = this.#nextChain();
    this.data.chains[state.ticks % CHAINS_MAX] = { tick: state.ticks, chain: state.chain };
    const { length } = state.noise;
    if (length > 0) state.noise.replace(Array.from({ length }, (_, i) => state.ticks * length + i));
    this.broadcast("beat", state.ticks);
  }

  /** The same object, as what it is here. */
  get #state(): Live<typeof LedgerArenaState> {
    return this.state as Live<typeof LedgerArenaState>;
  }

  #count(client: Client, number: number): void {
    const entry = this.#state.ledger.get(client.sessionId);
    if (entry === undefined) return;
    const { last, lost, doubled } = follow(entry.last, number);
    entry.last = last;
    entry.lost += lost;
    entry.doubled += doubled;
    if (number % COUNTS_PER_RECEIPT === 0) client.send("receipt", number / COUNTS_PER_RECEIPT);
  }

  #recall(client: Client, tick: number): void {
    const known = this.data.chains[tick % CHAINS_MAX];
    const recalled: Recalled = { tick, chain: known?.tick === tick ? known.chain : null };
    client.send("recalled", recalled);
  }

  #nextChain(): number {
    const { chain, ledger, players } = this.#state;
    let next = mix(chain, this.random() * RANDOM_VALUES);
    for (const { x, y, hp, score, kills } of players.values())
      next = [x, y, hp, score, kills].reduce(mix, next);
    for (const { last } of ledger.values()) next = mix(next, last);
    return next;
  }
}

/** One step of FNV-1a, with the word in place of the octet; positions are multiples of 1/32. */
function mix(hash: number, value: number): number {
  return Math.imul(hash ^ (value * 32), 0x0100_0193) >>> 0;
}
