/** What the server shows a browser: the built pages with strict headers, and a sentence where they are missing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Logger } from "../../../server/logger.ts";
import { Pages } from "../../../server/primary/pages.ts";

function logger() {
  const warn = vi.fn();
  return { warn, log: { warn } as unknown as Logger };
}

test("serves files of known types at the root, and index.html as /", () => {
  const directory = mkdtempSync(join(tmpdir(), "pages-"));
  try {
    writeFileSync(join(directory, "index.html"), "<p>start</p>");
    writeFileSync(join(directory, "game.js"), "1");
    writeFileSync(join(directory, "notes.txt"), "not for the public");
    const { log, warn } = logger();
    const pages = new Pages(directory, log);
    expect(pages.find("/")?.body.toString()).toBe("<p>start</p>");
    expect(pages.find("/")?.headers["Content-Type"]).toBe("text/html; charset=utf-8");
    expect(pages.find("/game.js")?.headers["Content-Type"]).toBe("text/javascript; charset=utf-8");
    expect(pages.find("/notes.txt")).toBeUndefined();
    expect(pages.find("/../index.html")).toBeUndefined();
    expect(warn).not.toHaveBeenCalled();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("lets a page run the server's own scripts only, and none inline", () => {
  const pages = new Pages("/no/such/directory", logger().log);
  const policy = pages.find("/")?.headers["Content-Security-Policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*;|https?:/);
});

test("without built pages it warns, and says so at /", () => {
  const { log, warn } = logger();
  const pages = new Pages("/no/such/directory", log);
  expect(warn).toHaveBeenCalledOnce();
  expect(pages.find("/")?.body.toString()).toContain("npm run build");
  expect(pages.find("/")?.headers["Content-Type"]).toBe("text/plain; charset=utf-8");
  expect(pages.find("/game.js")).toBeUndefined();
});
