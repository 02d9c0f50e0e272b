import { describe, expect, test } from "vitest";
import { medianRow } from "../measure/rows.ts";
import type { Sample } from "../measure/sample.ts";
import { atLeast, atMost, type Row, rowOf } from "../result.ts";
import { w1Bounds } from "../workloads/w1-bounds.ts";

function row(server: string, clients: number, numbers: Partial<Row> = {}): Row {
  return {
    server,
    clients,
    cpuUsPerUpdate: 10,
    bytesPerClientPerSecond: 8_000,
    rssKbPerClient: 30,
    tickIntervalMs: { p50: 50, p99: 52 },
    ...numbers,
  };
}

function rowsAt(clients: number): Row[] {
  return [
    row("rookery", clients),
    row("colyseus", clients, { cpuUsPerUpdate: 20, bytesPerClientPerSecond: 20_000, rssKbPerClient: 120 }),
    row("colyseus quantised", clients, { bytesPerClientPerSecond: 16_000 }),
    row("floor", clients, { cpuUsPerUpdate: 8, tickIntervalMs: { p50: 50, p99: 50.5 } }),
  ];
}

describe("bounds", () => {
  test("hold at the limit itself, on their side of it", () => {
    expect(atMost("bytes", 0.7, 0.7)).toEqual({ name: "bytes, at most", value: 0.7, limit: 0.7, ok: true });
    expect(atMost("bytes", 0.71, 0.7).ok).toBe(false);
    expect(atLeast("clients", 1.5, 1.5)).toEqual({
      name: "clients, at least",
      value: 1.5,
      limit: 1.5,
      ok: true,
    });
    expect(atLeast("clients", 1.4, 1.5).ok).toBe(false);
  });

  test("are missed by what is not a number", () => {
    expect(atMost("bytes", Number.NaN, 1).ok).toBe(false);
    expect(atLeast("clients", Number.NaN, 1).ok).toBe(false);
  });

  test("of W1 are ratios of the rows of one number of clients, from 960 on", () => {
    const bounds = w1Bounds([...rowsAt(320), ...rowsAt(960)]);
    expect(bounds.map(({ value, limit, ok }) => [value, limit, ok])).toEqual([
      [0.5, 0.7, true],
      [1.25, 1.2, false],
      [0.4, 0.45, true],
      [0.5, 0.7, true],
      [0.25, 0.3, true],
    ]);
    for (const { name } of bounds) expect(name).toContain("at 960 clients");
  });

  test("of W1 hold the ticks to the floor's at 1,920", () => {
    const last = w1Bounds(rowsAt(1_920)).at(-1);
    expect(last).toMatchObject({ value: 1.5, limit: 1, ok: false });
  });

  test("of W1 need all four servers", () => {
    expect(() => w1Bounds(rowsAt(960).slice(1))).toThrow(/no row of rookery at 960/);
  });
});

describe("rows", () => {
  test("are medians of each number by itself", () => {
    const samples = [1, 2, 9].map(
      (factor): Sample => ({
        clients: 320,
        cpuUsPerUpdate: 10 * factor,
        updatesPerClientPerSecond: 20,
        bytesPerClientPerSecond: 90 / factor,
        bytesPerUpdate: 400,
        rssKbPerClient: factor,
        intervalMs: { p50: 50, p99: 50 + factor },
        generatorBusy: 0.1,
        othersCores: 0,
      }),
    );
    expect(medianRow("rookery", samples)).toEqual({
      server: "rookery",
      clients: 320,
      cpuUsPerUpdate: 20,
      bytesPerClientPerSecond: 45,
      rssKbPerClient: 2,
      tickIntervalMs: { p50: 50, p99: 52 },
    });
  });

  test("are found by server and clients", () => {
    const rows = [row("a", 1), row("a", 2), row("b", 2)];
    expect(rowOf(rows, "a", 2)).toBe(rows[1]);
    expect(rowOf(rows, "b")).toBe(rows[2]);
    expect(() => rowOf(rows, "c")).toThrow(/no row of c/);
  });
});
