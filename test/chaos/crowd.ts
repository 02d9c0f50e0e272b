/**
 * Many players in several rooms of one server: lets them in, keeps them playing, and knows who has to come back when a
 * worker dies. Whoever breaks without that, and without a move of its room, is a violation.
 */
import { WebSocket } from "ws";
import { InputPacer } from "../../client-sim/bots/input-pacer.ts";
import { Client, type WebSocketConstructor } from "../../client-sim/sdk/index.ts";
import { createRandom } from "../../shared/sim/random.ts";
import { systemScheduler } from "../../shared/time.ts";
import type { ChaosServer } from "./chaos-server.ts";
import { LedgerBot, type LedgerRoom, type Return } from "./ledger-bot.ts";
import { LEDGER_MESSAGES, LedgerArenaState } from "./rooms/ledger-schema.ts";
import { Tally } from "./tally.ts";
import { look, until, within } from "./within.ts";

export type CrowdSetup = {
  readonly server: ChaosServer;
  readonly clients: number;
  readonly seed: number;
  /** Players in a room; 32 at most, which is the default. */
  readonly perRoom?: number;
  /**
   * Numbers that are replaced in a room's state in each tick. With such large states the server may skip some, for
   * clients that are a little late.
   */
  readonly noise?: number;
  /** A client's own kind of WebSocket, by its number from 0. */
  readonly webSocketOf?: (bot: number) => WebSocketConstructor;
};

export const JOINS_AT_ONCE = 32;
const TURNS_PER_SECOND = 20;
const PER_ROOM = 32;
/** Beyond, this process cannot count and compare everything; then it does so now and then, and in some places. */
const BOTS_IN_FULL_MAX = 200;
const TURNS_PER_COUNT_OF_MANY = 10;
const TURNS_PER_SHOT_OF_MANY = 20;
const WITNESSES_PER_ROOM_OF_MANY = 3;
/** For what is still under way at the end. */
const SETTLED_WITHIN_MS = 15_000;

export class Crowd {
  readonly bots: LedgerBot[] = [];
  readonly tally = new Tally();
  readonly #setup: CrowdSetup;
  readonly #pacer: InputPacer;
  readonly #returning = new Set<LedgerBot>();
  /** Looked at whenever a player comes back or ends. */
  readonly #onReturn = new Set<() => void>();
  /** Called whenever a player is told of a state. */
  #onState: (bot: LedgerBot) => void = () => undefined;
  readonly #breaks = new Map<LedgerBot, number>();
  /** Returns that no death explains: their rooms have moved. */
  readonly #moves = new Map<LedgerBot, number>();
  /** Of rooms, when the unrest began. */
  #movesBefore = new Map<string, number>();
  #mayBreak = false;

  private constructor(setup: CrowdSetup) {
    this.#setup = setup;
    this.#pacer = new InputPacer({
      scheduler: systemScheduler,
      bots: setup.clients,
      inputsPerSecond: TURNS_PER_SECOND,
      act: (bot) => this.bots[bot]?.act(),
      onSkip: () => undefined,
    });
  }

  /** @returns players who are all in and play */
  static async join(setup: CrowdSetup): Promise<Crowd> {
    const crowd = new Crowd(setup);
    const { clients, perRoom = PER_ROOM } = setup;
    const rooms = Math.ceil(clients / perRoom);
    const founders = await Promise.all(Array.from({ length: rooms }, (_, bot) => crowd.#found(bot)));
    for (let from = rooms; from < clients; from += JOINS_AT_ONCE) {
      const count = Math.min(JOINS_AT_ONCE, clients - from);
      await Promise.all(Array.from({ length: count }, (_, i) => crowd.#follow(from + i, founders)));
    }
    crowd.#pacer.start();
    return crowd;
  }

  get roomIds(): string[] {
    return [...new Set(this.bots.map(({ room }) => room.roomId))];
  }

  in(roomIds: readonly string[]): LedgerBot[] {
    return this.bots.filter(({ room }) => roomIds.includes(room.roomId));
  }

  /** Sockets of these are about to break: each has to come back once. */
  expect(bots: readonly LedgerBot[]): void {
    for (const bot of bots) this.#returning.add(bot);
  }

  /** @returns whether all of these who had to come back are back, in time */
  back(bots: readonly LedgerBot[], withinMs: number): Promise<boolean> {
    return until(this.#onReturn, () => bots.every((bot) => !this.#returning.has(bot)), withinMs);
  }

  /** @returns whether everybody is told of a state that is newer than this call, in time */
  async calm(withinMs: number): Promise<boolean> {
    const sinceMs = systemScheduler.now();
    return await this.#each(({ isLive, stateAtMs }) => isLive && stateAtMs > sinceMs, withinMs);
  }

  /** From now on anybody may break, any number of times, until `endUnrest`. */
  beginUnrest(): void {
    this.#mayBreak = true;
    this.#breaks.clear();
    this.#movesBefore = this.#movesByRoom();
  }

  #movesByRoom(): Map<string, number> {
    return new Map(this.roomIds.map((roomId) => [roomId, this.#setup.server.movesOf(roomId)]));
  }

  /**
   * @returns whether everybody is told of new states again, in time, and how often the most unlucky one has broken,
   * besides the moves of its room
   */
  async endUnrest(withinMs: number): Promise<{ isCalm: boolean; breaksMax: number }> {
    const isCalm = await this.calm(withinMs);
    this.#mayBreak = false;
    // What the server has logged by now.
    await new Promise((resolve) => setImmediate(resolve));
    const moves = this.#movesByRoom();
    const broken = [...this.#breaks].map(
      ([
        {
          room: { roomId },
        },
        breaks,
      ]) => {
        const moved = (moves.get(roomId) ?? 0) - (this.#movesBefore.get(roomId) ?? 0);
        return breaks - moved;
      },
    );
    return { isCalm, breaksMax: Math.max(0, ...broken) };
  }

  /** Ends the play, lets what is under way arrive, adds up the ledgers, and leaves. */
  async finish(): Promise<void> {
    this.#pacer.stop();
    await this.#each(({ isSettled }) => isSettled, SETTLED_WITHIN_MS);
    for (const bot of this.bots) bot.close();
    await Promise.all(this.bots.map(({ room }) => room.leave()));
    this.#checkMoves();
  }

  /** @returns whether it came to hold for each who has not ended, in time; with each new state it may */
  async #each(holds: (bot: LedgerBot) => boolean, withinMs: number): Promise<boolean> {
    const pending = new Set(this.bots.filter(({ hasEnded }) => !hasEnded));
    if (pending.size === 0) return false;
    const { promise, resolve } = Promise.withResolvers<true>();
    this.#onState = (bot) => {
      if (holds(bot)) pending.delete(bot);
      if (pending.size === 0) resolve(true);
    };
    const isSo = await within(withinMs, promise);
    this.#onState = () => undefined;
    return isSo === true;
  }

  async #found(bot: number): Promise<LedgerRoom> {
    const { noise = 0 } = this.#setup;
    const options = { name: nameOf(bot), bots: 0, noise };
    const room = await this.#client(bot).create("ledger-arena", options, { ...SCHEMAS, rejoin: false });
    this.#add(bot, room);
    return room;
  }

  async #follow(bot: number, founders: readonly LedgerRoom[]): Promise<void> {
    const founder = founders[bot % founders.length];
    if (founder === undefined) throw new Error("A crowd has at least one room.");
    const options = { name: nameOf(bot) };
    this.#add(bot, await this.#client(bot).joinById("ledger-arena", founder.roomId, options, SCHEMAS));
  }

  #client(bot: number): Client {
    const { server, webSocketOf = () => WebSocket } = this.#setup;
    return new Client(server.url, { webSocket: webSocketOf(bot) });
  }

  #add(bot: number, room: LedgerRoom): void {
    const { clients, seed, perRoom = PER_ROOM } = this.#setup;
    const areFew = clients <= BOTS_IN_FULL_MAX;
    const rooms = Math.ceil(clients / perRoom);
    this.bots[bot] = new LedgerBot({
      room,
      random: createRandom(seed + bot),
      turnMs: 1000 / TURNS_PER_SECOND,
      turnsPerCount: areFew ? 1 : TURNS_PER_COUNT_OF_MANY,
      turnsPerShot: areFew ? 1 : TURNS_PER_SHOT_OF_MANY,
      isWitness: areFew || bot < rooms * WITNESSES_PER_ROOM_OF_MANY,
      tally: this.tally,
      onBack: (returned, how, pauseMs) => this.#onBack(returned, how, pauseMs),
      onState: (told) => this.#onState(told),
      onEnd: (ended) => {
        this.#returning.delete(ended);
        look(this.#onReturn);
      },
    });
  }

  #onBack(bot: LedgerBot, how: Return, pauseMs: number | undefined): void {
    const isExpected = this.#returning.delete(bot) || this.#mayBreak;
    if (isExpected && how === "kept") this.tally.socketsKept += 1;
    if (isExpected && how === "resumed") this.tally.socketsResumed += 1;
    const breaks = this.#mayBreak ? this.#breaks : this.#moves;
    if (this.#mayBreak || !isExpected) breaks.set(bot, (breaks.get(bot) ?? 0) + 1);
    const { pauseMs: pauses, movePauseMs } = this.tally;
    if (pauseMs !== undefined) (isExpected ? pauses : movePauseMs).record(pauseMs);
    look(this.#onReturn);
  }

  /** The server's log comes another way than what clients hear: only at the end it is all there. */
  #checkMoves(): void {
    const { server } = this.#setup;
    for (const [bot, moves] of this.#moves) {
      if (moves > server.movesOf(bot.room.roomId))
        this.tally.violations.add("A client has lost its connection, and no worker had died.");
    }
  }
}

const SCHEMAS = { state: LedgerArenaState, messages: LEDGER_MESSAGES };

function nameOf(bot: number): string {
  return `bot ${bot + 1}`;
}
