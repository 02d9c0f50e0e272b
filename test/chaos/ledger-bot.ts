/**
 * A player of the arena with a ledger: roams and shoots, numbers its messages, and checks all that it is told. It says
 * when it is back after its connection has moved or was lost; that this happens at all is for its owner to judge.
 */

import { nearestEnemy } from "../../client-sim/bots/strategies/arena-senses.ts";
import { fullSpeed, headingTo, Roamer } from "../../client-sim/bots/strategies/steering.ts";
import { RookeryError, type Room, type StateInfo } from "../../client-sim/sdk/index.ts";
import { RULES } from "../../shared/games/arena/rules.ts";
import type { Random } from "../../shared/sim/random.ts";
import { Sequence } from "./numbers.ts";
import {
  COUNTS_PER_RECEIPT,
  type LEDGER_MESSAGES,
  type LedgerArenaState,
  type Recalled,
} from "./rooms/ledger-schema.ts";
import { StreamCheck } from "./stream-check.ts";
import type { Tally } from "./tally.ts";

export type LedgerRoom = Room<typeof LedgerArenaState, typeof LEDGER_MESSAGES>;
export type Return = "kept" | "resumed";

export type LedgerBotSetup = {
  readonly room: LedgerRoom;
  readonly random: Random;
  readonly turnMs: number;
  /** Sends a number in one of so many turns. */
  readonly turnsPerCount: number;
  /** Looks for somebody to shoot at in one of so many turns. */
  readonly turnsPerShot: number;
  /** Compares every state with the others', and not only some. */
  readonly isWitness: boolean;
  readonly tally: Tally;
  /** @param pauseMs between the last state before and the first behind; undefined if the pause was its own */
  readonly onBack: (bot: LedgerBot, how: Return, pauseMs: number | undefined) => void;
  readonly onState: (bot: LedgerBot) => void;
  readonly onEnd: (bot: LedgerBot) => void;
};

const FIELD = { width: RULES.worldWidth, height: RULES.worldHeight, edge: 5 * RULES.playerRadius };

export class LedgerBot {
  readonly room: LedgerRoom;
  /** Does not read, until it is back: the pause is its own. */
  isStalling = false;
  readonly #setup: LedgerBotSetup;
  readonly #roamer: Roamer;
  readonly #check: StreamCheck;
  readonly #beats = new Sequence();
  readonly #receipts = new Sequence(0);
  #turns = 0;
  #number = 0;
  #stateAtMs = 0;
  /** The last state's. */
  #seen = { tick: 0, chain: 0 };
  /** Chains by tick, as they were told before a break; the room was asked for them, and has not answered. */
  readonly #recalling = new Map<number, number>();
  #back: Return | undefined;
  #isAway = false;
  #isOver = false;

  constructor(setup: LedgerBotSetup) {
    this.#setup = setup;
    this.room = setup.room;
    this.#roamer = new Roamer(setup.random, FIELD);
    this.#check = new StreamCheck(setup.tally);
    this.#watch(setup.room, setup.tally);
  }

  /** False from a lost connection to the first state on the next. */
  get isLive(): boolean {
    return !this.#isAway && !this.#isOver;
  }

  get hasEnded(): boolean {
    return this.#isOver;
  }

  get stateAtMs(): number {
    return this.#stateAtMs;
  }

  act(): void {
    if (this.#isOver) return;
    try {
      this.#move();
      if (this.#turns++ % this.#setup.turnsPerCount === 0) this.#count();
    } catch (error) {
      if (!(error instanceof RookeryError)) throw error;
      this.#setup.tally.violations.add(`A message could not be sent: ${error.code}.`);
    }
  }

  /** Everything it has sent has come into the room, and everything that the room owes it has come back. */
  get isSettled(): boolean {
    const { size } = this.#recalling;
    return this.#entry?.last === this.#number && this.#receipts.last === this.#receiptsDue && size === 0;
  }

  /** Adds up what its ledgers say. */
  close(): void {
    const { tally } = this.#setup;
    const { last = 0, lost = 0, doubled = 0 } = this.#entry ?? {};
    tally.inputsLost += lost + this.#number - last;
    tally.inputsDoubled += doubled;
    tally.eventsLost += this.#beats.lost + this.#receipts.lost + this.#receiptsDue - this.#receipts.last;
    if (this.#recalling.size > 0) tally.violations.add("A room has not said what it believes of a tick.");
    tally.eventsDoubled += this.#beats.doubled + this.#receipts.doubled;
    this.#isOver = true;
  }

  get #entry() {
    return this.room.state.ledger.get(this.room.sessionId);
  }

  get #receiptsDue(): number {
    return Math.floor(this.#number / COUNTS_PER_RECEIPT);
  }

  #watch(room: LedgerRoom, { violations }: Tally): void {
    room.onState((info) => this.#onState(info));
    room.onMessage<number>("beat", (tick) => this.#beats.take(tick));
    room.onMessage<number>("receipt", (number) => this.#receipts.take(number));
    room.onMessage<Recalled>("recalled", (recalled) => this.#onRecalled(recalled));
    room.onDrop(() => {
      this.#isAway = true;
      this.#check.restart();
    });
    room.onMove(() => this.#return("kept"));
    room.onReconnect(() => this.#return("resumed"));
    room.onRejoin(() => violations.add("A session was lost, and began anew."));
    room.onLeave((code, reason) => {
      if (this.#isOver) return;
      this.#isOver = true;
      violations.add(`A session has ended with ${reason ?? code}.`);
      this.#setup.onEnd(this);
    });
    room.onError((error) => violations.add(`A callback has failed: ${String(error)}.`));
    room.onMessage<{ code: string }>("$error", ({ code }) =>
      violations.add(`A message was refused with ${code}.`),
    );
  }

  /** The state that ends the pause follows. */
  #return(how: Return): void {
    this.#back = how;
    this.#check.restart();
  }

  #onState(info: StateInfo): void {
    const how = this.#back;
    const pauseMs = this.isStalling ? undefined : info.receivedAtMs - this.#stateAtMs;
    this.#stateAtMs = info.receivedAtMs;
    if (how !== undefined) this.#recall();
    this.#seen = { tick: this.room.tick, chain: this.room.state.chain };
    this.#check.tick(info.tick);
    // Callbacks that were held back while it joined tell of states that are no more.
    if (info.tick === this.room.tick) this.#compare(info, how !== undefined);
    if (how !== undefined) this.#isBack(how, pauseMs);
    this.#setup.onState(this);
  }

  #isBack(how: Return, pauseMs: number | undefined): void {
    this.#back = undefined;
    this.#isAway = false;
    this.isStalling = false;
    this.#setup.onBack(this, how, pauseMs);
  }

  #compare({ tick, ack }: StateInfo, isFirst: boolean): void {
    const { tally, isWitness } = this.#setup;
    const { room } = this;
    this.#check.state({ tick, ack, ticks: room.state.ticks, counted: this.#entry?.last });
    if (isWitness || isFirst || tally.divergence.isSampled(tick))
      tally.divergence.record(room.roomId, tick, room.mirror.hash());
  }

  /** Asks for what was seen last before the break. */
  #recall(): void {
    const { tick, chain } = this.#seen;
    if (tick === 0) return;
    this.#recalling.set(tick, chain);
    this.room.send("recall", { tick });
  }

  #onRecalled({ tick, chain }: Recalled): void {
    const { tally } = this.#setup;
    if (chain === null) tally.violations.add("A client was away for longer than its room remembers.");
    else if (chain !== this.#recalling.get(tick)) tally.ticksChanged += 1;
    this.#recalling.delete(tick);
  }

  #move(): void {
    const { room } = this;
    const { players } = room.state;
    const self = players.get(room.sessionId);
    if (self === undefined) return;
    const heading = this.#roamer.next(self);
    const isLooking = this.#turns % this.#setup.turnsPerShot === 0;
    const [found] = isLooking ? nearestEnemy(players, room.sessionId) : [];
    room.send("move", {
      ...fullSpeed(heading),
      durationMs: this.#setup.turnMs,
      aim: found === undefined ? heading : headingTo(self, found[1]),
      shoot: found !== undefined,
      seenAtMs: Math.floor(room.roomTimeMs),
    });
  }

  #count(): void {
    this.#check.sent(this.room.send("count", { number: this.#number + 1 }), this.#number + 1);
    this.#number += 1;
  }
}
