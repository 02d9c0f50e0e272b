/** How many clients the operating system lets a process have: each is a descriptor. */
import { readFileSync } from "node:fs";

/** What a process needs besides its clients: files, channels, HTTP connections that are not clients yet. */
const RESERVED_DESCRIPTORS = 256;
const OPEN_FILES = /^Max open files\s+(\d+|unlimited)/m;

/** @returns clients there are descriptors for; Infinity where the limit is not known (it is read from /proc, on Linux) */
export function clientDescriptors(): number {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const limit = Number(OPEN_FILES.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : Math.max(1, limit - RESERVED_DESCRIPTORS);
}
