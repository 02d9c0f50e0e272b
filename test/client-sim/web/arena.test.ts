/** The arena in a browser: two people meet by an invite link, see each other move and shoot, and survive a reload. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

/** How far somebody has flown for sure, beyond any jitter. */
const FAR = 60;
const FRAMES_WATCHED = 60;

describe.skipIf(!hasChromium)("arena", () => {
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

  /** A match without bots, which nobody can be shot in but by us. */
  async function quietMatch(): Promise<Room> {
    return await new Client(server.url).create("arena", { name: "Host", bots: 0 });
  }

  async function enter(room: Room, name: string, query = "", options = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, `${server.url}/?room=${room.code}${query}`, options);
    await watched.page.fill("#name", name);
    await watched.page.click("#play");
    await until(
      watched.page,
      "document.body.dataset.phase === 'playing' && rookery.match.self !== undefined",
    );
    return watched;
  }

  const sessionOf = (page: Page) => ask<string>(page, "rookery.room.sessionId");

  /** Flies towards the middle of the field, where the way is free. @returns lets go of the key */
  async function fly(page: Page): Promise<() => Promise<void>> {
    const isLeft = await ask<boolean>(page, `rookery.match.self.x < ${RULES.worldWidth / 2}`);
    const key = isLeft ? "KeyD" : "KeyA";
    await page.keyboard.down(key);
    return () => page.keyboard.up(key);
  }

  test("two join by an invite link; one flies and shoots, and the other sees it; a reload resumes the seat", async () => {
    const host = await quietMatch();
    const ann = await enter(host, "Ann");
    const bob = await enter(host, "Bob");
    const annId = await sessionOf(ann.page);
    await until(bob.page, `rookery.match.fighter("${annId}")?.name === "Ann"`);
    expect(await bob.page.textContent("#scores")).toContain("Ann");

    const from = await ask<number>(bob.page, `rookery.match.fighter("${annId}").x`);
    const letGo = await fly(ann.page);
    await until(bob.page, `Math.abs(rookery.match.fighter("${annId}").x - ${from}) > ${FAR}`);
    await letGo();

    await ann.page.mouse.move(640, 100);
    await ann.page.mouse.down();
    await until(bob.page, "rookery.match.tracers.some(({ at }) => at !== undefined)");
    await ann.page.mouse.up();

    await ann.page.reload();
    await until(ann.page, "document.body.dataset.phase === 'playing'");
    expect(await sessionOf(ann.page)).toBe(annId);
    expect(await ask<boolean>(bob.page, `rookery.room.state.players.has("${annId}")`)).toBe(true);

    await bob.page.click("#leave");
    await until(bob.page, "document.body.dataset.phase === 'start'");
    await until(ann.page, "rookery.room.state.players.size === 2");
    expect([...ann.complaints, ...bob.complaints]).toEqual([]);
    await host.leave();
  });

  test("with 100 ms of latency and jitter, what one does shows at once, and others never step back", async () => {
    const host = await quietMatch();
    const ann = await enter(host, "Ann", "&latency=100&jitter=20");
    const bob = await enter(host, "Bob", "&latency=100&jitter=20");
    const annId = await sessionOf(ann.page);
    await until(bob.page, `rookery.match.fighter("${annId}") !== undefined`);
    const state = "rookery.room.state.players.get(rookery.room.sessionId)";
    const from = await ask<number>(ann.page, `${state}.x`);

    const predicted = until<object>(
      ann.page,
      `rookery.predictor.body.x !== ${from} && { confirmed: ${state}.x }`,
    );
    // From the first step on: on a busy machine the way could be over before anybody looks.
    const watched = ask<number[]>(
      bob.page,
      `new Promise((resolve) => {
        const start = rookery.match.fighter("${annId}").x;
        const places = [];
        const look = () => {
          const { x } = rookery.match.fighter("${annId}");
          if (x !== start) places.push(x);
          if (places.length < ${FRAMES_WATCHED}) requestAnimationFrame(look);
          else resolve(places);
        };
        look();
      })`,
    );
    const letGo = await fly(ann.page);
    expect(await predicted).toEqual({ confirmed: from });
    const places = await watched;
    await letGo();
    const way = (places.at(-1) ?? 0) - (places[0] ?? 0);
    expect(Math.abs(way)).toBeGreaterThan(FAR);
    const steps = places.slice(1).map((x, index) => (x - (places[index] ?? x)) * Math.sign(way));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);

    await until(ann.page, `${state}.vx === 0 && rookery.predictor.body.x === ${state}.x`);
    expect(ann.complaints).toEqual([]);
    await host.leave();
  });

  test("on a phone two thumbs fly and shoot", async () => {
    const host = await quietMatch();
    const { page, complaints } = await enter(host, "Thumbs", "", PHONE);
    const touches = await page.context().newCDPSession(page);
    const touch = (
      type: "touchStart" | "touchMove" | "touchEnd",
      touchPoints: { x: number; y: number; id: number }[],
    ) => touches.send("Input.dispatchTouchEvent", { type, touchPoints });
    const from = await ask<number>(page, "rookery.match.self.x");
    const side = from < RULES.worldWidth / 2 ? 1 : -1;

    const move = { x: 90, y: 500, id: 0 };
    const aim = { x: 270, y: 500, id: 1 };
    await touch("touchStart", [move, aim]);
    await touch("touchMove", [
      { ...move, x: move.x + side * 50 },
      { ...aim, y: aim.y - 50 },
    ]);
    await until(page, "rookery.match.tracers.length > 0");
    await until(page, `(rookery.match.self.x - ${from}) * ${side} > ${FAR}`);
    expect(await ask<number>(page, "rookery.match.self.angle")).toBeCloseTo(-Math.PI / 2, 1);
    await touch("touchEnd", []);
    await until(page, "rookery.predictor.body.vx === 0");

    const overflow = await ask<number>(page, "document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await host.leave();
  });

  test("a lost connection is told, and the way back to the start stays open", async () => {
    await using mortal = await startServer();
    const { page } = await openPage(browser, mortal.url);
    await page.click("#play");
    await until(page, "document.body.dataset.phase === 'playing'");
    expect(await page.textContent("#stats")).toMatch(/worker[01]/);
    await mortal.stop("SIGKILL");
    await page.waitForSelector("#connection:has-text('Reconnecting')");
    await page.click("#leave");
    await until(page, "document.body.dataset.phase === 'start'");
  });
});
