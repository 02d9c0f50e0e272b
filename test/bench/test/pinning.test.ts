import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pinTo } from "../measure/pinning.ts";

test("all threads of a process are kept on one core", async () => {
  const child = fork(fileURLToPath(new URL("../generator/main.ts", import.meta.url)));
  try {
    await once(child, "spawn");
    const { pid = 0 } = child;
    pinTo(0, pid);
    const threads = readdirSync(`/proc/${pid}/task`);
    const cores = threads.map(
      (thread) =>
        /^Cpus_allowed_list:\s+(.*)$/m.exec(
          readFileSync(`/proc/${pid}/task/${thread}/status`, "latin1"),
        )?.[1],
    );
    expect(new Set(cores)).toEqual(new Set(["0"]));
  } finally {
    child.kill("SIGKILL");
  }
});

test("a process that is gone cannot be kept anywhere", () => {
  expect(() => pinTo(0, 2 ** 30)).toThrow("taskset failed");
});
