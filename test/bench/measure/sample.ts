/** One run of one server under one load: what it used, and what its clients got, in a window after a warm-up. */
import type { Load } from "../generator/messages.ts";
import type { Contender } from "../servers/contenders.ts";
import { BenchServer } from "./bench-server.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { pinApart } from "./pinning.ts";
import { cpuUs, machineBusyUs } from "./process-usage.ts";

const US_PER_SECOND = 1_000_000;
/** Share of what was sent to others in the window that must have come in it; the rest is under way. */
const ARRIVED_MIN = 0.97;

export type Timing = {
  /** Between the last join and the window: code is compiled, buffers find their size. */
  readonly warmUpMs: number;
  readonly windowMs: number;
};

export type Sample = {
  readonly clients: number;
  readonly cpuUsPerUpdate: number;
  readonly updatesPerClientPerSecond: number;
  readonly bytesPerClientPerSecond: number;
  readonly bytesPerUpdate: number;
  readonly rssKbPerClient: number;
  readonly intervalMs: { readonly p50: number; readonly p99: number };
  /** Share of the window in which the load generator was busy. */
  readonly generatorBusy: number;
  /** Cores that other processes than these kept busy in the window: what makes a sample noisy. */
  readonly othersCores: number;
};

export type Arrangement = {
  readonly contender: Contender;
  readonly load: Load;
  readonly timing: Timing;
  /** Clients per room, when the rooms shall be checked to be full. */
  readonly roomSize?: number;
  readonly environment?: Record<string, string>;
  /** Called when the window begins and when it has ended. */
  readonly onWindow?: (server: BenchServer) => void;
};

/** @throws Error when not everybody could join, or somebody lost the connection: then nothing was measured */
export async function sample(arrangement: Arrangement): Promise<Sample> {
  const { contender, load, timing, roomSize, environment, onWindow } = arrangement;
  await using server = await BenchServer.start(contender, environment);
  await using generator = new GeneratorProcess();
  // Several workers are there to use several cores.
  if (contender.environment.WORKERS === "1") pinApart(server.pids, generator.pid);
  const idleKb = server.residentKb();
  const { protocol, roomType, name } = contender;
  const { rooms } = await generator.join({ ...load, protocol, roomType, port: server.port });
  if (roomSize !== undefined && rooms !== undefined && rooms !== Math.ceil(load.clients / roomSize)) {
    throw new Error(
      `${name}: ${load.clients} clients are in ${rooms} rooms, not in full rooms of ${roomSize}`,
    );
  }
  await generator.measure(timing.warmUpMs);
  onWindow?.(server);
  const othersUs = () => machineBusyUs() - server.cpuUs() - cpuUs([generator.pid]);
  const othersStartUs = othersUs();
  const startUs = server.cpuUs();
  const measured = await generator.measure(timing.windowMs);
  const usedUs = server.cpuUs() - startUs;
  const othersUsedUs = othersUs() - othersStartUs;
  onWindow?.(server);
  const { seconds, updates, bytes, intervalMs, busy, lost, inputsSent } = measured;
  if (lost > 0) throw new Error(`${name}: ${lost} of ${load.clients} clients lost their connection`);
  if (updates === 0) throw new Error(`${name}: no update has come`);
  if (load.updates === "events" && roomSize !== undefined && updates < inputsSent * roomSize * ARRIVED_MIN) {
    throw new Error(`${name}: of ${inputsSent * roomSize} messages ${updates} have come`);
  }
  return {
    clients: load.clients,
    cpuUsPerUpdate: usedUs / updates,
    updatesPerClientPerSecond: updates / load.clients / seconds,
    bytesPerClientPerSecond: bytes / load.clients / seconds,
    bytesPerUpdate: bytes / updates,
    rssKbPerClient: (server.residentKb() - idleKb) / load.clients,
    intervalMs,
    generatorBusy: busy,
    othersCores: Math.max(0, othersUsedUs / US_PER_SECOND / seconds),
  };
}
