/** The summary as a table for people. */
import { errorOfClose } from "../../shared/errors.ts";
import type { Percentiles } from "./durations.ts";
import type { Summary } from "./summary.ts";

/** When this process' own timers are later than this, the table says what it means for the latencies. */
const LATE_LOOP_MS = 10;
const LABEL_WIDTH = 34;
const VALUE_WIDTH = 12;

/** @returns several lines, the last one ended */
export function formatReport(summary: Summary): string {
  const { room, clients, joined, steadySeconds, divergences, comparedStates, loopDelayMs } = summary;
  const lines = [
    `${room}: ${joined} of ${clients} clients joined; steady window of ${steadySeconds} s`,
    "",
    row("milliseconds", "p50", "p99", "p99.9", "max"),
    durationRow("time to join", summary.joinMs),
    durationRow("latency of states", summary.latencyMs),
    durationRow("interval of states", summary.tickIntervalMs),
    durationRow("delay of this process' own timers", loopDelayMs),
    "",
    row("updates per client and second", count(summary.updatesPerClientPerSecond)),
    row("bytes per client and second", count(summary.bytesPerClientPerSecond)),
    row("missing ticks", count(summary.missingTicks)),
    row("divergences", `${count(divergences)} of ${count(comparedStates)} states compared`),
    row("reconnects", count(summary.reconnects)),
    row("rejoins", count(summary.rejoins)),
    row("disconnects", codes(summary.disconnects, closeName)),
    row(
      "errors",
      codes(summary.errors, (code) => code),
    ),
    "",
    "Joins, reconnects, rejoins, disconnects, errors and divergences are counted from the start,",
    "everything else in the steady window after the ramp.",
  ];
  if ((loopDelayMs.p99 ?? 0) > LATE_LOOP_MS || summary.skippedInputs > 0) {
    lines.push(
      `This process was late itself (p99 ${milliseconds(loopDelayMs.p99)} ms, ` +
        `${count(summary.skippedInputs)} inputs not sent): what it measured is too long. Use fewer clients.`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function durationRow(label: string, { p50, p99, p999, max }: Partial<Percentiles>): string {
  return row(label, ...[p50, p99, p999, max].map(milliseconds));
}

function row(label: string, ...values: string[]): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${values.map((value) => value.padStart(VALUE_WIDTH)).join("")}`;
}

/** Undefined: not part of the summary. Null: nothing was measured. */
function milliseconds(value: number | null | undefined): string {
  if (value === undefined) return "";
  return value === null ? "-" : value.toFixed(2);
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function codes(counts: Readonly<Record<string, number>>, name: (code: string) => string): string {
  const entries = Object.entries(counts).map(([code, times]) => `${count(times)} ${name(code)}`);
  return entries.length === 0 ? "0" : entries.join(", ");
}

function closeName(close: string): string {
  const code = errorOfClose(Number(close));
  return code === undefined ? close : `${close} ${code}`;
}
