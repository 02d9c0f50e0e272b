/**
 * Two servers at the same time, on one core, each with a load of its own. What the machine does to one it does to the
 * other in the same moment, so that a difference of a few percent shows, which in turns it does not. The price: each finds
 * the caches full of the other's, and what it costs is not what it costs alone.
 */
import type { Load } from "../generator/messages.ts";
import type { Contender } from "../servers/contenders.ts";
import { BenchServer } from "./bench-server.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { pinApart } from "./pinning.ts";
import { cpuUs } from "./process-usage.ts";
import type { Timing } from "./sample.ts";

type Side = { readonly server: BenchServer; readonly generator: GeneratorProcess };

/**
 * @returns microseconds of CPU time for an update, of each contender
 * @throws Error when not everybody could join, or somebody lost the connection
 */
export async function sideBySide(
  contenders: readonly Contender[],
  load: Load,
  { warmUpMs, windowMs }: Timing,
): Promise<number[]> {
  await using started = new AsyncDisposableStack();
  const sides: Side[] = [];
  for (const contender of contenders) sides.push(await start(contender, load, started));
  await Promise.all(sides.map(({ generator }) => generator.measure(warmUpMs)));
  const before = sides.map(({ server }) => cpuUs(server.pids));
  const measured = await Promise.all(sides.map(({ generator }) => generator.measure(windowMs)));
  const after = sides.map(({ server }) => cpuUs(server.pids));
  return measured.map(({ updates, lost }, index) => {
    const name = contenders[index]?.name;
    if (lost > 0) throw new Error(`${name}: ${lost} of ${load.clients} clients lost their connection`);
    if (updates === 0) throw new Error(`${name}: no update has come`);
    return ((after[index] as number) - (before[index] as number)) / updates;
  });
}

async function start(contender: Contender, load: Load, started: AsyncDisposableStack): Promise<Side> {
  const server = started.use(await BenchServer.start(contender));
  const generator = started.use(new GeneratorProcess());
  pinApart(server.pids, generator.pid);
  const { protocol, roomType } = contender;
  await generator.join({ ...load, protocol, roomType, port: server.port });
  return { server, generator };
}
