/** Who sends when, within one interval and again in each of the next. */

export type Turn = {
  /** Index of the client. */
  readonly client: number;
  /** Share of the interval that has passed, from 0 to below 1. */
  readonly at: number;
};

/** @returns one after the other, at equal distances */
export function evenTurns(clients: number): Turn[] {
  return Array.from({ length: clients }, (_, client) => ({ client, at: client / clients }));
}

/**
 * @param random as Math.random
 * @returns each at a time of its own, as people do who know nothing of each other
 */
export function ownTurns(clients: number, random: () => number): Turn[] {
  const turns = Array.from({ length: clients }, (_, client) => ({ client, at: random() }));
  return turns.sort((a, b) => a.at - b.at);
}
