/**
 * The arena as far as its players move: inputs are applied as `server/games/arena.ts` applies them, with the same step
 * and the same account of time, and 20 times a second everybody gets a state. Other players roam about by themselves.
 */
import { overlap } from "../../../shared/games/arena/collide.ts";
import { SPAWNS } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState, MoveInput } from "../../../shared/games/arena/schema.ts";
import { type Body, type Direction, NO_DIRECTION, stepBody } from "../../../shared/games/arena/step.ts";
import { payIn, type TimeAccount, takeOut } from "../../../shared/games/arena/time-account.ts";
import { decodeInput, type InputOf, type Live } from "../../../shared/schema/index.ts";
import type { Random } from "../../../shared/sim/random.ts";
import type { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeHost } from "./fake-host.ts";

export const TICK_MS = 1000 / RULES.ticksPerSecond;
const FULL_SPEED = 127;

type LivePlayer = Live<(typeof ArenaState)["fields"]["players"]["of"]>;
export type Point = { readonly x: number; readonly y: number };
/** One step of a player among the others. */
export type StepAmong = (
  body: Body,
  direction: Direction,
  durationMs: number,
  others: Iterable<Point>,
) => Body;

/** The arena's own rule: players pass through each other. */
export const stepFreely: StepAmong = stepBody;

/** A harder rule, for which a client has to guess where the others are by now: players block each other. */
export const stepBlocked: StepAmong = (body, direction, durationMs, others) => {
  const moved = stepBody(body, direction, durationMs);
  const size = 2 * RULES.playerRadius;
  for (const { x, y } of others) {
    const hit = overlap({ x, y, width: 0, height: 0 }, moved.x, moved.y, size);
    if (hit !== undefined) return stepBody({ ...body, vx: 0, vy: 0 }, NO_DIRECTION, durationMs);
  }
  return moved;
};

/** Walks straight on for a while, stands for a while, and takes another direction. */
export class Wanderer {
  readonly #random: Random;
  #direction: Direction = NO_DIRECTION;
  #leftMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(durationMs: number): Direction {
    this.#leftMs -= durationMs;
    if (this.#leftMs > 0) return this.#direction;
    this.#leftMs = 200 + this.#random.next() * 1_500;
    const heading = this.#random.next() * 2 * Math.PI;
    const speed = this.#random.next() < 0.2 ? 0 : FULL_SPEED;
    this.#direction = {
      dx: Math.round(Math.cos(heading) * speed),
      dy: Math.round(Math.sin(heading) * speed),
    };
    return this.#direction;
  }
}

export class FakeArena extends FakeHost<typeof ArenaState> {
  /** Each client's body after each of its messages, by session and sequence number. */
  readonly bodies = new Map<string, Body>();
  readonly #step: StepAmong;
  readonly #accounts = new Map<string, TimeAccount>();
  readonly #wanderers = new Map<string, Wanderer>();

  constructor(time: SimulatedTime, step: StepAmong = stepFreely) {
    super(time, ArenaState);
    this.#step = step;
    const startedAtMs = time.now();
    this.roomTimeAt = (nowMs) => nowMs - startedAtMs;
    this.#scheduleTick();
  }

  /** Lets another player roam about. */
  addWanderer(name: string, random: Random): void {
    this.#spawn(name, this.#wanderers.size + 1);
    this.#wanderers.set(name, new Wanderer(random));
  }

  player(name: string): LivePlayer {
    const player = this.encoder.root.players.get(name);
    if (player === undefined) throw new Error(`no player ${name}`);
    return player;
  }

  override replaceRoom(): void {
    super.replaceRoom();
    this.#accounts.clear();
    this.#wanderers.clear();
    const startedAtMs = this.time.now();
    this.roomTimeAt = (nowMs) => nowMs - startedAtMs;
  }

  protected override enter(_root: unknown, sessionId: string): void {
    this.#spawn(sessionId, 0);
    this.#accounts.set(sessionId, { balanceMs: 0 });
  }

  protected override act(sessionId: string, payload: unknown, seq: number): void {
    const account = this.#accounts.get(sessionId);
    if (account === undefined) return;
    const input = decodeInput(MoveInput, payload as Uint8Array);
    this.#move(sessionId, input, takeOut(account, input.durationMs));
    this.player(sessionId).angle = input.aim;
    this.bodies.set(`${sessionId} ${seq}`, bodyOf(this.player(sessionId)));
  }

  #spawn(name: string, place: number): void {
    const { x, y } = SPAWNS[place % SPAWNS.length] as Point;
    this.encoder.root.players.set(name, { x, y, hp: RULES.hpMax, name });
  }

  /** Every tick when it is due, however late the one before was. */
  #scheduleTick(): void {
    this.time.setTimeout(() => {
      this.#tick();
      this.#scheduleTick();
    }, TICK_MS);
  }

  #tick(): void {
    for (const [name, wanderer] of this.#wanderers) {
      const direction = wanderer.next(TICK_MS);
      const player = this.player(name);
      this.#move(name, direction, TICK_MS);
      if (direction !== NO_DIRECTION) player.angle = Math.atan2(direction.dy, direction.dx);
    }
    for (const [sessionId, account] of this.#accounts) {
      const idleMs = payIn(account, TICK_MS);
      if (idleMs > 0) this.#move(sessionId, NO_DIRECTION, idleMs);
    }
    this.step();
  }

  #move(name: string, direction: Direction, durationMs: number): void {
    const player = this.player(name);
    if (player.hp === 0) return;
    const others = [...this.encoder.root.players.values()].filter(
      (other) => other !== player && other.hp > 0,
    );
    const { x, y, vx, vy } = this.#step(bodyOf(player), direction, durationMs, others);
    player.x = x;
    player.y = y;
    player.vx = vx;
    player.vy = vy;
  }
}

/** An input that does this and nothing else. */
export function moveInput(direction: Direction, durationMs: number): InputOf<typeof MoveInput> {
  return { ...direction, durationMs, aim: 0, shoot: false, seenAtMs: 0 };
}

export function bodyOf({ x, y, vx, vy }: Body): Body {
  return { x, y, vx, vy };
}
