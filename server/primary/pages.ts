/** The pages and scripts the server shows a browser, read once at the start. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

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
  "Content-Security-Policy":
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors *",
} as const;

export type Page = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

export class Pages {
  readonly #byPath = new Map<string, Page>();

  /** @param directories whose files of known types are served at the root; "index.html" also as "/" */
  constructor(directories: readonly string[]) {
    for (const directory of directories) {
      for (const name of readdirSync(directory)) {
        const type = CONTENT_TYPES[extname(name)];
        if (type === undefined) continue;
        const page = {
          headers: { ...HEADERS, "Content-Type": type },
          body: readFileSync(join(directory, name)),
        };
        this.#byPath.set(`/${name}`, page);
        if (name === "index.html") this.#byPath.set("/", page);
      }
    }
  }

  find(path: string): Page | undefined {
    return this.#byPath.get(path);
  }
}
