/** Connect four, message by message. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ConnectFour } from "../../../server/games/connect-four.ts";
import { CELLS, COLUMNS, Phase, ROWS, winningCells } from "../../../shared/games/connect-four/rules.ts";
import { ConnectFourState } from "../../../shared/games/connect-four/schema.ts";
import { RoomDriver, type Sent } from "../../support/room-driver.ts";

type Driver = RoomDriver<typeof ConnectFourState>;

/** A drawn game: the columns in an order that fills the board without a line. */
const DRAW = [
  0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 2, 3, 2, 3, 2, 3, 3, 2, 3, 2, 3, 2, 4, 5, 4, 5, 4, 5, 5, 4, 5, 4, 5, 4,
  6, 6, 6, 6, 6, 6,
];

function illegal(sessionId: string, reason: string): Sent[] {
  return [{ type: "illegal", payload: { reason }, to: [sessionId] }];
}

function create(options: Readonly<Record<string, unknown>> = {}): Promise<Driver> {
  return RoomDriver.create(ConnectFour, ConnectFourState, { options });
}

async function started(options?: Readonly<Record<string, unknown>>): Promise<Driver> {
  const game = await create(options);
  game.join("anna", { name: "Anna" });
  game.join("ben");
  return game;
}

/** Anna and Ben drop in turn, Anna first unless told otherwise. */
function play(
  game: Driver,
  columns: readonly number[],
  order: readonly [string, string] = ["anna", "ben"],
): void {
  columns.forEach((column, i) => {
    game.send(order[i % 2] ?? "", "drop", { column });
    expect(game.sent).toEqual([]);
  });
}

describe("connect four", () => {
  let game: Driver;
  beforeEach(async () => {
    game = await started();
  });

  it("waits for the second player, then begins with the first", async () => {
    const fresh = await create();
    expect(fresh.state).toMatchObject({ phase: Phase.WAITING, turn: 0, winner: 0 });
    expect(fresh.state.board.toArray()).toEqual(new Array(CELLS).fill(0));
    fresh.join("anna", { name: "Anna" });
    expect(fresh.state.phase).toBe(Phase.WAITING);
    fresh.join("ben");
    expect(fresh.state).toMatchObject({ phase: Phase.PLAYING, turn: 1, spectators: 0 });
    expect(fresh.state.players.get("anna")).toMatchObject({
      disc: 1,
      name: "Anna",
      connected: true,
      wins: 0,
    });
    expect(fresh.state.players.get("ben")).toMatchObject({ disc: 2, name: "Player 2", connected: true });
  });

  it("is played to a win", () => {
    play(game, [3, 0, 3, 0, 3, 0, 3]);
    expect(game.state).toMatchObject({ phase: Phase.OVER, winner: 1, turn: 0 });
    expect(game.state.winningCells.toArray()).toEqual([3, 10, 17, 24]);
    expect(game.state.players.get("anna")).toMatchObject({ wins: 1, ready: false });
    expect(game.state.players.get("ben")).toMatchObject({ wins: 0, ready: false });
  });

  it("is won by the second player, too", () => {
    play(game, [0, 1, 0, 1, 0, 1, 6, 1]);
    expect(game.state).toMatchObject({ phase: Phase.OVER, winner: 2 });
    expect(game.state.players.get("ben")?.wins).toBe(1);
  });

  it("is drawn on a full board without a line", () => {
    play(game, DRAW);
    expect(game.state.board.toArray()).not.toContain(0);
    expect(game.state).toMatchObject({ phase: Phase.OVER, winner: 0, turn: 0 });
    expect(game.state.winningCells.length).toBe(0);
    for (const { wins } of game.state.players.values()) expect(wins).toBe(0);
  });

  it("keeps to the rules in any game, and ends when they say", async () => {
    const moves = fc.array(fc.tuple(fc.constantFrom("anna", "ben", "carl"), fc.nat(COLUMNS - 1)), {
      maxLength: 120,
    });
    await fc.assert(
      fc.asyncProperty(moves, async (tried) => {
        const any = await started();
        any.join("carl");
        for (const [sessionId, column] of tried) {
          const before = any.state.board.toArray();
          const { phase, turn } = any.state;
          any.send(sessionId, "drop", { column });
          const after = any.state.board.toArray();
          const changed = after.flatMap((disc, cell) => (disc === before[cell] ? [] : [cell]));
          const disc = any.state.players.get(sessionId)?.disc;
          const height = before.filter((_, cell) => cell % COLUMNS === column && before[cell] !== 0).length;
          const isLegal = phase === Phase.PLAYING && disc === turn && height < ROWS;
          expect(changed).toEqual(isLegal ? [height * COLUMNS + column] : []);
          expect(any.sent.length).toBe(isLegal ? 0 : 1);
          if (!isLegal) continue;
          const won = winningCells(after, changed[0] ?? -1);
          expect(any.state.winningCells.toArray()).toEqual(won);
          expect(any.state.winner).toBe(won.length > 0 ? turn : 0);
          expect(any.state.phase).toBe(won.length > 0 || !after.includes(0) ? Phase.OVER : Phase.PLAYING);
        }
      }),
      { numRuns: 60 },
    );
  });

  describe("answers an illegal move to the player alone", () => {
    it("out of turn", () => {
      game.send("ben", "drop", { column: 0 });
      expect(game.sent).toEqual(illegal("ben", "not-your-turn"));
      expect(game.state.board.toArray()).not.toContain(2);
    });

    it("into a full column", () => {
      play(game, [0, 0, 0, 0, 0, 0]);
      game.send("anna", "drop", { column: 0 });
      expect(game.sent).toEqual(illegal("anna", "column-full"));
      expect(game.state.turn).toBe(1);
    });

    it("before the game and after it", async () => {
      const fresh = await create();
      fresh.join("anna");
      fresh.send("anna", "drop", { column: 0 });
      expect(fresh.sent).toEqual(illegal("anna", "not-playing"));
      play(game, [3, 0, 3, 0, 3, 0, 3]);
      game.send("ben", "drop", { column: 0 });
      expect(game.sent).toEqual(illegal("ben", "not-playing"));
    });

    it("by a spectator", () => {
      game.join("carl");
      game.send("carl", "drop", { column: 0 });
      expect(game.sent).toEqual(illegal("carl", "spectator"));
      game.send("carl", "rematch");
      expect(game.sent).toEqual(illegal("carl", "spectator"));
    });

    it("for a rematch during the game", () => {
      game.send("anna", "rematch");
      expect(game.sent).toEqual(illegal("anna", "still-playing"));
    });
  });

  it.each([{ column: -1 }, { column: COLUMNS }, { column: 1.5 }, { column: "1" }, {}, null, 3])(
    "refuses %j as a move",
    (payload) => {
      const { change } = game.send("anna", "drop", payload);
      expect(game.sent).toMatchObject([
        { type: "$error", payload: { code: "MESSAGE_INVALID" }, to: ["anna"] },
      ]);
      expect(change.isEmpty).toBe(true);
    },
  );

  it("begins again when both want to, with the other player", () => {
    play(game, [3, 0, 3, 0, 3, 0, 3]);
    game.send("ben", "rematch");
    expect(game.state.phase).toBe(Phase.OVER);
    expect(game.state.board.get(3)).toBe(1);
    game.send("anna", "rematch");
    expect(game.state).toMatchObject({ phase: Phase.PLAYING, winner: 0, turn: 2 });
    expect(game.state.board.toArray()).toEqual(new Array(CELLS).fill(0));
    expect(game.state.winningCells.length).toBe(0);
    play(game, [3, 0, 3, 0, 3, 0, 3], ["ben", "anna"]);
    expect(game.state.winner).toBe(2);
  });

  describe("a player who leaves", () => {
    it("during the game has lost it", () => {
      play(game, [3, 0]);
      game.leave("anna", false);
      expect(game.state).toMatchObject({ phase: Phase.OVER, winner: 2, turn: 0 });
      expect(game.state.winningCells.length).toBe(0);
      expect(game.state.players.get("ben")?.wins).toBe(1);
      expect(game.state.players.has("anna")).toBe(false);
    });

    it("after the game changes nothing about it", () => {
      play(game, [3, 0, 3, 0, 3, 0, 3]);
      game.leave("anna");
      expect(game.state).toMatchObject({ phase: Phase.OVER, winner: 1 });
      expect(game.state.players.get("ben")?.wins).toBe(0);
    });

    it("gives the seat and the disc to the next who joins, once the other wants to go on", () => {
      play(game, [3]);
      game.leave("anna");
      game.join("carl", { name: "Carl" });
      expect(game.state.players.get("carl")).toMatchObject({ disc: 1, name: "Carl", ready: true });
      expect(game.state.phase).toBe(Phase.OVER);
      game.send("ben", "rematch");
      expect(game.state).toMatchObject({ phase: Phase.PLAYING, turn: 2, winner: 0 });
    });

    it("leaves one behind who can wait for another at an empty board", () => {
      play(game, [3]);
      game.leave("anna");
      game.send("ben", "rematch");
      expect(game.state).toMatchObject({ phase: Phase.WAITING, winner: 0, turn: 0 });
      expect(game.state.board.toArray()).not.toContain(1);
      game.join("carl");
      expect(game.state.phase).toBe(Phase.PLAYING);
    });

    it("leaves an empty board when the other has left as well", () => {
      play(game, [3]);
      game.join("carl");
      game.leave("anna");
      game.leave("ben");
      expect(game.state).toMatchObject({ phase: Phase.WAITING, winner: 0, spectators: 1 });
      expect(game.state.board.toArray()).not.toContain(1);
    });
  });

  it("waits a minute for a dropped player, who can then play on", () => {
    play(game, [3]);
    const { dropped } = game.step({ type: "dropped", sessionId: "ben" });
    expect(dropped).toMatchObject([{ reconnectMs: 60_000 }]);
    expect(game.state.players.get("ben")?.connected).toBe(false);
    expect(game.state.phase).toBe(Phase.PLAYING);
    game.step({ type: "returned", sessionId: "ben", tokenGeneration: 1 });
    expect(game.state.players.get("ben")?.connected).toBe(true);
    play(game, [0], ["ben", "anna"]);
  });

  it("keeps a spectator's seat for no longer than any room", () => {
    game.join("carl");
    const { dropped } = game.step({ type: "dropped", sessionId: "carl" });
    expect(dropped).toMatchObject([{ reconnectMs: ConnectFour.reconnectMs }]);
    game.step({ type: "returned", sessionId: "carl", tokenGeneration: 1 });
    expect(game.state.players.size).toBe(2);
  });

  it("counts those who watch", () => {
    for (let i = 1; i <= 20; i++) {
      game.join(`s${i}`);
      expect(game.state.spectators).toBe(i);
    }
    expect(game.runtime.clients.size).toBe(ConnectFour.maxClients);
    expect(game.state.players.size).toBe(2);
    game.leave("s7");
    expect(game.state.spectators).toBe(19);
    game.leave("anna");
    expect(game.state.spectators).toBe(19);
  });

  it("stays public while it is played, so that others can watch", async () => {
    const fresh = await create();
    for (const name of ["anna", "ben", "carl"]) fresh.join(name);
    expect(fresh.runtime.listing).toMatchObject({ isPrivate: false, locked: false });
  });

  it("stays private when it was created so", async () => {
    const fresh = await create({ private: true });
    expect(fresh.runtime.listing.isPrivate).toBe(true);
    fresh.join("anna");
    fresh.join("ben");
    fresh.leave("ben");
    expect(fresh.runtime.listing.isPrivate).toBe(true);
    expect((await create({ private: "yes" })).runtime.listing.isPrivate).toBe(false);
  });

  it("is the same to the byte when the same happens again", () => {
    play(game, [3, 0, 3, 0, 3]);
    game.send("ben", "drop", { column: 9 });
    game.join("carl");
    game.step({ type: "dropped", sessionId: "ben" }, { type: "left", sessionId: "ben", consented: false });
    game.send("anna", "rematch");
    game.join("dora");
    expect(game.replay()).toEqual(game.trace);
  });
});
