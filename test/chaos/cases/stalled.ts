/**
 * As `kill`, with some clients that have stopped reading. Large states fill their sockets, so that the worker that dies
 * has written a part of a message to them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { createRandom, type Random } from "../../../shared/sim/random.ts";
import type { ChaosCase } from "../chaos-case.ts";
import { ChaosServer } from "../chaos-server.ts";
import { Crowd } from "../crowd.ts";
import { killRounds } from "../kill-rounds.ts";
import type { LedgerBot } from "../ledger-bot.ts";

/** 128 KiB in each tick: a socket is full after some three seconds. */
const NOISE = 16_384;
const STALLED_SHARE = 0.25;
const STALL_MS_MIN = 3_000;
/** A client that hears nothing for 10 s takes its connection for lost. */
const STALL_MS_MAX = 7_000;
const PER_ROOM = 8;

export const stalled: ChaosCase = {
  about: "the same, with clients that do not read",
  usual: (clients = 24) => ({ times: 50, clients, workers: 2 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: async ({ times, clients, workers, seed, progress }) => {
    await using server = await ChaosServer.start(workers);
    const taps = Array.from({ length: clients }, () => new Tap());
    const webSocketOf = (bot: number) => (taps[bot] ?? new Tap()).WebSocket;
    const crowd = await Crowd.join({ server, clients, seed, perRoom: PER_ROOM, noise: NOISE, webSocketOf });
    const random = createRandom(seed);
    const prepare = (hit: readonly LedgerBot[]) => stall(hit, crowd, taps, random);
    await killRounds({ server, crowd, times, random, progress, prepare });
    await crowd.finish();
    for (const error of server.errors) crowd.tally.violations.add(error);
    return crowd.tally.outcome(server.roomsPutAside.length);
  },
};

/** Holds on to a client's newest connection. */
class Tap {
  #current: WebSocket | undefined;
  readonly WebSocket = this.#tapped();

  pause(): void {
    this.#current?.pause();
  }

  resume(): void {
    this.#current?.resume();
  }

  #tapped() {
    const hold = (webSocket: WebSocket) => {
      this.#current = webSocket;
    };
    return class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        hold(this);
      }
    };
  }
}

/** Lets some stop reading, long enough to be in the middle of a message. @returns lets them read again */
async function stall(
  hit: readonly LedgerBot[],
  crowd: Crowd,
  taps: readonly Tap[],
  random: Random,
): Promise<() => void> {
  const first = Math.floor(random.next() * hit.length);
  const count = Math.ceil(hit.length * STALLED_SHARE);
  const chosen = [...hit.slice(first), ...hit.slice(0, first)].slice(0, count);
  for (const bot of chosen) {
    bot.isStalling = true;
    taps[crowd.bots.indexOf(bot)]?.pause();
  }
  await delay(STALL_MS_MIN + random.next() * (STALL_MS_MAX - STALL_MS_MIN));
  return () => {
    for (const bot of chosen) taps[crowd.bots.indexOf(bot)]?.resume();
  };
}
