/** Finds the most that something can bear, in few tries: doubles until it fails, then halves what is in between. */

export type Search = {
  readonly first: number;
  readonly most: number;
  /** Tries after the first that failed. */
  readonly bisections: number;
  readonly multipleOf: number;
};

/**
 * @param probe what was measured with so many clients; undefined when they were too many
 * @returns the answer of the largest probe that succeeded; undefined when none did
 */
export async function searchCapacity<T>(
  probe: (clients: number) => Promise<T | undefined>,
  { first, most, bisections, multipleOf }: Search,
): Promise<T | undefined> {
  let best: T | undefined;
  let held = 0;
  let clients = first;
  const isHeld = async (): Promise<boolean> => {
    const answer = await probe(clients);
    if (answer === undefined) return false;
    best = answer;
    held = clients;
    return true;
  };
  while (await isHeld()) {
    if (clients >= most) return best;
    clients = Math.min(clients * 2, most);
  }
  let failed = clients;
  for (let step = 0; step < bisections; step++) {
    clients = Math.round((held + failed) / 2 / multipleOf) * multipleOf;
    if (clients <= held || clients >= failed) break;
    if (!(await isHeld())) failed = clients;
  }
  return best;
}
