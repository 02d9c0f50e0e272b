/** A result as a table for people. */
import type { Result } from "./outcome.ts";

const LABEL_WIDTH = 20;

/** @returns several lines, the last one ended */
export function formatReport(result: Result): string {
  const { pauseMs, violations } = result;
  const ms = (value: number | null) => (value === null ? "-" : `${value.toFixed(1)} ms`);
  const rows: readonly (readonly [string, string])[] = [
    ["sockets", `${result.socketsKept} kept, ${result.socketsResumed} resumed`],
    ["pause", `p50 ${ms(pauseMs.p50)}, p99 ${ms(pauseMs.p99)}, max ${ms(pauseMs.max)}`],
    ["inputs", `${result.inputsLost} lost, ${result.inputsDoubled} doubled`],
    ["events", `${result.eventsLost} lost, ${result.eventsDoubled} doubled`],
    ["ticks", `${result.ticksLost} lost`],
    ["divergences", String(result.divergences)],
    ["rooms put aside", String(result.roomsQuarantined)],
  ];
  const lines = [
    `${result.case}: ${result.times} times, ${result.clients} clients, seed ${result.seed}`,
    "",
    ...rows.map(([label, text]) => `  ${label.padEnd(LABEL_WIDTH)}${text}`),
    "",
    ...(violations.length === 0 ? ["Every bound was kept."] : violations.map((text) => `Violation: ${text}`)),
  ];
  return `${lines.join("\n")}\n`;
}
