/** The world in a browser: one sees a part of it only, and it changes as one walks. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPages } from "../../../client-sim/web/build.ts";
import { RULES } from "../../../shared/games/world/rules.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import { ask, hasChromium, launchBrowser, openPage, startServer, until } from "./browser.ts";

const FAR = 250;
const self = "rookery.room.state.players.get(rookery.room.sessionId)";

describe.skipIf(!hasChromium)("world", () => {
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

  test("a player walks, and knows what is near only", async () => {
    const { page, complaints } = await openPage(browser, `${server.url}/world.html`);
    await page.fill("#name", "Ann");
    await page.click("#play-form button");
    await until(page, `document.body.dataset.phase === "playing" && ${self} !== undefined`);
    const from = await ask<number>(page, `${self}.x`);
    await page.keyboard.down(from < RULES.worldWidth / 2 ? "KeyD" : "KeyA");
    await page.keyboard.down("ShiftLeft");
    await until(page, `Math.abs(${self}.x - ${from}) > ${FAR}`);
    expect(await ask<number>(page, `${self}.stamina`)).toBeLessThan(RULES.staminaMax);

    const [, known, all] = /known(\d+) of (\d+)/.exec((await page.textContent("#stats")) ?? "") ?? [];
    expect(Number(all)).toBeGreaterThan(500);
    expect(Number(known)).toBeLessThan(Number(all) / 2);
    const farthest = await ask<number>(
      page,
      `Math.max(0, ...[...rookery.room.state.creatures.values()].map(({ x, y }) => Math.hypot(x - ${self}.x, y - ${self}.y)))`,
    );
    expect(farthest).toBeLessThan(2 * RULES.viewRadius);
    expect(complaints).toEqual([]);
  });
});
