/** `npm run dev`: a server under `node --watch` starts, and starts again when something changes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type LogLine, ServerProcess } from "../../support/server-process.ts";

const isReady = ({ msg }: LogLine) => msg === "worker ready";

test("a server that is watched serves, and is restarted by a change", async () => {
  const watched = mkdtempSync(join(tmpdir(), "rookery-watched-"));
  onTestFinished(() => rmSync(watched, { recursive: true, force: true }));
  const server = ServerProcess.spawn({ WORKERS: "1" }, undefined, [`--watch-path=${watched}`]);
  // In order: what is killed is the watcher only, and its server would go on.
  onTestFinished(async () => void (await server.stop()));
  const first = await server.line(isReady);
  const again = server.nextLine(isReady);
  writeFileSync(join(watched, "changed.ts"), "");
  expect((await again).pid).not.toBe(first.pid);
  expect(server.lines.filter(({ level }) => level >= 50)).toEqual([]);
});
