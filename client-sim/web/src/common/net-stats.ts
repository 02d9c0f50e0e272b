/** What the connection does, for the corner of the screen: numbers of the last second, refreshed a few times each. */
import type { Room } from "../../../sdk/index.ts";
import { make, setText } from "./dom.ts";

const WINDOW_MS = 1_000;
const REFRESH_MS = 250;

type Measured = Pick<Room, "onState" | "clock" | "tick" | "tickRate" | "code" | "worker" | "roomId">;
/** A further line: its name, and what it says now. */
export type ExtraStat = readonly [name: string, value: () => string];

/**
 * @param list filled with one line per number
 * @returns stops refreshing
 */
export function showNetStats(
  list: HTMLElement,
  room: Measured,
  extras: readonly ExtraStat[] = [],
): () => void {
  const received: { readonly atMs: number; readonly bytes: number }[] = [];
  const forgetOld = () => {
    const sinceMs = performance.now() - WINDOW_MS;
    while (received[0] !== undefined && received[0].atMs < sinceMs) received.shift();
  };
  const stop = room.onState(({ bytes }) => {
    received.push({ atMs: performance.now(), bytes });
    forgetOld();
  });

  const stats: readonly ExtraStat[] = [
    ["ping", () => `${Math.round(room.clock.rttMs)} ms`],
    ...(room.tickRate > 0 ? [["tick", () => String(room.tick)] as const] : []),
    ["updates", () => `${received.length}/s`],
    ["traffic", () => formatRate(received.reduce((sum, { bytes }) => sum + bytes, 0))],
    ["room", () => room.code],
    ["worker", () => String(room.worker)],
    ...extras,
  ];
  const lines = stats.map(([name, value]) => {
    const line = make("div");
    line.dataset.stat = name;
    const output = make("dd");
    line.append(make("dt", "", name), output);
    return { line, output, value };
  });
  list.replaceChildren(...lines.map(({ line }) => line));
  const refresh = () => {
    forgetOld();
    for (const { output, value } of lines) setText(output, value());
    list.title = `Room ${room.roomId}`;
  };
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  return () => {
    clearInterval(timer);
    stop();
  };
}

function formatRate(bytesPerSecond: number): string {
  return bytesPerSecond < 1_000 ? `${bytesPerSecond} B/s` : `${(bytesPerSecond / 1_000).toFixed(1)} kB/s`;
}
