import { expect, it } from "vitest";
import { arenaBot, nearestEnemy } from "../../../client-sim/bots/strategies/arena-bot.ts";
import { connectFourBot, legalColumn } from "../../../client-sim/bots/strategies/connect-four-bot.ts";
import type { Player } from "../../../client-sim/bots/strategies/strategy.ts";
import type { Client } from "../../../client-sim/sdk/index.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { MoveInput } from "../../../shared/games/arena/schema.ts";
import { COLUMNS, emptyBoard, Phase } from "../../../shared/games/connect-four/rules.ts";
import { decodeInput, encodeInput, type InputOf } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";

type Sent = { readonly type: string; readonly payload: unknown };

/** A bot in a room that is nothing but a state and a list of what was sent. */
async function playerIn(strategy: typeof arenaBot, state: object) {
  const sent: Sent[] = [];
  const listeners: { state?: (info: { ack: number }) => void; rejoin?: () => void } = {};
  const room = {
    state,
    sessionId: "me",
    roomTimeMs: 0,
    send: (type: string, payload: unknown) => sent.push({ type, payload }),
    onState: (callback: (info: { ack: number }) => void) => {
      listeners.state = callback;
    },
    onRejoin: (callback: () => void) => {
      listeners.rejoin = callback;
    },
  };
  const client = { joinOrCreate: async () => room } as unknown as Client;
  const player: Player = await strategy({ client, name: "bot 1", random: createRandom(1), turnMs: 50 });
  return { player, sent, listeners };
}

function fighter(x: number, y: number, hp = 100) {
  return {
    x,
    y,
    hp,
    vx: 0,
    vy: 0,
    angle: 0,
    score: 0,
    kills: 0,
    deaths: 0,
    name: "",
    colour: 0,
    isBot: false,
  };
}

it("arena: the nearest enemy is alive and not oneself", () => {
  const self = fighter(0, 0);
  const near = fighter(30, 40);
  expect(nearestEnemy(self, [self, fighter(10, 0, 0), fighter(100, 0), near])).toBe(near);
  expect(nearestEnemy(self, [self, fighter(10, 0, 0)])).toBeUndefined();
});

it("arena: each turn sends one input that the schema takes, aimed at the enemy and fired when in range", async () => {
  const self = fighter(1000, 700);
  const enemy = fighter(1000, 900);
  const { player, sent } = await playerIn(arenaBot, {
    players: new Map([
      ["me", self],
      ["other", enemy],
    ]),
  });
  player.act();
  enemy.x = 1000 - (RULES.shotSpeed * RULES.shotLifetimeMs) / 1000;
  enemy.y = 700;
  player.act();
  expect(sent.map(({ type }) => type)).toEqual(["move", "move"]);
  const inputs = sent.map(({ payload }) => payload as InputOf<typeof MoveInput>);
  expect(inputs[0]).toMatchObject({ durationMs: 50, shoot: true });
  expect(inputs[0]?.aim).toBeCloseTo(Math.PI / 2, 0);
  expect(inputs[1]?.shoot).toBe(false);
  for (const sentInput of inputs) {
    const { dx, dy } = decodeInput(MoveInput, encodeInput(MoveInput, sentInput));
    expect(Math.hypot(dx, dy)).toBeCloseTo(127, -1);
  }
});

it("arena: turns back at the edge of the world", async () => {
  const { player, sent } = await playerIn(arenaBot, { players: new Map([["me", fighter(20, 700)]]) });
  player.act();
  expect(sent[0]?.payload).toMatchObject({ dx: 127, dy: 6 });
});

it("arena: waits while it is not in the game", async () => {
  const { player, sent } = await playerIn(arenaBot, { players: new Map() });
  player.act();
  expect(sent).toEqual([]);
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
