/**
 * Installs what Rookery is compared with, into this folder, when it is not there or not of the lockfile: it is never in
 * the main install.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** Written by npm at the end of an install. */
const INSTALLED = fileURLToPath(new URL("node_modules/.package-lock.json", import.meta.url));
const LOCKFILE = fileURLToPath(new URL("package-lock.json", import.meta.url));
const INSTALL_MS = 5 * 60_000;

/** @throws Error when npm fails; what it says goes to stderr */
export function installDependencies(): void {
  if (changedMs(INSTALLED) >= changedMs(LOCKFILE)) return;
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: FOLDER,
    // Stdout is for results.
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
    timeout: INSTALL_MS,
  });
  if (status !== 0) throw new Error(`npm ci in test/bench failed: ${error?.message ?? `code ${status}`}`);
}

/** @returns when the file changed last; 0 when it is not there */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
