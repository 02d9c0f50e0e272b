/** Every client is an open socket: a run that cannot have so many must not begin. */

/** Standard streams, modules, DNS, the event loop's own. */
const RESERVED_DESCRIPTORS = 64;

/**
 * @param clients one descriptor each
 * @param requests HTTP requests under way beside them
 * @param limit how many descriptors this process may have
 * @returns a sentence that says what is missing; undefined when they suffice
 */
export function descriptorShortage(clients: number, requests: number, limit: number): string | undefined {
  const needed = clients + Math.min(clients, requests) + RESERVED_DESCRIPTORS;
  if (needed <= limit) return undefined;
  return (
    `${clients} clients need about ${needed} file descriptors and this process may have ${limit}: ` +
    "raise the limit with `ulimit -n`, or use fewer clients."
  );
}

/** @returns the limit of this process; Infinity where there is none */
export function descriptorLimit(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}
