/** The rows and bounds of a workload as cells of text, for the terminal and for the page alike. */
import type { Bound, Row, Table, WorkloadResult } from "../result.ts";

const COLUMNS = [
  "server",
  "clients",
  "CPU us/update",
  "bytes/s per client",
  "memory KB/client",
  "tick p50 ms",
  "tick p99 ms",
];

/** @returns what there is to show of a workload, empty tables left out */
export function tablesOf({ rows, bounds, tables = [] }: WorkloadResult): Table[] {
  const all = [
    { title: "", columns: COLUMNS, rows: rows.map(rowCells) },
    ...tables,
    { title: "Bounds", columns: ["bound", "limit", "measured", ""], rows: bounds.map(boundCells) },
  ];
  return all.filter((table) => table.rows.length > 0);
}

function rowCells(row: Row): string[] {
  const { server, clients, cpuUsPerUpdate, bytesPerClientPerSecond, rssKbPerClient, tickIntervalMs } = row;
  return [
    server,
    clients.toLocaleString("en"),
    cpuUsPerUpdate.toFixed(2),
    Math.round(bytesPerClientPerSecond).toLocaleString("en"),
    rssKbPerClient.toFixed(1),
    tickIntervalMs.p50.toFixed(1),
    tickIntervalMs.p99.toFixed(1),
  ];
}

function boundCells({ name, limit, value, ok }: Bound): string[] {
  return [name, String(limit), value.toFixed(3), ok ? "met" : "MISSED"];
}
