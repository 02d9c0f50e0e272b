/** @returns the milliseconds of CPU time that this process takes for it: the same whatever else the machine is doing */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
