/** The rules on imports: the project keeps them, and each of them is noticed when it is broken. */
import { describe, expect, test } from "vitest";
import { checkImports, readSources } from "./support/check-imports.ts";

function check(sources: Record<string, string>): string[] {
  return checkImports(new Map(Object.entries(sources)));
}

test("the project keeps the rules", () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(100);
  expect(checkImports(sources)).toEqual([]);
});

describe("an import that is noticed", () => {
  test.each([
    ["shared of server", "shared/a.ts", `import { b } from "../server/b.ts";`],
    ["shared of client-sim", "shared/a.ts", `export * from "../client-sim/sdk/b.ts";`],
    ["shared of a type of the server's", "shared/a.ts", `import type { B } from "../server/b.ts";`],
    ["server of client-sim", "server/a.ts", `import {\n  type B,\n  b,\n} from "../client-sim/bots/b.ts";`],
    ["server of test, when called", "server/a.ts", `const b = await import("../test/support/b.ts");`],
    ["client-sim of server", "client-sim/bots/a.ts", `import "../../server/b.ts";`],
    ["client-sim of test", "client-sim/bots/a.ts", `export { b } from "../../test/b.ts";`],
    ["the SDK of bots", "client-sim/sdk/a.ts", `import * as b from "../bots/b.ts";`],
    ["Node in shared", "shared/a.ts", `import { readFileSync } from "node:fs";`],
    ["Node in the SDK", "client-sim/sdk/a.ts", `import { once } from "node:events";`],
    ["a package in shared", "shared/a.ts", `import { b } from "ws";`],
    ["a package in the SDK", "client-sim/sdk/a.ts", `import { b } from "ws";`],
    ["msgpackr's main entry", "server/a.ts", `import { Packr } from "msgpackr";`],
    ["msgpackr's decoder", "test/a.test.ts", `import { Unpackr } from "msgpackr/unpack";`],
    ["a room in the primary", "server/primary/a.ts", `import { Arena } from "../games/arena.ts";`],
    ["behind a pattern with quotes", "shared/a.ts", `const q = /["']/;\nimport { b } from "../server/b.ts";`],
  ])("%s", (_what, path, source) => {
    const violations = check({ [path]: source });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(`${path}: imports `);
  });

  test("a name that browsers or Node have not, but no such word elsewhere", () => {
    const source = [
      "/* Buffer */ // process",
      "const a = `document $" + "{Buffer.from(b)}`;",
      'const c = "process"; const d = a.process + /window/.source; document?.title; Buffer;',
    ].join("\n");
    expect(check({ "shared/a.ts": source })).toEqual([
      "shared/a.ts: uses Buffer: not portable",
      "shared/a.ts: uses document: not portable",
    ]);
    expect(check({ "server/a.ts": source })).toEqual([]);
  });

  test("a circle, with its way", () => {
    const sources = {
      "server/a.ts": `import { b } from "./primary/b.ts";`,
      "server/primary/b.ts": `import { c } from "./c.ts";`,
      "server/primary/c.ts": `export { b } from "./b.ts";`,
    };
    expect(check(sources)).toEqual([
      "circle of imports: server/primary/b.ts -> server/primary/c.ts -> server/primary/b.ts",
    ]);
  });

  test("a file outside all layers", () => {
    expect(check({ "tools/a.ts": "" })).toEqual(["tools/a.ts: is in no layer"]);
  });
});

test("imports that are allowed", () => {
  const sources = {
    "server/main.ts": `const rooms = { arena: () => import("./games/arena.ts") };`,
    "server/games/arena.ts": `import { b } from "./b.ts";\nimport { c } from "../../shared/c.ts";`,
    "server/games/b.ts": `import type { Arena } from "./arena.ts";\nimport { once } from "node:events";`,
    "shared/c.ts": `import { Packr } from "msgpackr/pack";\n// import { b } from "../server/games/b.ts";`,
    "client-sim/bots/d.ts": `import { e } from "../sdk/e.ts";\nimport { WebSocket } from "ws";`,
    "client-sim/sdk/e.ts":
      'import { c } from "../../shared/c.ts";\nconst f = `import "../../server/main.ts"`;',
    "test/g.test.ts": `import { d } from "../client-sim/bots/d.ts";\nimport "../server/main.ts";`,
  };
  expect(check(sources)).toEqual([]);
});
