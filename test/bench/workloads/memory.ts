/**
 * What an idle connection and an idle room cost in memory, and whether rooms that are gone leave anything. Everything
 * is counted after a full collection, once some clients have been there for the code to be compiled.
 */
import { LOBBY_SEATS } from "../lobby.ts";
import { BenchServer, type Memory, type ProcessMemory } from "../measure/bench-server.ts";
import { GeneratorProcess } from "../measure/generator-process.ts";
import { atMost, type Table } from "../result.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { median } from "../statistics.ts";
import type { Workload } from "./workload.ts";

const CONNECTIONS = [2_000] as const;
const ROOMS = 1_000;
const ROOMS_GONE = 10_000;
const WARM_UP_ROOMS = 2_000;
const AT_ONCE = 32;
const PAIRS_MAX = 3;
/** For what follows upon the last answer, such as the end of a room. */
const SETTLE_MS = 1_000;
const HEAP_GROWTH_MAX = 1.05;

const { memory: retained, memoryUnretained, memoryOfRooms, memoryOfChurn, colyseusMemory } = CONTENDERS;

type Taken = { readonly before: Memory; readonly after: Memory };

export const memory: Workload = {
  name: "memory",
  about: "idle connections in rooms of 32, idle rooms, and 10,000 rooms created and disposed",
  run: async ({ clients, pairs: asked, progress }) => {
    const pairs = Math.min(asked, PAIRS_MAX);
    const tables: Table[] = [];
    for (const connections of clients ?? CONNECTIONS) {
      const samples = new Map<Contender, Taken[]>(
        [retained, memoryUnretained, colyseusMemory].map((contender) => [contender, []]),
      );
      for (let pair = 1; pair <= pairs; pair++) {
        for (const [contender, taken] of samples) {
          taken.push(await withConnections(contender, connections));
          progress(`round ${pair} of ${pairs}: ${contender.name}, ${connections} connections`);
        }
      }
      tables.push(...connectionTables(samples, connections));
    }
    const rooms: Taken[] = [];
    const gone: Taken[] = [];
    for (let pair = 1; pair <= pairs; pair++) {
      rooms.push(await withRooms(memoryOfRooms, { warmUp: LOBBY_SEATS, count: ROOMS }));
      progress(`round ${pair} of ${pairs}: ${ROOMS} rooms`);
      gone.push(await withRooms(memoryOfChurn, { warmUp: WARM_UP_ROOMS, count: ROOMS_GONE }));
      progress(`round ${pair} of ${pairs}: ${ROOMS_GONE} rooms that are gone`);
    }
    tables.push(roomTable(rooms), goneTable(gone));
    const bounds = [
      atMost(`heap after ${ROOMS_GONE} rooms / before, primary`, growth(gone, "first"), HEAP_GROWTH_MAX),
      atMost(`heap after ${ROOMS_GONE} rooms / before, worker`, growth(gone, "workers"), HEAP_GROWTH_MAX),
    ];
    return { workload: "memory", pairs, rows: [], bounds, tables };
  },
};

async function withConnections(contender: Contender, connections: number): Promise<Taken> {
  return await around(contender, LOBBY_SEATS, async (generator) => {
    await generator.joinMore({ count: connections, atOnce: AT_ONCE });
  });
}

/** Creates rooms, each by a client that then leaves. */
async function withRooms(
  contender: Contender,
  { warmUp, count }: { readonly warmUp: number; readonly count: number },
): Promise<Taken> {
  return await around(contender, 0, async (generator, look) => {
    await generator.comeAndGo({ count: warmUp, atOnce: AT_ONCE });
    await look();
    await generator.comeAndGo({ count, atOnce: AT_ONCE });
  });
}

/**
 * @param clients who join before, and stay; who says nothing for 30 s would be closed
 * @param work may look again: then that is what counts as before
 * @throws Error when somebody lost the connection
 */
async function around(
  contender: Contender,
  clients: number,
  work: (generator: GeneratorProcess, look: () => Promise<void>) => Promise<void>,
): Promise<Taken> {
  await using server = await BenchServer.start(contender);
  await using generator = new GeneratorProcess();
  const { protocol, roomType, name } = contender;
  const idle = { inputsPerSecond: 0, inputBytes: 0 };
  await generator.join({ ...idle, clients, protocol, roomType, port: server.port });
  const settled = async (): Promise<Memory> => {
    const { lost } = await generator.measure(SETTLE_MS);
    if (lost > 0) throw new Error(`${name}: ${lost} clients lost their connection`);
    return await server.memory();
  };
  let before = await settled();
  await work(generator, async () => {
    before = await settled();
  });
  return { before, after: await settled() };
}

type Part = keyof Memory;

/** KB that one of `count` things has added to a process. */
function added(samples: readonly Taken[], part: Part, of: keyof ProcessMemory, count: number): string {
  return median(samples.map(({ before, after }) => (after[part][of] - before[part][of]) / count)).toFixed(1);
}

function growth(samples: readonly Taken[], part: Part): number {
  return median(samples.map(({ before, after }) => after[part].heapKb / before[part].heapKb));
}

const COLUMNS = ["resident, primary", "heap, primary", "resident, worker", "heap, worker"];

function addedCells(samples: readonly Taken[], count: number): string[] {
  return [
    added(samples, "first", "residentKb", count),
    added(samples, "first", "heapKb", count),
    added(samples, "workers", "residentKb", count),
    added(samples, "workers", "heapKb", count),
  ];
}

function connectionTables(samples: ReadonlyMap<Contender, readonly Taken[]>, connections: number): Table[] {
  const rows = Array.from(samples, ([{ name }, taken]) => [name, ...addedCells(taken, connections)]);
  const lessWithout = (of: keyof ProcessMemory): string => {
    const [kept, unkept] = [retained, memoryUnretained].map((contender) =>
      Number(added(samples.get(contender) ?? [], "first", of, connections)),
    ) as [number, number];
    return (kept - unkept).toFixed(1);
  };
  return [
    {
      title: `KB per idle connection, of ${connections.toLocaleString("en")} (Colyseus has one process only)`,
      columns: ["server", ...COLUMNS],
      rows,
    },
    {
      title: "KB per retained socket in the primary",
      columns: ["", "resident", "heap"],
      rows: [["RETAIN_SOCKETS 1 less 0", lessWithout("residentKb"), lessWithout("heapKb")]],
    },
  ];
}

function roomTable(samples: readonly Taken[]): Table {
  return {
    title: `KB per idle room, of ${ROOMS.toLocaleString("en")}, with nobody in it`,
    columns: ["server", ...COLUMNS],
    rows: [["rookery", ...addedCells(samples, ROOMS)]],
  };
}

function goneTable(samples: readonly Taken[]): Table {
  const middle = (of: (taken: Taken) => number): string =>
    Math.round(median(samples.map(of))).toLocaleString("en");
  const row = (name: string, part: Part) => [
    name,
    middle(({ before }) => before[part].heapKb),
    middle(({ after }) => after[part].heapKb),
    middle(({ before }) => before[part].residentKb),
    middle(({ after }) => after[part].residentKb),
  ];
  return {
    title: `KB before and after ${ROOMS_GONE.toLocaleString("en")} rooms that are gone`,
    columns: ["process", "heap before", "heap after", "resident before", "resident after"],
    rows: [row("primary", "first"), row("worker", "workers")],
  };
}
