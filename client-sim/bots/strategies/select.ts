/** Which bot plays which room type. */
import { arenaBot } from "./arena-bot.ts";
import { connectFourBot } from "./connect-four-bot.ts";
import { idleBot } from "./idle-bot.ts";
import type { Strategy } from "./strategy.ts";
import { worldBot } from "./world-bot.ts";

const STRATEGIES: ReadonlyMap<string, Strategy> = new Map([
  ["arena", arenaBot],
  ["connect-four", connectFourBot],
  ["world", worldBot],
]);

/** @returns the strategy made for this room type, or one that only watches */
export function strategyFor(roomType: string): Strategy {
  return STRATEGIES.get(roomType) ?? idleBot(roomType);
}
