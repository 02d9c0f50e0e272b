/**
 * A room and its players without a server or a network: ticks on the given scheduler and delivers a state to each
 * player after a fixed latency. Tests lose ticks, connections and agreement on purpose.
 */
import type { BotRoom, Player } from "../../../client-sim/bots/strategies/strategy.ts";
import type { StateInfo } from "../../../client-sim/sdk/index.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Scheduler } from "../../../shared/time.ts";

const CONSENTED_CLOSE = 4000;
export const STATE_BYTES = 100;
export const LATENCY_MS = 8;

export class FakeMatch {
  readonly rooms: FakeRoom[] = [];
  readonly #scheduler: Scheduler;
  readonly #tickMs: number;
  readonly #startMs: number;
  #tick = 0;

  constructor(scheduler: Scheduler, tickRate: number) {
    this.#scheduler = scheduler;
    this.#tickMs = 1000 / tickRate;
    this.#startMs = scheduler.now();
    this.#arm();
  }

  join(tickRate = 1000 / this.#tickMs): FakeRoom {
    const room = new FakeRoom(tickRate, () => this.#scheduler.now() - this.#startMs);
    this.rooms.push(room);
    return room;
  }

  #arm(): void {
    const dueMs = this.#startMs + (this.#tick + 1) * this.#tickMs;
    this.#scheduler.setTimeout(() => {
      this.#tick += 1;
      this.#deliver(this.#tick, this.#tick * this.#tickMs);
      this.#arm();
    }, dueMs - this.#scheduler.now());
  }

  #deliver(tick: number, roomTimeMs: number): void {
    this.#scheduler.setTimeout(() => {
      for (const room of this.rooms) room.receive(tick, roomTimeMs, this.#scheduler.now());
    }, LATENCY_MS);
  }
}

type Callback = (...args: never[]) => void;

export class FakeRoom implements BotRoom, Player {
  roomId = "room-1";
  comparesState = true;
  readonly tickRate: number;
  readonly clock: { now(): number };
  tick = 0;
  roomTimeMs = 0;
  connectionState: BotRoom["connectionState"] = "open";
  /** Inputs it was asked for. */
  acts = 0;
  hasLeft = false;
  /** Of the match: where its own room's ticks begin. */
  firstTick = 0;
  /** It never gets these ticks of the match. */
  readonly lostTicks = new Set<number>();
  /** From this tick on, its state is not that of the others. */
  corruptFrom = Number.POSITIVE_INFINITY;
  /** What `act` throws. */
  fault: Error | undefined;
  readonly #callbacks = new Map<string, Callback[]>();

  constructor(tickRate: number, now: () => number) {
    this.tickRate = tickRate;
    this.clock = { now };
  }

  get room(): BotRoom {
    return this;
  }

  readonly mirror = {
    hash: () => (this.tick >= this.corruptFrom ? 0xbad : this.tick + 1),
  };

  act(): void {
    this.acts += 1;
    if (this.fault !== undefined) throw this.fault;
  }

  onState = (callback: (info: StateInfo) => void) => this.#on("state", callback);
  onDrop = (callback: (code: number, reason: ErrorCode | undefined) => void) => this.#on("drop", callback);
  onReconnect = (callback: () => void) => this.#on("reconnect", callback);
  onMove = (callback: () => void) => this.#on("move", callback);
  onRejoin = (callback: () => void) => this.#on("rejoin", callback);
  onLeave = (callback: (code: number, reason: ErrorCode | undefined) => void) => this.#on("leave", callback);
  onError = (callback: (error: unknown) => void) => this.#on("error", callback);
  onMessage = <P>(type: string, callback: (payload: P, type: string) => void) => this.#on(type, callback);

  async leave(): Promise<number> {
    this.hasLeft = true;
    this.connectionState = "closed";
    this.emit("leave", CONSENTED_CLOSE, "CONSENTED");
    return CONSENTED_CLOSE;
  }

  receive(matchTick: number, roomTimeMs: number, receivedAtMs: number): void {
    if (this.connectionState !== "open" || this.lostTicks.has(matchTick)) return;
    const tick = matchTick - this.firstTick;
    this.tick = tick;
    this.roomTimeMs = roomTimeMs;
    this.emit("state", { tick, roomTimeMs, ack: 0, snapshot: false, receivedAtMs, bytes: STATE_BYTES });
  }

  drop(code: number): void {
    this.connectionState = "reconnecting";
    this.emit("drop", code, undefined);
  }

  comeBack(as: "reconnect" | "rejoin"): void {
    this.connectionState = "open";
    this.emit(as);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of this.#callbacks.get(event) ?? []) callback(...(args as never[]));
  }

  #on(event: string, callback: Callback): () => void {
    const callbacks = this.#callbacks.get(event) ?? [];
    this.#callbacks.set(event, [...callbacks, callback]);
    return () => this.#callbacks.set(event, callbacks);
  }
}
