/** Where the time goes: CPU profiles of Rookery's worker, in percent. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CpuProfile, functionOf, partOf, type SelfTime, selfTimes } from "../measure/cpu-profile.ts";
import { sample, type Timing } from "../measure/sample.ts";
import type { Table } from "../result.ts";
import { SUBJECTS, type Subject } from "./subjects.ts";
import type { Workload } from "./workload.ts";

const LINES_MAX = 20;
const PERCENT = 100;

export const profile: Workload = {
  name: "profile",
  about: "where the time of Rookery's worker goes, without the kernel's reading",
  run: async ({ timing, progress }) => {
    const tables: Table[] = [];
    for (const subject of SUBJECTS) {
      const { taken, window } = await takeProfile(subject, timing);
      const at = `of ${subject.name} at ${subject.load.clients} clients`;
      progress(`${subject.name} is profiled`);
      tables.push(
        tableOf(`By part ${at}`, selfTimes(taken, window, partOf)),
        tableOf(`By function ${at}`, selfTimes(taken, window, functionOf)),
      );
    }
    return { workload: "profile", pairs: 1, rows: [], bounds: [], tables };
  },
};

function tableOf(title: string, times: readonly SelfTime[]): Table {
  const rows = times
    .slice(0, LINES_MAX)
    .map(({ name, share }) => [name, (share * PERCENT).toFixed(1)] as const);
  return { title, columns: ["self time", "percent"], rows };
}

async function takeProfile(
  { contender, load }: Subject,
  timing: Timing,
): Promise<{ taken: CpuProfile; window: { fromUs: number; toUs: number } }> {
  const directory = mkdtempSync(join(tmpdir(), "rookery-profile-"));
  const timesUs: number[] = [];
  let workerPid = 0;
  try {
    await sample({
      contender,
      load,
      timing,
      environment: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` },
      onWindow: (server) => {
        server.isStopped = true;
        workerPid = server.workerPids.at(-1) ?? 0;
        // The clock that V8 takes the times of a profile from.
        timesUs.push(Number(process.hrtime.bigint() / 1000n));
      },
    });
    // The name has the process and then the thread.
    const file = readdirSync(directory).find((name) => name.includes(`.${workerPid}.`));
    if (file === undefined) throw new Error("the worker has written no profile");
    const taken = JSON.parse(readFileSync(join(directory, file), "utf8")) as CpuProfile;
    const [fromUs = 0, toUs = 0] = timesUs;
    return { taken, window: { fromUs, toUs } };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
