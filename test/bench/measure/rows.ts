/** Turns the samples of one server into a row of their medians. */
import type { Row } from "../result.ts";
import { median } from "../statistics.ts";
import type { Sample } from "./sample.ts";

export function medianRow(server: string, samples: readonly Sample[]): Row {
  const middle = (of: (sample: Sample) => number): number => median(samples.map(of));
  return {
    server,
    clients: middle((sample) => sample.clients),
    cpuUsPerUpdate: rounded(middle((sample) => sample.cpuUsPerUpdate)),
    bytesPerClientPerSecond: rounded(middle((sample) => sample.bytesPerClientPerSecond)),
    rssKbPerClient: rounded(middle((sample) => sample.rssKbPerClient)),
    tickIntervalMs: {
      p50: rounded(middle((sample) => sample.intervalMs.p50)),
      p99: rounded(middle((sample) => sample.intervalMs.p99)),
    },
  };
}

const HUNDREDTHS = 100;

function rounded(value: number): number {
  return Math.round(value * HUNDREDTHS) / HUNDREDTHS;
}
