/**
 * Checks how the source files of the project import each other (`npm run imports`): in one direction between its
 * layers, never in a circle, nothing of Node or a browser in code that runs in both, and no room in a process that
 * must not run it. Prints one line for each violation.
 *
 * It reads tokens, not a syntax tree: enough for code that the formatter has passed, and no parser is needed.
 */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/** A folder, and what its files may import. The first one that holds a file decides for it. */
type Layer = {
  readonly folder: string;
  /** Folders of this project. */
  readonly folders: readonly string[];
  /** npm packages; undefined: any. */
  readonly packages?: readonly string[];
  /** Runs in Node and in browsers, so it uses only what both have. */
  readonly isPortable: boolean;
};

const LAYERS: readonly Layer[] = [
  { folder: "shared", folders: ["shared"], packages: ["msgpackr/pack"], isPortable: true },
  { folder: "client-sim/sdk", folders: ["client-sim/sdk", "shared"], packages: [], isPortable: true },
  { folder: "client-sim", folders: ["client-sim", "shared"], isPortable: false },
  { folder: "server", folders: ["server", "shared"], isPortable: false },
  { folder: "test", folders: ["test", "server", "shared", "client-sim"], isPortable: false },
];

/** Rooms are an author's code: loaded when a worker needs them, and never by the primary. */
const ROOMS = "server/games";
/** Any other entry of this package may load its native decoder, which then decodes for the whole process. */
const PURE_CODEC = "msgpackr/pack";
const NOT_PORTABLE = /(?<![.#\w$])(?:Buffer|process|document|window|require|__dirname|__filename)\b/g;

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//.source;
const STRING = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/.source;
const TEMPLATE = /`(?:\\[\s\S]|[^\\`])*`/.source;
const REGEXP = /(?<=(?:^|[(=,:[!&|?{};>+]|return)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/[\\\n])+\//.source;
const NOT_CODE = new RegExp(`(?<comment>${COMMENT})|${STRING}|(?<template>${TEMPLATE})|${REGEXP}`, "g");
const IMPORT =
  /\b(?:im|ex)port\b(?<type>\s+type\b)?(?:[\w\s{},*$]*?\bfrom\b|(?<dynamic>\s*\())?\s*"(?<string>\d+)"/g;

type Import = { readonly specifier: string; readonly kind: "value" | "type" | "dynamic" };

/**
 * @param sources texts of the files, by path from the project's root
 * @returns a sentence for each violation; none when all is well
 */
export function checkImports(sources: ReadonlyMap<string, string>): string[] {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, source] of sources) {
    const layer = LAYERS.find(({ folder }) => isIn(folder, path));
    if (layer === undefined) {
      violations.push(`${path}: is in no layer`);
      continue;
    }
    const { code, strings } = maskStrings(source);
    const imports = findImports(code, strings);
    for (const item of imports) {
      const complaint = complain(path, layer, item);
      if (complaint !== undefined) violations.push(`${path}: imports ${item.specifier}: ${complaint}`);
    }
    const names = new Set(layer.isPortable ? code.match(NOT_PORTABLE) : []);
    for (const name of names) violations.push(`${path}: uses ${name}: not portable`);
    // Nothing of a type import is left at run time, so types may refer to each other.
    const loads = imports.filter(({ specifier, kind }) => specifier.startsWith(".") && kind === "value");
    const targets = loads.map(({ specifier }) => resolve(path, specifier));
    graph.set(path, targets);
  }
  return [...violations, ...findCycles(graph)];
}

function complain(path: string, layer: Layer, { specifier, kind }: Import): string | undefined {
  if (specifier.startsWith(".")) {
    const target = resolve(path, specifier);
    if (!layer.folders.some((folder) => isIn(folder, target))) return `${layer.folder} may not`;
    if (kind === "value" && isIn("server", path) && isIn(ROOMS, target) && !isIn(ROOMS, path))
      return "rooms are loaded by import() only";
    return undefined;
  }
  if (specifier.startsWith("node:")) return layer.isPortable ? "not portable" : undefined;
  if (/^msgpackr(\/|$)/.test(specifier) && specifier !== PURE_CODEC) return `only ${PURE_CODEC} is allowed`;
  return layer.packages?.includes(specifier) === false ? `${layer.folder} may not` : undefined;
}

/** Leaves nothing in comments, templates and regular expressions to be found, and of strings their numbers. */
function maskStrings(source: string): { code: string; strings: string[] } {
  const strings: string[] = [];
  const code = source.replaceAll(NOT_CODE, (text, ...rest) => {
    const { comment, template } = rest.at(-1) as { comment?: string; template?: string };
    if (comment !== undefined) return " ";
    // What a template inserts is code.
    if (template !== undefined)
      return Array.from(template.matchAll(/\$\{([^}]*)\}/g), ([, inner]) => inner).join(";");
    return `"${strings.push(text.slice(1, -1)) - 1}"`;
  });
  return { code, strings };
}

function findImports(code: string, strings: readonly string[]): Import[] {
  return Array.from(code.matchAll(IMPORT), ({ groups = {} }) => ({
    specifier: strings[Number(groups.string)] ?? "",
    kind: groups.type !== undefined ? "type" : groups.dynamic !== undefined ? "dynamic" : "value",
  }));
}

/** One violation for each import that closes a circle, found depth first. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string) => {
    if (finished.has(path)) return;
    const start = trail.indexOf(path);
    if (start !== -1) {
      cycles.push(`circle of imports: ${[...trail.slice(start), path].join(" -> ")}`);
      return;
    }
    trail.push(path);
    for (const next of graph.get(path) ?? []) visit(next);
    trail.pop();
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return cycles;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

function isIn(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** @returns all sources of the project by path */
export function readSources(): Map<string, string> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const paths = globSync("**/*.ts", { cwd: root, exclude: ["**/node_modules"] });
  return new Map(paths.map((path) => [path, readFileSync(posix.join(root, path), "utf8")]));
}

if (import.meta.main) {
  const violations = checkImports(readSources());
  for (const violation of violations) process.stdout.write(`${violation}\n`);
  if (violations.length > 0) process.exitCode = 1;
}
