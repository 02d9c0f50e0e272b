/**
 * Where everybody was at the last ticks, to judge shots by what the shooter saw. Plain data of bounded size, since it
 * is part of the room's checkpoint.
 *
 * The rule: a client shows the others at a time that is past, `seenAtMs`, while its own player is in the present. A
 * shot therefore starts where the shooter is now, but at `seenAtMs`, no earlier than `RULES.rewindMsMax` ago. What it
 * flies from then to now is judged by where the others were meanwhile; from then on it flies in the present. So a
 * claim that is a lie gains at most `RULES.rewindMsMax`.
 */
import type { Point } from "../../../shared/games/arena/map.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import type { Span, Way } from "../../../shared/games/arena/shot.ts";

/** One tick: where everybody was, by session. */
export type Moment = { readonly atMs: number; readonly places: Map<string, Point> };
export type Target = Way & { readonly sessionId: string };

/** Covers the limit even when ticks follow each other at twice their rate. */
export const MOMENTS_MAX = 2 * Math.ceil((RULES.rewindMsMax / 1000) * RULES.ticksPerSecond) + 2;

export function remember(history: Moment[], moment: Moment): void {
  history.push(moment);
  if (history.length > MOMENTS_MAX) history.shift();
}

/** Cuts a player's way: who respawns did not go there, and cannot be hit where it was. */
export function forget(history: readonly Moment[], sessionId: string): void {
  for (const { places } of history) places.delete(sessionId);
}

/** @returns room time from which a shot flies */
export function rewound(seenAtMs: number, nowMs: number): number {
  return Math.min(Math.max(seenAtMs, nowMs - RULES.rewindMsMax), nowMs);
}

/** @returns the spans between ticks that end after `sinceMs`, the earliest first */
export function spansSince(history: readonly Moment[], sinceMs: number): Span<Target>[] {
  const spans: Span<Target>[] = [];
  let before: Moment | undefined;
  for (const moment of history) {
    if (before !== undefined && moment.atMs > sinceMs && moment.atMs > before.atMs) {
      spans.push({ fromMs: before.atMs, toMs: moment.atMs, targets: waysBetween(before, moment) });
    }
    before = moment;
  }
  return spans;
}

function waysBetween(before: Moment, after: Moment): Target[] {
  const ways: Target[] = [];
  for (const [sessionId, to] of after.places) {
    const from = before.places.get(sessionId);
    if (from !== undefined) ways.push({ sessionId, from, to });
  }
  return ways;
}
