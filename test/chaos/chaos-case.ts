/** What every case is: how much of it is usual, what it must hold, and how it is run. */
import { type Bounds, missedBounds, type Outcome } from "./outcome.ts";

export type Size = {
  readonly times: number;
  readonly clients: number;
  readonly workers: number;
};

export type RunOptions = Size & {
  readonly seed: number;
  /** Takes a line about how far it has come. */
  readonly progress: (line: string) => void;
};

export type ChaosCase = {
  /** For the help: what is done, and what `--times` counts. */
  readonly about: string;
  /** @param clients as asked for: the case may take another number, and many clients make fewer times usual */
  readonly usual: (clients?: number) => Size;
  readonly bounds: (size: Size) => Bounds;
  readonly run: (options: RunOptions) => Promise<Outcome>;
};

/** @returns what was found, with the bounds that were missed among the violations */
export async function runCase(
  chaosCase: ChaosCase,
  options: RunOptions,
  bounds: Bounds = chaosCase.bounds(options),
): Promise<Outcome> {
  const outcome = await chaosCase.run(options);
  return { ...outcome, violations: [...outcome.violations, ...missedBounds(outcome, bounds)] };
}
