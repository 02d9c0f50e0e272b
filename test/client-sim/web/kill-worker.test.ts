/** "Kill my worker" in a browser: two players of one arena, whose worker dies under them, play on. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Client, type Room } from "../../../client-sim/sdk/index.ts";
import { buildPages } from "../../../client-sim/web/build.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import {
  ask,
  hasChromium,
  launchBrowser,
  openPage,
  PHONE,
  startServer,
  until,
  type WatchedPage,
} from "./browser.ts";

/** How far somebody has flown for sure. */
const FAR = 60;
/** From one frame to the next nobody moves farther than by flying so long, or by what a busy machine corrects. */
const FRAME_MS_MAX = 100;
const CORRECTION_MAX = 100;
const TOLD = /^Worker (\d) died; playing on in worker (\d) after \d+\sms, same connection\.$/;
const SAME_NUMBER = /^Worker 0 died; playing on in its replacement after \d+\sms, on a new connection\.$/;
const OWN_STATE = "rookery.room.state.players.get(rookery.room.sessionId)";

type Place = { readonly atMs: number; readonly x: number; readonly y: number };

describe.skipIf(!hasChromium)("kill my worker", () => {
  let browser: Browser;
  let server: ServerProcess;
  beforeAll(async () => {
    await buildPages();
    [server, browser] = await Promise.all([startServer({ NODE_ENV: "development" }), launchBrowser()]);
  });
  // Pages that draw take time from those of the next test.
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function enter(url: string, name: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, url, options);
    await watched.page.fill("#name", name);
    await watched.page.click("#play");
    await until(
      watched.page,
      "document.body.dataset.phase === 'playing' && rookery.match.self !== undefined",
    );
    return watched;
  }

  async function quietMatch(url: string): Promise<Room> {
    return await new Client(url).create("arena", { name: "Host", bots: 0 });
  }

  const identityOf = (page: Page) =>
    ask<{ sessionId: string }>(
      page,
      "(({ roomId, sessionId, code, slot }) => ({ roomId, sessionId, code, slot }))(rookery.room)",
    );

  /** Holds the key that leads to the middle of the field. @returns lets go of it */
  async function fly(page: Page): Promise<() => Promise<void>> {
    const isLeft = await ask<boolean>(page, `rookery.match.self.x < ${RULES.worldWidth / 2}`);
    const key = isLeft ? "KeyD" : "KeyA";
    await page.keyboard.down(key);
    return () => page.keyboard.up(key);
  }

  /** Notes with each frame where everybody is shown. */
  const record = (page: Page) =>
    ask<void>(
      page,
      `void (() => {
        const recorded = {};
        const look = () => {
          for (const id of rookery.room.state.players.keys()) {
            const { x, y } = rookery.match.fighter(id) ?? {};
            if (x !== undefined) (recorded[id] ??= []).push({ atMs: performance.now(), x, y });
          }
          requestAnimationFrame(look);
        };
        look();
        Object.assign(globalThis, { recorded });
      })()`,
    );

  test("the room goes on in another worker, on the same connections, for who pressed and who did not", async () => {
    const host = await quietMatch(server.url);
    const ann = await enter(`${server.url}/?room=${host.code}`, "Ann");
    const bob = await enter(`${server.url}/?room=${host.code}`, "Bob", PHONE);
    const pages = [ann.page, bob.page];
    const worker = await ask<number>(ann.page, "rookery.room.worker");
    const identities = await Promise.all(pages.map(identityOf));
    const button = ann.page.getByRole("button", { name: "Kill my worker" });
    await button.waitFor();

    const letGo = await fly(ann.page);
    await until(ann.page, "rookery.predictor.body.vx !== 0");
    await Promise.all(pages.map(record));
    await button.click();

    for (const page of pages) {
      await page.waitForSelector("#takeover:not([hidden])");
      const [, dead, heir] = TOLD.exec((await page.textContent("#takeover")) ?? "") ?? [];
      expect(Number(dead)).toBe(worker);
      expect(Number(heir)).not.toBe(worker);
      expect(await ask<number>(page, "rookery.room.worker")).toBe(Number(heir));
      await page.waitForSelector(`#stats [data-stat=worker]:has-text("${heir}")`);
    }
    expect(await Promise.all(pages.map(identityOf))).toEqual(identities);
    expect(await button.isEnabled()).toBe(true);

    // Keys belong to the game all the time, and what they say reaches the new worker, and from there the other.
    await letGo();
    await until(ann.page, `${OWN_STATE}.vx === 0 && rookery.predictor.body.x === ${OWN_STATE}.x`);
    const annId = identities[0]?.sessionId;
    const from = await ask<number>(bob.page, `rookery.room.state.players.get("${annId}").x`);
    const letGoAgain = await fly(ann.page);
    await until(bob.page, `Math.abs(rookery.match.fighter("${annId}").x - ${from}) > ${FAR}`);
    await letGoAgain();

    for (const page of pages) {
      const recorded = await ask<Record<string, Place[]>>(page, "recorded");
      for (const places of Object.values(recorded)) {
        for (const [index, { atMs, x, y }] of places.slice(1).entries()) {
          const before = places[index] ?? { atMs, x, y };
          const flown = (RULES.speedMax * Math.max(FRAME_MS_MAX, atMs - before.atMs)) / 1_000;
          expect(Math.hypot(x - before.x, y - before.y)).toBeLessThan(flown + CORRECTION_MAX);
        }
      }
    }
    expect([...ann.complaints, ...bob.complaints]).toEqual([]);
    await host.leave();
  });

  test("by keyboard, without socket hand-over and with one worker: on a new connection, in its replacement", async () => {
    await using alone = await startServer({ NODE_ENV: "development", WORKERS: "1", RETAIN_SOCKETS: "0" });
    const { page, complaints } = await enter(alone.url, "Ann");
    await page.waitForSelector("#kill-worker:not([hidden])");
    await page.keyboard.press("Alt+k");
    await page.waitForSelector("#takeover:not([hidden])");
    expect(await page.textContent("#takeover")).toMatch(SAME_NUMBER);
    expect(complaints).toEqual([]);
  });

  test("in a game without ticks", async () => {
    const { page, complaints } = await openPage(browser, `${server.url}/connect-four.html`);
    await page.click("#private");
    await page.click("#kill-worker");
    await page.waitForSelector("#takeover:not([hidden])");
    expect(await page.textContent("#takeover")).toMatch(TOLD);
    expect(complaints).toEqual([]);
  });

  test("is not there in production", async () => {
    await using production = await startServer({ NODE_ENV: "production" });
    const { page, complaints } = await openPage(browser, production.url);
    const informed = page.waitForResponse(`${production.url}/info`);
    await page.click("#play");
    await (await informed).finished();
    await until(page, "document.body.dataset.phase === 'playing'");
    expect(await page.isVisible("#stats")).toBe(true);
    expect(await page.isVisible("#kill-worker")).toBe(false);
    expect(complaints).toEqual([]);
  });
});
