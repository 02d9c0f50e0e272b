/** Connect four in a browser: a private game by code, played by mouse and keyboard, with somebody watching. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPages } from "../../../client-sim/web/build.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import { ask, hasChromium, launchBrowser, openPage, PHONE, startServer, until } from "./browser.ts";

const statusBegins = (text: string) => `document.querySelector("#status").textContent.startsWith("${text}")`;

describe.skipIf(!hasChromium)("connect four", () => {
  let server: ServerProcess;
  let browser: Browser;
  beforeAll(async () => {
    await buildPages();
    [server, browser] = await Promise.all([startServer(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (query = "", options = {}) =>
    openPage(browser, `${server.url}/connect-four.html${query}`, options);

  async function drop(page: Page, column: number): Promise<void> {
    await until(page, statusBegins("Your turn"));
    await page.click(`#columns button:nth-child(${column})`);
  }

  test("a game is played to its end, watched, resumed after a reload, and played again", async () => {
    const ann = await open();
    await ann.page.fill("#name", "Ann");
    await ann.page.click("#private");
    await until(ann.page, statusBegins("Waiting for an opponent"));
    const code = await ask<string>(ann.page, "rookery.room.code");
    expect(await ann.page.textContent("#status")).toContain(code);

    const bob = await open(`?room=${code}`, PHONE);
    await bob.page.fill("#name", "Bob");
    await bob.page.click("#code-form button");
    const eve = await open();
    await eve.page.fill("#code", code.toLowerCase());
    await eve.page.click("#code-form button");
    await until(eve.page, statusBegins("Ann is to move"));
    expect(await eve.page.isDisabled("#columns button")).toBe(true);

    await drop(ann.page, 4);
    await drop(bob.page, 3);
    await until(ann.page, statusBegins("Your turn"));
    // By keyboard: from the middle with an arrow key and Enter, and by number.
    await ann.page.keyboard.press("ArrowRight");
    await ann.page.keyboard.press("ArrowLeft");
    await ann.page.keyboard.press("Enter");
    await drop(bob.page, 3);
    await until(ann.page, statusBegins("Your turn"));
    await ann.page.keyboard.press("4");
    await bob.page.reload();
    await drop(bob.page, 3);
    await drop(ann.page, 4);

    await until(ann.page, statusBegins("You win!"));
    await until(bob.page, statusBegins("Ann wins."));
    await until(eve.page, statusBegins("Ann wins."));
    expect(await eve.page.locator(".disc.is-winning").count()).toBe(4);

    await bob.page.click("#rematch");
    await ann.page.click("#rematch");
    await until(bob.page, statusBegins("Your turn"));
    await until(ann.page, "document.querySelector('.disc') === null");
    expect([...ann.complaints, ...bob.complaints, ...eve.complaints]).toEqual([]);
  });

  test("an unknown code is answered in the lobby", async () => {
    const { page } = await open();
    await page.fill("#code", "NOSUCH");
    await page.click("#code-form button");
    await until(page, "document.querySelector('#notice').textContent !== ''");
    expect(await page.isVisible("#lobby")).toBe(true);
  });
});
