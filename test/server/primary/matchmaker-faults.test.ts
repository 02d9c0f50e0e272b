/**
 * The matchmaker against a model of what it owes its clients, while everything around it fails. The model is told
 * only what clients and workers can see.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RoomTypeInfo } from "../../../server/ipc/messages.ts";
import { LIMITS } from "../../../server/limits.ts";
import { type Admission, Matchmaker, type MatchmakerMessage } from "../../../server/primary/matchmaker.ts";
import { LeastLoadSelector } from "../../../server/primary/selector/least-load.ts";
import { RookeryError } from "../../../shared/errors.ts";
import { JOIN_MODES, type JoinMode } from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { refusal } from "./matchmaker-harness.ts";
import { SimulatedWorker } from "./simulated-workers.ts";

const ROOM_TYPES: readonly RoomTypeInfo[] = [
  {
    name: "pair",
    maxClients: 2,
    maxMatched: 2,
    filterBy: ["mode"],
    durability: "none",
    hasAuth: false,
    autoDispose: true,
  },
  {
    name: "guarded",
    maxClients: 3,
    maxMatched: 3,
    filterBy: [],
    durability: "none",
    hasAuth: true,
    autoDispose: true,
  },
  {
    name: "lasting",
    maxClients: 4,
    maxMatched: 4,
    filterBy: [],
    durability: "none",
    hasAuth: true,
    autoDispose: false,
  },
];
const WORKERS = 3;
const REPLACED_AFTER_MS = 300;
const REFUSALS = [
  "SERVER_BUSY",
  "ROOM_NOT_FOUND",
  "ROOM_LOST",
  "ROOM_FULL",
  "ROOM_LOCKED",
  "ROOM_CLOSED",
  "ROOM_CREATE_FAILED",
  "TIMEOUT",
  "UNAUTHORIZED",
];

/** A seat a client can count on; the time at which it expires, while it is only a ticket. */
type Claim = Admission & { readonly maxClients: number; expiresAtMs: number | undefined };

class World {
  readonly time = new SimulatedTime();
  readonly workers = new Map<number, SimulatedWorker>();
  readonly matchmaker: Matchmaker;
  /** Every admission ever, in order. */
  readonly admissions: Claim[] = [];
  readonly claims = new Map<string, Claim>();
  readonly lostSessions = new Set<string>();
  #joinsPending = 0;
  #lastWorkerId = 0;
  #lastId = 0;
  readonly #random: () => number;
  readonly #createdIds = new Set<string>();
  readonly #codes = new Map<string, string>();
  /** What went wrong in joins, whose promises nobody awaits. */
  readonly #failures: unknown[] = [];
  /** Codes of refused joins, and what else happened that a run should come across. */
  readonly seen = new Set<string>();

  constructor(seed: number) {
    this.#random = createRandom(seed).next;
    this.matchmaker = new Matchmaker({
      scheduler: this.time,
      random: this.#random,
      newId: () => `id${++this.#lastId}`,
      wallClock: () => this.time.now(),
      selector: new LeastLoadSelector(),
      isolate: () => undefined,
      onIdle: () => undefined,
      survivors: { of: () => [], follow: () => undefined, keepOnly: () => undefined, close: () => undefined },
      canMove: () => false,
      workers: () => this.living().map(({ id }) => ({ workerId: id, stats: undefined })),
      send: (workerId, message) => {
        if (message.type === "create-room") this.#codes.set(message.roomId, message.code);
        this.workers.get(workerId)?.receive(message);
      },
      onRoomGone: () => undefined,
      log: { info: () => undefined, warn: () => undefined },
    });
    this.matchmaker.onWorkerReady(0, ROOM_TYPES);
    for (let i = 0; i < WORKERS; i++) this.startWorker();
  }

  living(): SimulatedWorker[] {
    return [...this.workers.values()].filter(({ isAlive }) => isAlive);
  }

  startWorker(): void {
    const worker = new SimulatedWorker(++this.#lastWorkerId, {
      scheduler: this.time,
      random: this.#random,
      roomTypes: ROOM_TYPES,
      toPrimary: (workerId, message) => this.#deliver(workerId, message),
      onLost: (workerId) => this.#lost(workerId),
      createdIds: this.#createdIds,
    });
    this.workers.set(worker.id, worker);
  }

  kill(pick: number): void {
    const worker = pickFrom(this.living(), pick);
    worker?.die();
  }

  join(type: RoomTypeInfo, mode: JoinMode, pick: number): void {
    const { roomId = "none" } = pickFrom(this.admissions, pick) ?? {};
    const code = this.#codes.get(roomId) ?? "none";
    const client = { token: "", address: "::1", origin: undefined, options: { mode: pick % 2 } };
    const startedAtMs = this.time.now();
    this.#joinsPending++;
    this.matchmaker
      .join({ roomType: type.name, mode, roomId, code, ...client })
      .then(
        (admission) => this.#admitted(admission, type.maxClients),
        (error) => this.#refused(error),
      )
      .then(() => {
        this.#joinsPending--;
        expect(this.time.now() - startedAtMs).toBeLessThanOrEqual(LIMITS.joinDeadlineMs);
      })
      .catch((error) => this.#failures.push(error));
  }

  #refused(error: unknown): void {
    const code = error instanceof RookeryError ? error.code : error;
    expect(REFUSALS).toContain(code);
    this.seen.add(String(code));
  }

  #admitted(admission: Admission, maxClients: number): void {
    expect(this.admissions.map(({ sessionId }) => sessionId)).not.toContain(admission.sessionId);
    expect(this.#createdIds).toContain(admission.roomId);
    expect([...this.workers.keys()]).toContain(admission.workerId);
    const claim = { ...admission, maxClients, expiresAtMs: admission.expiresAt };
    this.admissions.push(claim);
    this.claims.set(claim.sessionId, claim);
    const inRoom = this.currentClaims().filter(({ roomId }) => roomId === claim.roomId);
    expect(inRoom.length).toBeLessThanOrEqual(maxClients);
  }

  currentClaims(): Claim[] {
    const nowMs = this.time.now();
    for (const { sessionId, expiresAtMs } of this.claims.values()) {
      if (expiresAtMs !== undefined && expiresAtMs <= nowMs) this.claims.delete(sessionId);
    }
    return [...this.claims.values()];
  }

  /** A client comes with its ticket, in time or not, and not for the first time perhaps. */
  redeem(pick: number, handoffFails: boolean): void {
    const isRecent = pick % 4 !== 0;
    const ticket = pickFrom(isRecent ? this.admissions.slice(-6) : this.admissions, pick);
    if (ticket === undefined) return;
    const { roomId, sessionId, workerId } = ticket;
    const claim = this.currentClaims().find((each) => each.sessionId === sessionId);
    if (claim === undefined) {
      const expected = this.lostSessions.has(sessionId) ? "ROOM_LOST" : "TICKET_INVALID";
      this.seen.add(`redeem: ${expected}`);
      expect(refusal(() => this.matchmaker.redeem(roomId, sessionId))).toBe(expected);
      return;
    }
    expect(this.matchmaker.redeem(roomId, sessionId).workerId).toBe(workerId);
    if (handoffFails) {
      const isTicketAgain = claim.expiresAtMs !== undefined;
      this.matchmaker.handoffFailed(roomId, sessionId);
      if (isTicketAgain) claim.expiresAtMs = this.time.now() + LIMITS.ticketTtlMs;
      return;
    }
    this.seen.add(claim.expiresAtMs === undefined ? "redeem: again" : "redeem: first");
    claim.expiresAtMs = undefined;
    this.workers.get(workerId)?.receive({
      type: "accept",
      connectionId: 0,
      roomId,
      sessionId,
      upgrade: { key: "", rest: new Uint8Array(), schemaHash: undefined, eventsReceived: 0 },
      passenger: { kind: "join", options: {}, auth: undefined },
    });
  }

  leave(pick: number): void {
    const claim = pickFrom(this.admissions, pick);
    if (claim !== undefined) this.workers.get(claim.workerId)?.leave(claim.roomId, claim.sessionId);
  }

  /** Something a room does by itself. */
  roomActs(pick: number, act: (worker: SimulatedWorker, roomId: string) => void): void {
    const rooms = this.living().flatMap((worker) => [...worker.rooms.keys()].map((id) => ({ worker, id })));
    const room = pickFrom(rooms, pick);
    if (room !== undefined) act(room.worker, room.id);
  }

  #deliver(workerId: number, message: MatchmakerMessage): void {
    this.matchmaker.onWorkerMessage(workerId, message);
    if (message.type === "session-left") this.claims.delete(message.sessionId);
    if (message.type === "session-joined") this.#joined(message.sessionId);
    if (message.type === "room-disposed") this.#dropClaims(({ roomId }) => roomId === message.roomId);
  }

  #joined(sessionId: string): void {
    const claim = this.admissions.find((each) => each.sessionId === sessionId);
    if (claim === undefined) throw new Error("a session joined that was never admitted");
    // One that had left may have no seat any more; then its room is full or closing.
    if (this.claims.has(sessionId) || refusal(() => this.matchmaker.resume(sessionId)) === "no error") {
      if (!this.claims.has(sessionId)) this.seen.add("came back after it had left");
      this.claims.set(sessionId, Object.assign(claim, { expiresAtMs: undefined }));
    }
  }

  #lost(workerId: number): void {
    this.currentClaims();
    for (const { sessionId } of this.#dropClaims((claim) => claim.workerId === workerId)) {
      this.lostSessions.add(sessionId);
      // As long as the primary remembers it.
      this.time.setTimeout(() => this.lostSessions.delete(sessionId), 60_000);
    }
    this.matchmaker.onWorkerLost(workerId);
    this.workers.delete(workerId);
    this.time.setTimeout(() => this.startWorker(), REPLACED_AFTER_MS);
  }

  #dropClaims(isMeant: (claim: Claim) => boolean): Claim[] {
    const dropped = this.currentClaims().filter(isMeant);
    for (const { sessionId } of dropped) this.claims.delete(sessionId);
    return dropped;
  }

  /** Seats are exactly those of joins under way and of clients that can count on one. */
  check(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
    const { seats, joinsPending } = this.matchmaker.stats();
    expect(joinsPending).toBe(this.#joinsPending);
    expect(seats.reserved + seats.passed + seats.joined).toBe(joinsPending + this.currentClaims().length);
  }

  /** Everybody leaves; then everybody dies. */
  async end(): Promise<void> {
    await this.time.advance(LIMITS.joinDeadlineMs + LIMITS.ticketTtlMs);
    for (const { roomId, sessionId, workerId } of this.admissions) {
      this.workers.get(workerId)?.leave(roomId, sessionId);
    }
    await this.time.advance(60_000);
    this.check();
    expect(this.matchmaker.stats()).toMatchObject({
      seats: { reserved: 0, passed: 0, joined: 0 },
      joinsPending: 0,
      authorizationsPending: 0,
    });
    expect(this.time.pendingTimers).toBe(0);
    for (const worker of this.living()) worker.die();
    await this.time.advance(REPLACED_AFTER_MS);
    expect(this.matchmaker.stats().rooms).toEqual({ planned: 0, creating: 0, open: 0, closing: 0 });
    expect(this.matchmaker.list()).toEqual([]);
  }
}

function pickFrom<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % Math.max(1, items.length)];
}

type Action =
  | { readonly kind: "join"; readonly type: RoomTypeInfo; readonly mode: JoinMode; readonly pick: number }
  | { readonly kind: "redeem" | "redeemTwice" | "failHandoff"; readonly pick: number }
  | { readonly kind: "leave" | "kill" | "dispose"; readonly pick: number }
  | { readonly kind: "list"; readonly pick: number; readonly locked: boolean; readonly isPrivate: boolean }
  | { readonly kind: "wait"; readonly ms: number };

const pick = fc.nat(1_000);
const onPicked = <Kind extends string>(kind: Kind) => fc.record({ kind: fc.constant(kind), pick });
const wait = (msMax: number) => fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(msMax) });
const join = fc.record({
  kind: fc.constant("join" as const),
  type: fc.constantFrom(...ROOM_TYPES),
  mode: fc.constantFrom<JoinMode[]>("joinOrCreate", ...JOIN_MODES),
  pick,
});
const list = fc.record({
  kind: fc.constant("list" as const),
  pick,
  locked: fc.boolean(),
  isPrivate: fc.boolean(),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: join },
  { weight: 16, arbitrary: onPicked("redeem") },
  { weight: 4, arbitrary: onPicked("redeemTwice") },
  { weight: 4, arbitrary: onPicked("failHandoff") },
  { weight: 3, arbitrary: onPicked("leave") },
  { weight: 20, arbitrary: wait(150) },
  { weight: 1, arbitrary: wait(20_000) },
  { weight: 1, arbitrary: onPicked("kill") },
  { weight: 1, arbitrary: onPicked("dispose") },
  { weight: 2, arbitrary: list },
);

function perform(world: World, action: Action): Promise<void> | void {
  switch (action.kind) {
    case "join":
      return world.join(action.type, action.mode, action.pick);
    case "redeem":
      return world.redeem(action.pick, false);
    case "redeemTwice":
      world.redeem(action.pick, false);
      return world.redeem(action.pick, false);
    case "failHandoff":
      return world.redeem(action.pick, true);
    case "leave":
      return world.leave(action.pick);
    case "kill":
      return world.kill(action.pick);
    case "dispose":
      return world.roomActs(action.pick, (worker, roomId) => worker.dispose(roomId));
    case "list":
      return world.roomActs(action.pick, (worker, roomId) =>
        worker.setListing(roomId, action.locked, action.isPrivate),
      );
    case "wait":
      return world.time.advance(action.ms);
  }
}

async function play(world: World, actions: readonly Action[]): Promise<void> {
  for (const action of actions) {
    await perform(world, action);
    await world.time.settle();
    world.check();
  }
}

describe("matchmaker under faults", () => {
  it("keeps every promise: no seat twice, none too many, all come back, every join settles", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(action, { maxLength: 150, size: "max" }),
        async (seed, actions) => {
          const world = new World(seed);
          await play(world, actions);
          await world.end();
        },
      ),
      { numRuns: 150 },
    );
  });

  it("comes across every kind of trouble in a long run", async () => {
    const world = new World(1);
    const [actions = []] = fc.sample(fc.array(action, { minLength: 4_000, maxLength: 4_000 }), {
      numRuns: 1,
      seed: 1,
    });
    await play(world, actions);
    await world.end();
    const redeemed = ["first", "again", "ROOM_LOST", "TICKET_INVALID"].map((how) => `redeem: ${how}`);
    const expected = [...REFUSALS, ...redeemed, "came back after it had left"];
    expect([...world.seen].sort()).toEqual(expected.sort());
  });
});
