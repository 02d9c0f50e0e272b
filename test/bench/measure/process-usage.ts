/** What processes have used so far, as Linux tells in /proc (proc(5)). */
import { readFileSync } from "node:fs";

/** Of /proc/PID/stat, in ticks of the clock; USER_HZ is 100 on every architecture that Node runs on. */
const US_PER_CLOCK_TICK = 10_000;
/** Fields of the line, counted after the name in brackets, which may hold spaces. */
const FIELD = { USER_TIME: 11, SYSTEM_TIME: 12 } as const;
/** Of the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; guests are in these. */
const MACHINE_FIELDS = 8;
const RESIDENT = /^VmRSS:\s+(\d+) kB$/m;

/** @returns microseconds of CPU time, user and system, of all threads of all these processes together */
export function cpuUs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[FIELD.USER_TIME]) + Number(fields[FIELD.SYSTEM_TIME]);
  }
  return ticks * US_PER_CLOCK_TICK;
}

/** @returns microseconds that all cores of the machine were not idle, since it was started */
export function machineBusyUs(): number {
  const ticks = readFileSync("/proc/stat", "latin1")
    .split("\n", 1)[0]
    ?.split(/\s+/)
    .slice(1, 1 + MACHINE_FIELDS);
  const [user, nice, system, , , interrupts, softInterrupts, stolen] = (ticks ?? []).map(Number);
  const busy = [user, nice, system, interrupts, softInterrupts, stolen];
  return busy.reduce<number>((sum, each) => sum + (each ?? 0), 0) * US_PER_CLOCK_TICK;
}

/** @returns KiB of resident memory of all these processes together */
export function residentKb(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids) {
    kilobytes += Number(RESIDENT.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
  }
  return kilobytes;
}
