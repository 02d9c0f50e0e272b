/**
 * W4: how fast clients join, and what a join costs. The rooms do nothing, so that nothing but the joins is measured; a
 * few thousand clients have joined before.
 */
import { LOBBY_SEATS } from "../lobby.ts";
import { type JoinSample, sampleJoins } from "../measure/join-sample.ts";
import { quietest } from "../measure/undisturbed.ts";
import { atLeast, atMost, type Table } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { median } from "../statistics.ts";
import type { Workload } from "./workload.ts";

const JOINS = [1_000] as const;
const AT_ONCE = 128;
/** After fewer joins a server is still compiling: a join costs it a quarter more. */
const BEFORE = 64 * LOBBY_SEATS;

const { lobby, ticketLobby, colyseusLobby } = CONTENDERS;

export const w4: Workload = {
  name: "w4",
  about: "1,000 clients join as fast as they can, rooms of 32 without ticks",
  run: async ({ clients, pairs, progress }) => {
    const tables: Table[] = [];
    const bounds = [];
    for (const joins of clients ?? JOINS) {
      const samples = new Map<Contender, JoinSample[]>([
        [lobby, []],
        [ticketLobby, []],
        [colyseusLobby, []],
      ]);
      for (let pair = 1; pair <= pairs; pair++) {
        for (const [contender, taken] of samples) {
          const say = (sentence: string) =>
            progress(`round ${pair} of ${pairs}: ${contender.name}, ${sentence}`);
          const burst = { contender, joins, atOnce: AT_ONCE, before: BEFORE };
          taken.push(await quietest(() => sampleJoins(burst), describe, say));
        }
      }
      const medians = new Map(Array.from(samples, ([contender, taken]) => [contender, middle(taken)]));
      const [short, ticket, theirs] = [lobby, ticketLobby, colyseusLobby].map((each) =>
        medians.get(each),
      ) as [JoinSample, JoinSample, JoinSample];
      tables.push(tableOf(joins, medians));
      bounds.push(
        atLeast("joins per second / Colyseus, short cut", short.joinsPerSecond / theirs.joinsPerSecond, 4),
        atMost("CPU ms a join, short cut", short.cpuMs, 0.35),
        atLeast("joins per second / Colyseus, ticket", ticket.joinsPerSecond / theirs.joinsPerSecond, 3),
        atMost("CPU ms a join, ticket", ticket.cpuMs, 0.5),
      );
    }
    return { workload: "w4", pairs, rows: [], bounds, tables };
  },
};

function middle(samples: readonly JoinSample[]): JoinSample {
  const of = (value: (sample: JoinSample) => number) => median(samples.map(value));
  return {
    joinsPerSecond: of((sample) => sample.joinsPerSecond),
    cpuMs: of((sample) => sample.cpuMs),
    workerCpuMs: of((sample) => sample.workerCpuMs),
    othersCores: of((sample) => sample.othersCores),
  };
}

function describe({ joinsPerSecond, cpuMs }: JoinSample): string {
  return `${joinsPerSecond.toFixed(0)} joins a second, ${cpuMs.toFixed(3)} ms of CPU each`;
}

function tableOf(joins: number, medians: ReadonlyMap<Contender, JoinSample>): Table {
  const rows = Array.from(medians, ([{ name }, { joinsPerSecond, cpuMs, workerCpuMs }]) => [
    name,
    joins.toLocaleString("en"),
    Math.round(joinsPerSecond).toLocaleString("en"),
    cpuMs.toFixed(3),
    workerCpuMs.toFixed(3),
  ]);
  return {
    title: "Joins",
    columns: ["server", "joins", "joins/s", "CPU ms/join", "of it in workers"],
    rows,
  };
}
