/**
 * Reads a profile that V8 wrote (`--cpu-prof`). It has what JavaScript and all that JavaScript calls take, the kernel's
 * writing included; the kernel's reading happens outside of it and counts as idle.
 */
import { basename, dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0. */
      readonly lineNumber: number;
    };
  }[];
  /** Microseconds of the machine's monotonic clock. */
  readonly startTime: number;
  /** Id of the node that each sample found running. */
  readonly samples: readonly number[];
  /** Before each sample, in microseconds. */
  readonly timeDeltas: readonly number[];
};

export type SelfTime = { readonly name: string; readonly share: number };

const IDLE = "(idle)";
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PACKAGE = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;

type Frame = CpuProfile["nodes"][number]["callFrame"];

/**
 * @param nameOf what to add up by
 * @returns what ran between two times, by its share of the time that was not idle, largest first
 */
export function selfTimes(
  profile: CpuProfile,
  { fromUs, toUs }: { readonly fromUs: number; readonly toUs: number },
  nameOf: (frame: Frame) => string,
): SelfTime[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let total = 0;
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    // A sample stands for the time up to the next one.
    const lastedUs = profile.timeDeltas[index + 1] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === IDLE || atUs < fromUs || atUs > toUs) continue;
    const name = nameOf(frame);
    times.set(name, (times.get(name) ?? 0) + lastedUs);
    total += lastedUs;
  }
  const shares = Array.from(times, ([name, timeUs]) => ({ name, share: timeUs / total }));
  return shares.sort((a, b) => b.share - a.share);
}

/** @returns the function's own name and the line it begins at */
export function functionOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}

/** @returns what a function belongs to: a folder of this project, a package, Node, or what is not JavaScript by name */
export function partOf({ functionName, url }: Frame): string {
  if (url === "") return functionName;
  if (url.startsWith("node:")) return "Node.js";
  const packageName = PACKAGE.exec(url)?.[1];
  if (packageName !== undefined) return packageName;
  return url.startsWith("file:") ? relative(ROOT, dirname(fileURLToPath(url))) : url;
}
