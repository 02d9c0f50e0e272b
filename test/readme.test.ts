/**
 * The README's first room is true: its code compiles as it stands there, the room does what it says, and the client
 * plays in it on a real server.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomClass } from "../server/room/room-class.ts";
import { type EntitySchema, encodeInput, type InputSchema } from "../shared/schema/index.ts";
import { RoomDriver } from "./support/room-driver.ts";
import { ServerProcess } from "./support/server-process.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Below the checkout, so that imports find their way, and ignored by git; servers keep their data there, too. */
const IGNORED = join(ROOT, ".rookery");
/** From there to the checkout. */
const UP = "../..";
const WAIT_MS = 20_000;

/** What the README shows, in its order. */
const SECTION =
  /## A first room\n(.*?)\n### /s.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "";
const BLOCKS = Array.from(SECTION.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code ?? "");
const ENTRY = /`(rally: .*?)`/.exec(SECTION)?.[1] ?? "";

const SCHEMA = "shared/games/rally/schema.ts";

let folder: string;

/** Writes a file of the README at its place; what it imports of Rookery is the checkout's. */
function write(path: string, code: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
  return file;
}

beforeAll(() => {
  mkdirSync(IGNORED, { recursive: true, mode: 0o700 });
  folder = mkdtempSync(join(IGNORED, "readme-test-"));
  const [schema = "", room = "", ...client] = BLOCKS;
  write(SCHEMA, schema.replace('"../../schema/', `"../../../${UP}/shared/schema/`));
  write("server/games/rally.ts", room.replace('"../index.ts"', `"../../${UP}/server/index.ts"`));
  write("client.ts", client.join("\n").replace('"./client-sim/', `"${UP}/client-sim/`));
  write(
    "server/main.ts",
    `import { serve } from "../${UP}/server/serve.ts";\nawait serve({ rooms: { ${ENTRY} } });\n`,
  );
  write("tsconfig.json", JSON.stringify({ extends: `${UP}/tsconfig.json`, include: ["."], exclude: [] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the README shows a schema, a room, a client and how it goes on", () => {
  expect(BLOCKS).toHaveLength(4);
  expect(SECTION).toContain(`\`${SCHEMA}\`:\n\n\`\`\`ts\n${BLOCKS[0]}`);
  expect(ENTRY).toBe('rally: () => import("./games/rally.ts")');
});

test("its code compiles", () => {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const compile = () => execFileSync(tsc, ["--noEmit", "-p", folder], { encoding: "utf8" });
  expect(compile()).toBe("");
  write(
    "wrong.ts",
    'import { Rally } from "./server/games/rally.ts";\nexport const wrong: string = Rally;\n',
  );
  expect(compile).toThrow();
  rmSync(join(folder, "wrong.ts"));
});

test("the client can be bundled for a browser", async () => {
  const options = { bundle: true, platform: "browser", format: "esm", write: false } as const;
  const { errors, outputFiles } = await build({ ...options, entryPoints: [join(folder, "client.ts")] });
  expect(errors).toEqual([]);
  expect(outputFiles[0]?.text).toContain("runners");
});

test("the room does what it says", async () => {
  const load = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href);
  const { Rally } = (await load("server/games/rally.ts")) as { Rally: RoomClass };
  const { RallyState, Step } = (await load(SCHEMA)) as { RallyState: EntitySchema; Step: InputSchema };
  const driver = await RoomDriver.create(Rally, RallyState);
  const runners = (driver.state as { runners: Map<string, { name: string; x: number; y: number }> }).runners;
  driver.join("a", { name: "ann" });
  driver.join("b", {});
  expect(driver.sent).toMatchObject([{ type: "arrived", payload: "somebody", to: ["a"] }]);
  const before = runners.get("a")?.x ?? Number.NaN;
  driver.tick([driver.message("a", "step", encodeInput(Step, { dx: 127, dy: -127 } as never))]);
  expect(runners.get("a")).toMatchObject({ name: "ann", y: 49 });
  expect(runners.get("a")?.x).toBeCloseTo(before + 1, 6);
  driver.leave("a");
  expect([...runners.keys()]).toEqual(["b"]);
});

test("the client plays in it", async () => {
  await using server = await ServerProcess.start({ WORKERS: "1" }, join(folder, "server/main.ts"));
  const client = join(folder, "client.ts");
  const code = readFileSync(client, "utf8");
  expect(code).toContain('"http://localhost:2567"');
  writeFileSync(client, code.replace("http://localhost:2567", server.url));
  const child = spawn(process.execPath, [client], { stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), WAIT_MS);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith("drawn at")) break;
  }
  clearTimeout(timer);
  child.kill("SIGKILL");
  expect(lines[0]).toMatch(/^\S+ ann \d/);
  // One step down from the middle, at once.
  expect(lines.at(-1)).toMatch(/^drawn at \{ x: [\d.]+, y: 51 \}$/);
});
