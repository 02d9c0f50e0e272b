/** What the arena's tests have in common: a room without bots unless asked for, inputs, and players by session. */
import { Arena } from "../../../server/games/arena.ts";
import type { RoomEvent } from "../../../server/room/room-events.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { ArenaState, MoveInput, type Player } from "../../../shared/games/arena/schema.ts";
import { encodeInput, type InputOf, type Live } from "../../../shared/schema/index.ts";
import { RoomDriver } from "../../support/room-driver.ts";

export type Input = InputOf<typeof MoveInput>;
export type Driver = RoomDriver<typeof ArenaState>;

export const TICK_MS = 1000 / RULES.ticksPerSecond;
/** The largest time of all: the room takes it for its own present. */
const PRESENT = 0xffff_ffff;
export const IDLE: Input = { durationMs: 50, dx: 0, dy: 0, aim: 0, shoot: false, seenAtMs: PRESENT };
export const RIGHT: Input = { ...IDLE, dx: 127 };
export const SHOOT: Input = { ...IDLE, shoot: true };

export function createArena({ seed = 1, bots = 0 }: { seed?: number; bots?: unknown } = {}): Promise<Driver> {
  return RoomDriver.create(Arena, ArenaState, { seed, options: { bots } });
}

export function act(arena: Driver, sessionId: string, input: Input): RoomEvent {
  return arena.message(sessionId, "move", encodeInput(MoveInput, input));
}

export function player(arena: Driver, sessionId: string): Live<typeof Player> {
  const found = arena.state.players.get(sessionId);
  if (found === undefined) throw new Error(`no player ${sessionId}`);
  return found;
}

export function tickFor(arena: Driver, ms: number): void {
  for (let passed = 0; passed < ms; passed += TICK_MS) arena.tick();
}

/** Ticks until `isDone`, with the same input every time. */
export function tickUntil(arena: Driver, isDone: () => boolean, sessionId: string, input: Input): number {
  for (let ticks = 0; ticks < 200; ticks++) {
    if (isDone()) return ticks;
    arena.tick([act(arena, sessionId, input)]);
  }
  throw new Error("it did not happen within 200 ticks");
}

/** Puts players where a test wants them: the corridor along the upper border is free of walls. */
export function place(arena: Driver, sessionId: string, x: number, y: number): void {
  Object.assign(player(arena, sessionId), { x, y, vx: 0, vy: 0 });
}
