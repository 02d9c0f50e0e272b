/** What W1 must reach: ratios of the medians of one run. */
import { atMost, type Bound, type Row, rowOf } from "../result.ts";

/** Bounds hold from here on: with fewer clients the fixed costs of a process weigh too much. */
const BOUND_CLIENTS_MIN = 960;
/** Where the interval between ticks is bound, too. */
const INTERVAL_CLIENTS = 1_920;

/** @returns the bounds for every number of clients of the rows that has any */
export function w1Bounds(rows: readonly Row[]): Bound[] {
  const counts = [...new Set(rows.map(({ clients }) => clients))];
  return counts
    .filter((clients) => clients >= BOUND_CLIENTS_MIN)
    .flatMap((clients) => boundsAt(rows, clients));
}

function boundsAt(rows: readonly Row[], clients: number): Bound[] {
  const [ours, theirs, quantised, bare] = ["rookery", "colyseus", "colyseus quantised", "floor"].map(
    (server) => rowOf(rows, server, clients),
  ) as [Row, Row, Row, Row];
  const at = `at ${clients} clients`;
  const bounds = [
    atMost(`CPU per update / Colyseus ${at}`, ours.cpuUsPerUpdate / theirs.cpuUsPerUpdate, 0.7),
    atMost(`CPU per update / floor ${at}`, ours.cpuUsPerUpdate / bare.cpuUsPerUpdate, 1.2),
    atMost(`bytes / Colyseus ${at}`, ours.bytesPerClientPerSecond / theirs.bytesPerClientPerSecond, 0.45),
    atMost(
      `bytes / Colyseus quantised ${at}`,
      ours.bytesPerClientPerSecond / quantised.bytesPerClientPerSecond,
      0.7,
    ),
    atMost(`memory per client / Colyseus ${at}`, ours.rssKbPerClient / theirs.rssKbPerClient, 0.3),
  ];
  if (clients === INTERVAL_CLIENTS) {
    const excessMs = ours.tickIntervalMs.p99 - bare.tickIntervalMs.p99;
    bounds.push(atMost(`p99 of the tick interval, ms above the floor's ${at}`, excessMs, 1));
  }
  return bounds;
}
