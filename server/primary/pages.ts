/**
 * The pages and scripts the server shows a browser, read once at the start. They are built (`npm run build`); a server
 * without them plays as well, and says so where they would be.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Logger } from "../logger.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

const HEADERS = {
  "Cache-Control": "no-cache",
  "X-Content-Type-Options": "nosniff",
  // Tickets may name another machine's address, so WebSockets may go anywhere; scripts come from here only.
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors *",
  ].join("; "),
} as const;

const NOT_BUILT = "Rookery runs. Its pages are not built: npm run build, then start it again.\n";

export type Page = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

export class Pages {
  readonly #byPath = new Map<string, Page>();

  /** @param directory whose files of known types are served at the root; "index.html" also as "/" */
  constructor(directory: string, log: Logger) {
    if (!existsSync(directory)) {
      log.warn({ directory }, "the pages are not built");
      this.#add("/", ".txt", Buffer.from(NOT_BUILT));
      return;
    }
    for (const name of readdirSync(directory)) {
      const extension = extname(name);
      if (CONTENT_TYPES[extension] === undefined) continue;
      const body = readFileSync(join(directory, name));
      this.#add(`/${name}`, extension, body);
      if (name === "index.html") this.#add("/", extension, body);
    }
  }

  find(path: string): Page | undefined {
    return this.#byPath.get(path);
  }

  #add(path: string, extension: string, body: Buffer): void {
    const type = CONTENT_TYPES[extension] ?? "text/plain; charset=utf-8";
    this.#byPath.set(path, { headers: { ...HEADERS, "Content-Type": type }, body });
  }
}
