/** Polls what no event tells from outside. */
import { setTimeout as delay } from "node:timers/promises";

const WAIT_MS = 30_000;
const INTERVAL_MS = 50;

export async function eventually<T>(
  read: () => Promise<T> | T,
  accepts: (value: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = await read();
    if (accepts(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`${what}: still ${JSON.stringify(value)} after ${WAIT_MS} ms`);
    }
    await delay(INTERVAL_MS);
  }
}
