import { expect, it } from "vitest";
import { connectFourBot, legalColumn } from "../../../client-sim/bots/strategies/connect-four-bot.ts";
import { strategyFor } from "../../../client-sim/bots/strategies/select.ts";
import { nearest, Roamer } from "../../../client-sim/bots/strategies/steering.ts";
import type { Player, Strategy } from "../../../client-sim/bots/strategies/strategy.ts";
import { nearestPrey, worldBot } from "../../../client-sim/bots/strategies/world-bot.ts";
import type { Client } from "../../../client-sim/sdk/index.ts";
import { COLUMNS, emptyBoard, Phase } from "../../../shared/games/connect-four/rules.ts";
import { SteerInput } from "../../../shared/games/world/schema.ts";
import { decodeInput, encodeInput, type InputOf } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";

type Sent = { readonly type: string; readonly payload: unknown };

/** A bot in a room that is nothing but a state and a list of what was sent. */
async function playerIn(strategy: Strategy, state: object) {
  const sent: Sent[] = [];
  const listeners: { state?: (info: { ack: number }) => void; rejoin?: () => void } = {};
  const room = {
    state,
    sessionId: "me",
    send: (type: string, payload: unknown) => sent.push({ type, payload }),
    onState: (callback: (info: { ack: number }) => void) => {
      listeners.state = callback;
    },
    onRejoin: (callback: () => void) => {
      listeners.rejoin = callback;
    },
  };
  const client = { joinOrCreate: async () => room } as unknown as Client;
  const player: Player = await strategy({
    client,
    name: "bot 1",
    random: createRandom(1),
    turnMs: 50,
    predict: false,
  });
  return { player, sent, listeners };
}

it("the nearest is found among those that count", () => {
  const far = { x: 100, y: 0 };
  const near = { x: 30, y: 40 };
  const all = [far, near];
  expect(nearest({ x: 0, y: 0 }, all, (point) => point)).toBe(near);
  expect(nearest({ x: 0, y: 0 }, all, (point) => (point === near ? undefined : point))).toBe(far);
  expect(nearest({ x: 0, y: 0 }, all, () => undefined)).toBeUndefined();
});

it("who roams keeps its direction for a while, and heads back from the edge", () => {
  const roamer = new Roamer(createRandom(1), { width: 2_000, height: 1_000, edge: 50 });
  const headings = Array.from({ length: 400 }, () => roamer.next({ x: 1_000, y: 500 }));
  const turns = headings.filter((heading, turn) => heading !== headings[turn - 1]).length;
  expect(turns).toBeGreaterThanOrEqual(400 / 42);
  expect(turns).toBeLessThanOrEqual(400 / 10);
  expect(roamer.next({ x: 49, y: 500 })).toBe(0);
  expect(roamer.next({ x: 1_000, y: 951 })).toBeCloseTo(-Math.PI / 2);
});

it("connect four: only columns with room left are chosen, and each of them", () => {
  const random = createRandom(1);
  const board = emptyBoard();
  for (let cell = 3; cell < board.length; cell += COLUMNS) board[cell] = 1;
  const chosen = new Set(Array.from({ length: 200 }, () => legalColumn(board, random)));
  expect([...chosen].sort()).toEqual([0, 1, 2, 4, 5, 6]);
  expect(legalColumn(new Array<number>(42).fill(1), random)).toBeUndefined();
});

it("connect four: drops once per turn, waits for the result, and asks for another game", async () => {
  const self = { disc: 1, ready: false };
  const state = {
    phase: Phase.WAITING as number,
    turn: 0,
    board: emptyBoard(),
    players: new Map([["me", self]]),
  };
  const { player, sent, listeners } = await playerIn(connectFourBot, state);
  player.act();
  expect(sent).toEqual([]);

  state.phase = Phase.PLAYING;
  state.turn = 2;
  player.act();
  expect(sent).toEqual([]);

  state.turn = 1;
  player.act();
  player.act();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toEqual({ type: "drop", payload: { column: expect.any(Number) } });

  // A state that does not contain the move yet changes nothing.
  listeners.state?.({ ack: 0 });
  player.act();
  expect(sent).toHaveLength(1);
  listeners.state?.({ ack: 1 });
  player.act();
  expect(sent).toHaveLength(2);

  // A new session counts anew.
  listeners.rejoin?.();
  state.phase = Phase.OVER;
  player.act();
  expect(sent.at(-1)).toEqual({ type: "rematch", payload: undefined });
  listeners.state?.({ ack: 3 });
  self.ready = true;
  player.act();
  expect(sent).toHaveLength(3);
});

it("connect four: watches when it has no seat at the board", async () => {
  const state = { phase: Phase.PLAYING, turn: 1, board: emptyBoard(), players: new Map() };
  const { player, sent } = await playerIn(connectFourBot, state);
  player.act();
  expect(sent).toEqual([]);
});

function creature(x: number, y: number, colour?: number) {
  return { x, y, facing: 0, kind: 0, colour, tagger: undefined };
}

function walker(x: number, y: number) {
  return { x, y, name: "", colour: 3, score: 0, stamina: 100 };
}

it("world: the prey is the nearest creature of another colour", () => {
  const self = { x: 0, y: 0 };
  const near = creature(0, 40, 4);
  expect(nearestPrey(self, 3, [creature(10, 0, 3), creature(50, 0), near])).toBe(near);
  expect(nearestPrey(self, 3, [creature(10, 0, 3)])).toBeUndefined();
});

it("world: chases what it sees, sprints when near, and walks about otherwise", async () => {
  const prey = creature(1_000, 1_500);
  const creatures = new Map([["0.0", prey]]);
  const players = new Map([["me", walker(1_000, 1_000)]]);
  const { player, sent } = await playerIn(worldBot, { players, creatures });
  player.act();
  prey.y = 900;
  player.act();
  creatures.clear();
  player.act();
  players.clear();
  player.act();
  expect(sent.map(({ type }) => type)).toEqual(["steer", "steer", "steer"]);
  const inputs = sent.map(({ payload }) =>
    decodeInput(SteerInput, encodeInput(SteerInput, payload as InputOf<typeof SteerInput>)),
  );
  expect(inputs[0]).toEqual({ dx: 0, dy: 127, sprint: false });
  expect(inputs[1]).toEqual({ dx: 0, dy: -127, sprint: true });
  expect(inputs[2]?.sprint).toBe(false);
  expect(Math.hypot(inputs[2]?.dx ?? 0, inputs[2]?.dy ?? 0)).toBeCloseTo(127, -1);
});

it("states are compared where everybody sees the same, and not in the world", async () => {
  const compared = async (roomType: string) =>
    (await playerIn(strategyFor(roomType), {})).player.comparesState;
  expect(await compared("connect-four")).toBe(true);
  expect(await compared("a type of somebody's own")).toBe(true);
  expect(await compared("world")).toBe(false);
});
