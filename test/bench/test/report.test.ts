import { expect, test } from "vitest";
import { formatPage } from "../report/page.ts";
import { formatText } from "../report/text.ts";
import { atMost, type WorkloadResult } from "../result.ts";

const RESULT: WorkloadResult = {
  workload: "w1",
  pairs: 5,
  rows: [
    {
      server: "rookery",
      clients: 1_920,
      cpuUsPerUpdate: 13.94,
      bytesPerClientPerSecond: 8_012.4,
      rssKbPerClient: 26.04,
      tickIntervalMs: { p50: 50, p99: 51.95 },
    },
  ],
  bounds: [atMost("bytes / Colyseus", 0.4, 0.45), atMost("memory / Colyseus", 0.4, 0.3)],
  tables: [{ title: "Profile", columns: ["function", "percent"], rows: [["writev", 52.6]] }],
};
const MACHINE = {
  date: "2026-01-31",
  processor: "Example CPU",
  cores: 2,
  memoryGb: 24,
  system: "Linux 6.1",
  versions: { node: "24.0.0", ws: "8.23.0" },
};

test("the terminal gets tables in columns", () => {
  expect(formatText(RESULT)).toBe(`
w1, medians of 5 rounds

server   clients  CPU us/update  bytes/s per client  memory KB/client  tick p50 ms  tick p99 ms
rookery    1,920          13.94               8,012              26.0         50.0         52.0

Profile
function  percent
writev       52.6

Bounds
bound                       limit  measured
bytes / Colyseus, at most    0.45     0.400     met
memory / Colyseus, at most    0.3     0.400  MISSED
`);
});

test("the page says where and with what it was measured", () => {
  const page = formatPage(MACHINE, [RESULT], new Map([["w1", "the arena"]]));
  expect(page).toContain("2026-01-31; Example CPU, 2 cores, 24 GB, Linux 6.1; node 24.0.0, ws 8.23.0\n");
  expect(page).toContain("## w1: the arena\n\nMedians of 5 rounds.\n\n| server | clients |");
  expect(page).toContain("| rookery | 1,920 | 13.94 | 8,012 | 26.0 | 50.0 | 52.0 |\n");
  expect(page).toContain("Profile:\n\n| function | percent |\n| --- | --: |\n| writev | 52.6 |\n");
  expect(page).toContain("| memory / Colyseus, at most | 0.3 | 0.400 | MISSED |\n");
});

test("a workload without rows or bounds has no empty tables", () => {
  const text = formatText({ ...RESULT, rows: [], bounds: [] });
  expect(text).not.toContain("server");
  expect(text).not.toContain("Bounds");
});
