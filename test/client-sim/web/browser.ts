/** A real browser for the pages: Debian's Chromium, without a screen. Tests skip where it is missing. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { ServerProcess } from "../../support/server-process.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const UNTIL_MS = 30_000;
const MAIN = fileURLToPath(new URL("../../../server/main.ts", import.meta.url));

export const hasChromium = existsSync(CHROMIUM);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

/** The server with the bundled games; the pages must be built. */
export function startServer(environment: Record<string, string> = {}): Promise<ServerProcess> {
  return ServerProcess.start(environment, MAIN);
}

export const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true } as const;

export type WatchedPage = {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught exceptions, and requests that failed or went elsewhere. */
  readonly complaints: readonly string[];
};

/**
 * Opens a page in a profile of its own, as another person's. It is closed with the test: a page that draws takes all of a
 * core that it can get, and the servers of other tests need some.
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`elsewhere: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Runs an expression in the page. It is text, since here nothing is known of a page's globals. */
export async function ask<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

/**
 * Waits until an expression is truthy in the page, looking at each frame. The page's policy forbids to make code of
 * text in the page itself, so the loop comes with it.
 *
 * @returns its value
 */
export function until<T>(page: Page, expression: string): Promise<T> {
  const loop = `new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("it did not become true")), ${UNTIL_MS});
    const look = () => {
      const value = (${expression});
      if (value) resolve(value);
      else requestAnimationFrame(look);
    };
    look();
  })`;
  return ask<T>(page, loop).catch((error: unknown) => {
    throw new Error(`waited for: ${expression}`, { cause: error });
  });
}
