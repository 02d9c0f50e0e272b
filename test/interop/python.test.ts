/**
 * The real server and a client in Python that was written from PROTOCOL.md alone. Skipped on machines without Python
 * or its packages `websockets` and `msgpack`.
 */
import { execFile, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerProcess } from "../support/server-process.ts";

/** Where Debian's packages are found may not be the first Python of the path. */
const PYTHONS = ["python3", "/usr/bin/python3"];
const PYTHON = PYTHONS.find((python) => spawnSync(python, ["-c", "import msgpack, websockets"]).status === 0);

const SCENARIOS = [
  ["ticket", "joins by ticket, follows the state, redeems the ticket again"],
  ["handshake", "joins in the handshake, by id and by code, sees others come and go"],
  ["messages", "sends messages and gets them acknowledged and answered, pings, makes mistakes"],
  ["binary_messages", "sends messages with a binary schema"],
  ["resume", "comes back after a lost connection with nothing lost and nothing twice"],
  ["survive", "goes on over the same connection when its worker is killed"],
  ["step_back", "goes back with a room that is saved now and then, and loses no message"],
  ["every_type", "sees what the room says it should, with every type of field"],
  ["refusals", "is refused and closed with the codes of the table"],
] as const;

/**
 * @param onLine of its standard output, as it comes
 * @returns its standard output; rejects with its traceback when it does not end well
 */
async function runPython(
  file: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<string> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  // -B: the project's folder stays as it is.
  const running = promisify(execFile)(PYTHON ?? "", ["-B", path, ...args]);
  if (running.child.stdout !== null) createInterface({ input: running.child.stdout }).on("line", onLine);
  return (await running).stdout;
}

describe.skipIf(PYTHON === undefined)("a client in Python", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({}, fileURLToPath(new URL("./main.ts", import.meta.url)));
  });
  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  /** Kills the worker of a room that has been taken over so many times. */
  async function killWorkerOf(roomId: string | undefined, times: number): Promise<void> {
    const owners = () => server.lines.filter((line) => line.msg === "room created" && line.roomId === roomId);
    await server.line(() => owners().length > times);
    process.kill(Number(owners()[times]?.pid), "SIGKILL");
  }

  test("agrees with the vectors of PROTOCOL.md", async () => {
    const document = fileURLToPath(new URL("../../PROTOCOL.md", import.meta.url));
    const counts = JSON.parse(await runPython("vectors.py", [document])) as Record<string, number>;
    expect(Object.keys(counts)).toEqual(
      expect.arrayContaining(["message", "snapshot", "patch", "own", "input"]),
    );
  });

  test.each(SCENARIOS)("%s: %s", async (scenario) => {
    const kills: Promise<void>[] = [];
    await runPython("scenarios.py", [scenario, server.url], (line) => {
      const [word, roomId] = line.split(" ");
      if (word === "kill") kills.push(killWorkerOf(roomId, kills.length));
    });
    await Promise.all(kills);
  });
});
