/** Waiting with a limit. */

/** @returns what the promise gives, or undefined when that takes too long */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  return await Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** What has to be looked at again when something has happened. */
export type Watchers = Set<() => void>;

/** @returns whether the condition came true, in time; it is looked at now, and at each `look` */
export async function until(
  watchers: Watchers,
  condition: () => boolean,
  withinMs: number,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<true>();
  const check = () => condition() && resolve(true);
  watchers.add(check);
  check();
  const isSo = await within(withinMs, promise);
  watchers.delete(check);
  return isSo === true;
}

/** Something has happened. */
export function look(watchers: Watchers): void {
  for (const check of watchers) check();
}
