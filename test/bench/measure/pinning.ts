/**
 * Keeps a server on one core and the load generator on another. Left to itself, the system now and then puts both on one
 * core as long as that is not full; then each finds the caches full of the other's, and the server's CPU time is up by
 * a third.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

const SERVER_CORE = 0;
const GENERATOR_CORE = 1;
const CORES_MIN = 2;

/** @throws Error when there is no `taskset` (util-linux), or a process has gone */
export function pinApart(serverPids: readonly number[], generatorPid: number): void {
  if (availableParallelism() < CORES_MIN) return;
  for (const pid of serverPids) pinTo(SERVER_CORE, pid);
  pinTo(GENERATOR_CORE, generatorPid);
}

/** With all of its threads; what it starts later stays there, too. */
export function pinTo(core: number, pid: number): void {
  const { error, stdout, stderr } = spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)]);
  // Of a process that is not there it only says nothing.
  if (error !== undefined || stdout.length === 0)
    throw new Error(`taskset failed: ${error?.message ?? String(stderr)}`);
}
