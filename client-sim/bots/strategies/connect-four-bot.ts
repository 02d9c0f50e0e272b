/** Plays connect four: drops discs into columns with room left, at random, and asks for another game after each. */
import { COLUMNS, landingCell, Phase } from "../../../shared/games/connect-four/rules.ts";
import { ConnectFourState } from "../../../shared/games/connect-four/schema.ts";
import type { Random } from "../../../shared/sim/random.ts";
import type { Room } from "../../sdk/index.ts";
import type { Player, Strategy } from "./strategy.ts";

export const connectFourBot: Strategy = async ({ client, name, random }) => {
  const room = await client.joinOrCreate("connect-four", { name }, { state: ConnectFourState });
  return new ConnectFourPlayer(room, random);
};

class ConnectFourPlayer implements Player {
  readonly room: Room<typeof ConnectFourState>;
  readonly comparesState = true;
  readonly #random: Random;
  /** Message whose effect is not part of the state yet: until it is, the state does not say whose turn it is. */
  #pendingSeq = 0;

  constructor(room: Room<typeof ConnectFourState>, random: Random) {
    this.room = room;
    this.#random = random;
    room.onState(({ ack }) => {
      if (ack >= this.#pendingSeq) this.#pendingSeq = 0;
    });
    room.onRejoin(() => {
      this.#pendingSeq = 0;
    });
  }

  act(): void {
    if (this.#pendingSeq > 0) return;
    const { phase, turn, board, players } = this.room.state;
    const self = players.get(this.room.sessionId);
    if (self === undefined) return;
    if (phase === Phase.OVER && !self.ready) this.#pendingSeq = this.room.send("rematch");
    if (phase !== Phase.PLAYING || turn !== self.disc) return;
    const column = legalColumn(board, this.#random);
    if (column !== undefined) this.#pendingSeq = this.room.send("drop", { column });
  }
}

/** @returns a column with room left, each as likely as the others; undefined when the board is full */
export function legalColumn(board: readonly number[], random: Random): number | undefined {
  const columns: number[] = [];
  for (let column = 0; column < COLUMNS; column++) {
    if (landingCell(board, column) !== undefined) columns.push(column);
  }
  return columns[Math.floor(random.next() * columns.length)];
}
