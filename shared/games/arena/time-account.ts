/**
 * How much time a player may act for: as much as has passed, whatever its inputs claim. Each tick pays its length
 * into the player's account, each input takes its duration out and lasts no longer than what is there. The account
 * holds at most `RULES.inputBacklogMsMax`; what does not fit passes with the player doing nothing.
 *
 * So nobody gets more than the time that has passed, at any rate of inputs, and a client whose inputs come late
 * can catch up on at most the backlog.
 */
import { RULES } from "./rules.ts";

/** Plain data, since it is part of the room's checkpoint. */
export type TimeAccount = { balanceMs: number };

/** @returns for how long the player does nothing, in milliseconds */
export function payIn(account: TimeAccount, elapsedMs: number): number {
  const total = account.balanceMs + elapsedMs;
  account.balanceMs = Math.min(total, RULES.inputBacklogMsMax);
  return total - account.balanceMs;
}

/** @returns for how long the input lasts, in milliseconds */
export function takeOut(account: TimeAccount, durationMs: number): number {
  const granted = Math.min(durationMs, account.balanceMs);
  account.balanceMs -= granted;
  return granted;
}
