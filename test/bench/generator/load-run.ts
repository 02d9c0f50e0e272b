/**
 * The clients of one run: lets them join, lets each send its inputs again and again, and counts what they get in a
 * window.
 */
import { performance } from "node:perf_hooks";
import { inputLoop } from "../arena/input.ts";
import { textLoop } from "../chat/text.ts";
import { DurationHistogram } from "../statistics.ts";
import { BenchClient } from "./bench-client.ts";
import type { BurstRequest, Joined, JoinRequest, Measured } from "./messages.ts";
import { PROTOCOLS } from "./protocols.ts";
import { evenTurns, ownTurns, type Turn } from "./turns.ts";

/** Clients that are joining at the same time. */
const JOINS_AT_ONCE = 32;
const INPUTS_IN_LOOP = 64;
const PACE_MS = 1;
const MS_PER_SECOND = 1000;

type Window = {
  updates: number;
  bytes: number;
  inputsSent: number;
  inputsSkipped: number;
  readonly intervals: DurationHistogram;
};

export class LoadRun {
  readonly #request: JoinRequest;
  readonly #clients: BenchClient[] = [];
  readonly #inputs: readonly Uint8Array[];
  readonly #turns: readonly Turn[];
  readonly #startMs = performance.now();
  #window: Window | undefined;
  #lost = 0;
  /** Those since the start whose inputs are sent or skipped. */
  #turnsTaken = 0;

  constructor(request: JoinRequest) {
    this.#request = request;
    const { clients, inputBytes, inputForm, inputTimes } = request;
    this.#inputs = inputForm === "text" ? textLoop(INPUTS_IN_LOOP, inputBytes) : inputLoop(INPUTS_IN_LOOP);
    this.#turns = inputTimes === "own" ? ownTurns(clients, Math.random) : evenTurns(clients);
  }

  /** Joins everybody, those who have joined sending already. */
  async join(): Promise<Joined> {
    const { clients, protocol } = this.#request;
    const rooms = new Set<string | undefined>();
    this.#pace();
    while (this.#clients.length < clients) {
      const count = Math.min(JOINS_AT_ONCE, clients - this.#clients.length);
      const joins = Array.from({ length: count }, () => this.#joinOne());
      for (const { client, roomId } of await Promise.all(joins)) {
        this.#clients.push(client);
        rooms.add(roomId());
      }
    }
    return { rooms: PROTOCOLS[protocol].tellsRoom ? rooms.size : undefined };
  }

  /** @returns seconds from the first attempt to the last welcome */
  async joinMore(burst: BurstRequest): Promise<number> {
    return await timed(burst, async () => {
      const { client } = await this.#joinOne();
      this.#clients.push(client);
    });
  }

  /** @returns seconds from the first join to the last end */
  async comeAndGo(burst: BurstRequest): Promise<number> {
    const nothing = { onData: () => undefined, onLost: () => undefined };
    return await timed(burst, async () => {
      const { client } = await BenchClient.join(this.#request, PROTOCOLS[this.#request.protocol], nothing);
      await client.leave();
    });
  }

  async measure(windowMs: number): Promise<Measured> {
    const window: Window = {
      updates: 0,
      bytes: 0,
      inputsSent: 0,
      inputsSkipped: 0,
      intervals: new DurationHistogram(),
    };
    for (const client of this.#clients) client.lastMessageMs = 0;
    const before = performance.eventLoopUtilization();
    const startMs = performance.now();
    this.#window = window;
    await new Promise((resolve) => setTimeout(resolve, windowMs));
    this.#window = undefined;
    const seconds = (performance.now() - startMs) / MS_PER_SECOND;
    const { updates, bytes, inputsSent, inputsSkipped, intervals } = window;
    return {
      seconds,
      updates,
      bytes,
      intervalMs: { p50: intervals.percentile(0.5), p99: intervals.percentile(0.99) },
      inputsSent,
      inputsSkipped,
      busy: performance.eventLoopUtilization(before).utilization,
      lost: this.#lost,
    };
  }

  #joinOne(): ReturnType<typeof BenchClient.join> {
    return BenchClient.join(this.#request, PROTOCOLS[this.#request.protocol], {
      onData: (client, bytes, messages) => this.#onData(client, bytes, messages),
      onLost: () => {
        this.#lost += 1;
      },
    });
  }

  #onData(client: BenchClient, bytes: number, updates: number): void {
    const window = this.#window;
    if (window === undefined) return;
    window.bytes += bytes;
    if (updates === 0) return;
    window.updates += updates;
    const nowMs = performance.now();
    if (client.lastMessageMs > 0) window.intervals.add(nowMs - client.lastMessageMs);
    // Those that came together with another.
    for (let extra = 1; extra < updates; extra++) window.intervals.add(0);
    client.lastMessageMs = nowMs;
  }

  /** Sends what is due, and looks again a little later. */
  #pace(): void {
    const { inputsPerSecond } = this.#request;
    const turns = this.#turns;
    const nowInRounds = ((performance.now() - this.#startMs) / MS_PER_SECOND) * inputsPerSecond;
    for (; inputsPerSecond > 0; this.#turnsTaken++) {
      const round = Math.floor(this.#turnsTaken / turns.length);
      const turn = turns[this.#turnsTaken % turns.length];
      if (turn === undefined || round + turn.at > nowInRounds) break;
      // Who is late by a whole round sends one input, not a burst of all that are missing.
      if (nowInRounds - round - turn.at > 1) this.#skip();
      else this.#send(turn.client, round);
    }
    setTimeout(() => this.#pace(), PACE_MS);
  }

  #send(index: number, round: number): void {
    const client = this.#clients[index];
    const input = this.#inputs[round % INPUTS_IN_LOOP];
    if (client === undefined || input === undefined) return;
    client.sendInput(input);
    if (this.#window !== undefined) this.#window.inputsSent += 1;
  }

  #skip(): void {
    if (this.#window !== undefined) this.#window.inputsSkipped += 1;
  }
}

/** Does something again and again, so many at once. @returns seconds that all of it took */
async function timed({ count, atOnce }: BurstRequest, task: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  let begun = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await task();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  return (performance.now() - startMs) / MS_PER_SECOND;
}
