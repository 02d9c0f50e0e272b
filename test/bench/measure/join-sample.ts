/** One burst of joins into one server: how fast they were, and what they cost it. */
import type { Contender } from "../servers/contenders.ts";
import { BenchServer } from "./bench-server.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { cpuUs, machineBusyUs } from "./process-usage.ts";

export type JoinSample = {
  readonly joinsPerSecond: number;
  /** Milliseconds of CPU time per join, of all processes of the server. */
  readonly cpuMs: number;
  /** Of these, what its workers took. */
  readonly workerCpuMs: number;
  /** Cores that other processes than these kept busy meanwhile. */
  readonly othersCores: number;
};

export type Burst = {
  readonly contender: Contender;
  readonly joins: number;
  /** Joins under way at the same time. */
  readonly atOnce: number;
  /** Clients who have joined before: then the code is compiled. They stay, and are idle. */
  readonly before: number;
};

/** What follows upon the last welcome counts as well. */
const SETTLE_MS = 200;
const US_PER_SECOND = 1_000_000;
const US_PER_MS = 1_000;

/** @throws Error when not everybody could join */
export async function sampleJoins({ contender, joins, atOnce, before }: Burst): Promise<JoinSample> {
  await using server = await BenchServer.start(contender);
  await using generator = new GeneratorProcess();
  const { protocol, roomType } = contender;
  const idle = { inputsPerSecond: 0, inputBytes: 0 };
  await generator.join({ ...idle, clients: before, protocol, roomType, port: server.port });
  await generator.measure(SETTLE_MS);
  const used = () => {
    const all = server.cpuUs();
    return { all, workers: cpuUs(server.workerPids), others: machineBusyUs() - all - cpuUs([generator.pid]) };
  };
  const start = used();
  const seconds = await generator.joinMore({ count: joins, atOnce });
  const { lost } = await generator.measure(SETTLE_MS);
  const end = used();
  if (lost > 0) throw new Error(`${contender.name}: ${lost} clients lost their connection`);
  const settled = seconds + SETTLE_MS / 1_000;
  return {
    joinsPerSecond: joins / seconds,
    cpuMs: (end.all - start.all) / US_PER_MS / joins,
    workerCpuMs: (end.workers - start.workers) / US_PER_MS / joins,
    othersCores: Math.max(0, (end.others - start.others) / US_PER_SECOND / settled),
  };
}
