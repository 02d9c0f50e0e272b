/**
 * One game of connect four, planned from the first move to the last, over many kills of its worker: each move must
 * come into the game once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { WebSocket } from "ws";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { Phase } from "../../../shared/games/connect-four/rules.ts";
import { ConnectFourState } from "../../../shared/games/connect-four/schema.ts";
import { createRandom, type Random } from "../../../shared/sim/random.ts";
import type { ChaosCase, RunOptions } from "../chaos-case.ts";
import { ChaosServer } from "../chaos-server.ts";
import { planGame } from "../game-plan.ts";
import { Tally } from "../tally.ts";
import { look, until } from "../within.ts";

/** A move, and a kill, come anywhere in this time after what was before is over. */
const MOMENT_MS = 50;
const DONE_WITHIN_MS = 30_000;

export const connectFour: ChaosCase = {
  about: "kills the worker of one game N times; it ends as it was played",
  usual: () => ({ times: 50, clients: 2, workers: 2 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: async (options) => {
    await using server = await ChaosServer.start(options.workers);
    const table = await Table.sitDown(server);
    await playOver(table, server, options);
    await table.leave();
    for (const error of server.errors) table.tally.violations.add(error);
    return table.tally.outcome(server.roomsPutAside.length);
  },
};

async function playOver(table: Table, server: ChaosServer, options: RunOptions): Promise<void> {
  const { times, seed, progress } = options;
  const { tally } = table;
  const random = createRandom(seed);
  const { moves, winner } = planGame(random);
  let killed = 0;
  for (const [index, { column, board }] of moves.entries()) {
    // Evenly over the game; with more kills than moves, several in one.
    const due = Math.floor(((index + 1) * times) / moves.length);
    const kills = killTimes(table, server, due - killed, random);
    await delay(random.next() * MOMENT_MS);
    table.drop(index, column);
    if (!(await kills)) return tally.violations.add("After a kill not both players came back.");
    if (!(await table.shows(board))) {
      tally.inputsLost += 1;
      return tally.violations.add(`Move ${index + 1} of ${moves.length} has not come into the game.`);
    }
    if (due > killed) progress(`move ${index + 1} of ${moves.length}, ${due} of ${times} kills`);
    killed = due;
  }
  if (!table.isOver(winner)) tally.violations.add("The game has not ended as it was played.");
}

/** @returns whether both players came back each time */
async function killTimes(table: Table, server: ChaosServer, times: number, random: Random): Promise<boolean> {
  for (let kill = 0; kill < times; kill++) {
    await delay(random.next() * MOMENT_MS);
    const { roomId } = table;
    const over = Promise.all([server.replaced(), server.takenOver(roomId)]);
    const back = table.back();
    server.signal(server.pidOf(roomId), "SIGKILL");
    if (!(await over).every(Boolean) || !(await back)) return false;
  }
  return true;
}

type Seat = Room<typeof ConnectFourState>;

/** Both players at their game. */
class Table {
  readonly tally = new Tally();
  readonly #seats: readonly Seat[];
  readonly #watchers = new Set<() => void>();
  #breaks = 0;

  static async sitDown(server: ChaosServer): Promise<Table> {
    const client = () => new Client(server.url, { webSocket: WebSocket });
    const options = { state: ConnectFourState, rejoin: false };
    const first = await client().create("connect-four", { private: true }, options);
    const second = await client().joinById("connect-four", first.roomId, {}, options);
    return new Table([first, second]);
  }

  private constructor(seats: readonly Seat[]) {
    this.#seats = seats;
    for (const seat of seats) this.#watch(seat);
  }

  get roomId(): string {
    return this.#seats[0]?.roomId ?? "";
  }

  /** @param move from 0; who sat down first begins */
  drop(move: number, column: number): void {
    this.#seats[move % this.#seats.length]?.send("drop", { column });
  }

  /** To be called before a kill. @returns whether both came back, in time */
  back(): Promise<boolean> {
    const breaks = this.#breaks + this.#seats.length;
    return until(this.#watchers, () => this.#breaks >= breaks, DONE_WITHIN_MS);
  }

  /** @returns whether both see this board, in time */
  shows(board: readonly number[]): Promise<boolean> {
    const isShown = ({ state }: Seat) => isDeepStrictEqual([...state.board], [...board]);
    return until(this.#watchers, () => this.#seats.every(isShown), DONE_WITHIN_MS);
  }

  isOver(winner: number): boolean {
    return this.#seats.every(({ state }) => state.phase === Phase.OVER && state.winner === winner);
  }

  async leave(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.leave()));
  }

  #watch(seat: Seat): void {
    const { tally } = this;
    const returned = (how: "socketsKept" | "socketsResumed") => {
      tally[how] += 1;
      this.#breaks += 1;
    };
    seat.onMove(() => returned("socketsKept"));
    seat.onReconnect(() => returned("socketsResumed"));
    seat.onState(() => look(this.#watchers));
    // A move that comes a second time is not the player's turn any more.
    seat.onMessage("illegal", () => {
      tally.inputsDoubled += 1;
    });
    seat.onLeave((code, reason) => {
      if (reason !== "CONSENTED") tally.violations.add(`A session has ended with ${reason ?? code}.`);
    });
  }
}
