/**
 * Builds the pages into `dist`: one script per page, bundled and minified, and the client SDK as one file for people
 * who do not bundle. Fast enough to run before each start of the server.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** What browsers must support: those of the last two years do. */
const TARGET = "es2024";
const ROOT = fileURLToPath(new URL(".", import.meta.url));
const ASSETS = [
  "index.html",
  "connect-four.html",
  "world.html",
  "base.css",
  "hud.css",
  "arena.css",
  "connect-four.css",
  "world.css",
  "favicon.svg",
] as const;

/** Overwrites and deletes nothing, so that a server that starts meanwhile finds every file. */
export async function buildPages(): Promise<void> {
  const outDir = `${ROOT}dist`;
  mkdirSync(outDir, { recursive: true });
  for (const name of ASSETS) copyFileSync(ROOT + name, `${outDir}/${name}`);
  await build({
    entryPoints: {
      start: `${ROOT}src/start/main.ts`,
      "connect-four": `${ROOT}src/connect-four/main.ts`,
      world: `${ROOT}src/world/main.ts`,
      "rookery-client": `${ROOT}../sdk/index.ts`,
    },
    outdir: outDir,
    bundle: true,
    minify: true,
    format: "esm",
    target: TARGET,
    logLevel: "warning",
  });
}

if (import.meta.main) await buildPages();
