/** The results page: what was measured where, and with what. */
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import type { Table, WorkloadResult } from "../result.ts";
import { tablesOf } from "./columns.ts";

export type Machine = {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
};

const BYTES_PER_GB = 2 ** 30;
/** Each from the install it is in: the project's own or that of the benchmark. */
const PACKAGES = {
  ws: "../../../node_modules",
  "@colyseus/core": "../node_modules",
  "@colyseus/ws-transport": "../node_modules",
  "@colyseus/schema": "../node_modules",
  "socket.io": "../node_modules",
};
const ISO_DATE_CHARACTERS = 10;

export function describeMachine(now: Date): Machine {
  const cores = cpus();
  const versions = Object.entries(PACKAGES).map(([name, from]) => {
    const manifest = new URL(`${from}/${name}/package.json`, import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return [name, version];
  });
  return {
    date: now.toISOString().slice(0, ISO_DATE_CHARACTERS),
    processor: cores[0]?.model ?? "unknown",
    cores: cores.length,
    memoryGb: Math.round(totalmem() / BYTES_PER_GB),
    system: `${type()} ${release()}`,
    versions: { node: process.versions.node, ...Object.fromEntries(versions) },
  };
}

export function formatPage(
  machine: Machine,
  results: readonly WorkloadResult[],
  about: ReadonlyMap<string, string>,
): string {
  const { date, processor, cores, memoryGb, system, versions } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const sections = results.map(
    (result) =>
      `## ${result.workload}: ${about.get(result.workload) ?? ""}\n\n` +
      `Medians of ${result.pairs} rounds.\n\n${tablesOf(result).map(formatTable).join("\n")}`,
  );
  return `# Results of the benchmark

Written by \`npm run bench\`. The servers run in turn on one machine together with the load generator, so only ratios
within one run mean something. Each has one worker unless its name says otherwise, and, but for joins and memory, one core;
the load generator has another. CPU is user and system time of all the server's processes; the floor is bare sockets
that run the same game and write as many bytes as Rookery.

${date}; ${processor}, ${cores} cores, ${memoryGb} GB, ${system}; ${list.join(", ")}

${sections.join("\n")}`;
}

function formatTable({ title, columns, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, column) => (column === 0 ? "---" : "--:"));
  const heading = title === "" ? [] : [`${title}:`, ""];
  return `${[...heading, line(columns), line(rule), ...rows.map(line)].join("\n")}\n`;
}
