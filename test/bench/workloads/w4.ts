/**
 * W4: how fast clients join, and what a join costs. The rooms do nothing, so that nothing but the joins is measured; a
 * few thousand clients have joined before.
 *
 * First all come at once, as players do when a server has been started again. As many as a server's queue of connections
 * does not hold have their first packet dropped, and try again a second later: that is most of what joins per second say
 * then. Then no more than 128 are on their way at a time, which no queue is too short for. The bounds hold for both. The
 * floor answers handshakes, and has no seats, rooms or processes behind it.
 */
import { LOBBY_SEATS } from "../lobby.ts";
import { type JoinSample, sampleJoins } from "../measure/join-sample.ts";
import { quietest } from "../measure/undisturbed.ts";
import { atLeast, atMost, type Bound, type Table } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { median } from "../statistics.ts";
import type { BenchContext, Workload } from "./workload.ts";

const JOINS = [1_000] as const;
const SOME_AT_ONCE = 128;
/** After fewer joins a server is still compiling: a join costs it a quarter more. */
const BEFORE = 64 * LOBBY_SEATS;

const { lobby, ticketLobby, colyseusLobby, floorLobby } = CONTENDERS;

export const w4: Workload = {
  name: "w4",
  about: "1,000 clients join as fast as they can, rooms of 32 without ticks",
  run: async (context) => {
    const { clients, pairs } = context;
    const tables: Table[] = [];
    const bounds: Bound[] = [];
    for (const joins of clients ?? JOINS) {
      const all = await inTurns(joins, joins, context);
      const some = await inTurns(joins, SOME_AT_ONCE, context);
      tables.push(
        tableOf("All at once", joins, all),
        tableOf(`At most ${SOME_AT_ONCE} on their way at a time`, joins, some),
      );
      bounds.push(...boundsOf(all, "all at once"), ...boundsOf(some, `${SOME_AT_ONCE} at a time`));
    }
    return { workload: "w4", pairs, rows: [], bounds, tables };
  },
};

type Samples = ReadonlyMap<Contender, JoinSample>;

/** @returns the medians */
async function inTurns(joins: number, atOnce: number, { pairs, progress }: BenchContext): Promise<Samples> {
  const samples = new Map<Contender, JoinSample[]>(
    [lobby, ticketLobby, colyseusLobby, floorLobby].map((contender) => [contender, []]),
  );
  for (let pair = 1; pair <= pairs; pair++) {
    for (const [contender, taken] of samples) {
      const say = (sentence: string) =>
        progress(`round ${pair} of ${pairs}, ${atOnce} at once: ${contender.name}, ${sentence}`);
      const burst = { contender, joins, atOnce, before: BEFORE };
      taken.push(await quietest(() => sampleJoins(burst), describe, say));
    }
  }
  return new Map(Array.from(samples, ([contender, taken]) => [contender, middle(taken)]));
}

function boundsOf(medians: Samples, how: string): Bound[] {
  const [short, ticket, theirs] = [lobby, ticketLobby, colyseusLobby].map((each) => medians.get(each)) as [
    JoinSample,
    JoinSample,
    JoinSample,
  ];
  return [
    atLeast(
      `joins per second / Colyseus, short cut, ${how}`,
      short.joinsPerSecond / theirs.joinsPerSecond,
      4,
    ),
    atMost(`CPU ms a join, short cut, ${how}`, short.cpuMs, 0.35),
    atLeast(`joins per second / Colyseus, ticket, ${how}`, ticket.joinsPerSecond / theirs.joinsPerSecond, 3),
    atMost(`CPU ms a join, ticket, ${how}`, ticket.cpuMs, 0.5),
  ];
}

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

function tableOf(title: string, joins: number, medians: Samples): Table {
  const rows = Array.from(medians, ([{ name }, { joinsPerSecond, cpuMs, workerCpuMs }]) => [
    name,
    joins.toLocaleString("en"),
    Math.round(joinsPerSecond).toLocaleString("en"),
    cpuMs.toFixed(3),
    workerCpuMs.toFixed(3),
  ]);
  return { title, columns: ["server", "joins", "joins/s", "CPU ms/join", "of it in workers"], rows };
}
