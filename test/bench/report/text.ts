/** A workload's result for the terminal. */
import type { Table, WorkloadResult } from "../result.ts";
import { tablesOf } from "./columns.ts";

const GAP = "  ";

/** @returns several lines, the last one ended */
export function formatText(result: WorkloadResult): string {
  const tables = tablesOf(result).map(formatTable);
  return `\n${result.workload}, medians of ${result.pairs} rounds\n\n${tables.join("\n")}`;
}

function formatTable({ title, columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  // Names on the left, numbers on the right.
  const formatted = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(GAP)
      .trimEnd(),
  );
  return `${[...(title === "" ? [] : [title]), ...formatted].join("\n")}\n`;
}
