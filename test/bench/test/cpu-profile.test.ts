import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { type CpuProfile, functionOf, partOf, selfTimes } from "../measure/cpu-profile.ts";

const ROOT = pathToFileURL(fileURLToPath(new URL("../../..", import.meta.url)));
const frames = [
  { functionName: "(idle)", url: "", lineNumber: -1 },
  { functionName: "writev", url: "", lineNumber: -1 },
  { functionName: "emit", url: "node:events", lineNumber: 488 },
  { functionName: "", url: new URL("server/worker/session.ts", ROOT).href, lineNumber: 9 },
  { functionName: "send", url: new URL("node_modules/ws/lib/sender.js", ROOT).href, lineNumber: 0 },
];
const profile: CpuProfile = {
  nodes: frames.map((callFrame, id) => ({ id, callFrame })),
  startTime: 1_000,
  // Times of the samples: 1,000, 1,010, 1,040, 1,100, 1,160, 1,170, 1,180.
  samples: [1, 1, 0, 2, 3, 4, 1],
  timeDeltas: [0, 10, 30, 60, 60, 10, 10],
};

test("what ran in the window is told by its share of the time that was not idle", () => {
  const times = selfTimes(profile, { fromUs: 1_010, toUs: 1_170 }, functionOf);
  expect(times).toEqual([
    { name: "emit node:events:489", share: 60 / 110 },
    { name: "writev", share: 30 / 110 },
    { name: "(anonymous) session.ts:10", share: 10 / 110 },
    { name: "send sender.js:1", share: 10 / 110 },
  ]);
});

test("functions belong to a folder, a package, Node, or stand for themselves", () => {
  expect(frames.slice(1).map(partOf)).toEqual(["writev", "Node.js", "server/worker", "ws"]);
});
