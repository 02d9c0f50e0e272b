/** Takes a sample again when other processes had too much of the machine meanwhile, or when it failed for that. */
import { type Arrangement, type Sample, sample } from "./sample.ts";

const TRIES = 3;
/** Above it, other processes may decide what is measured. */
const OTHERS_CORES_MAX = 0.2;
/** Above it, the load generator is what may limit the rate. */
const GENERATOR_BUSY_MAX = 0.9;

/**
 * @param say gets a sentence about each try
 * @returns the first sample that nobody disturbed; when there is none, the one that was disturbed least
 * @throws Error the last one, when every try failed
 */
export async function undisturbed(
  arrangement: Arrangement,
  say: (sentence: string) => void,
  take: (arrangement: Arrangement) => Promise<Sample> = sample,
): Promise<Sample> {
  const { contender, load } = arrangement;
  return await quietest(
    () => take(arrangement),
    describe,
    (sentence) => say(`${contender.name}, ${load.clients} clients: ${sentence}`),
  );
}

/**
 * The same for samples of any kind.
 *
 * @param describe what there is to say of a sample, but for the disturbance
 */
export async function quietest<T extends { readonly othersCores: number }>(
  take: () => Promise<T>,
  describe: (taken: T) => string,
  say: (sentence: string) => void,
): Promise<T> {
  let best: T | undefined;
  let failure: unknown;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const taken = await take();
      const isQuiet = taken.othersCores <= OTHERS_CORES_MAX;
      const doubt = isQuiet ? "" : ` (other processes used ${taken.othersCores.toFixed(1)} cores)`;
      say(`${describe(taken)}${doubt}`);
      if (best === undefined || taken.othersCores < best.othersCores) best = taken;
      if (isQuiet) break;
    } catch (error) {
      failure = error;
      say((error as Error).message);
    }
  }
  if (best === undefined) throw failure;
  return best;
}

/** @returns what there is to say of a sample */
function describe({ cpuUsPerUpdate, bytesPerUpdate, updatesPerClientPerSecond, ...rest }: Sample): string {
  const line =
    `${cpuUsPerUpdate.toFixed(2)} us an update, ${bytesPerUpdate.toFixed(0)} bytes, ` +
    `${updatesPerClientPerSecond.toFixed(2)} Hz, p99 ${rest.intervalMs.p99.toFixed(1)} ms`;
  return rest.generatorBusy > GENERATOR_BUSY_MAX ? `${line} (the load generator had no time left)` : line;
}
