/** A room that only checkpoints can recover, because it throws real dice. It keeps account of what it was sent. */
import * as v from "valibot";
import type { Client } from "../../../server/room/client.ts";
import { message } from "../../../server/room/messages.ts";
import { Room } from "../../../server/room/room.ts";
import { entity, map, u8, u32 } from "../../../shared/schema/index.ts";

const Player = entity({ throws: u32, pips: u8 }, "Player");
export const DiceState = entity({ ticks: u32, players: map(Player) }, "DiceState");

export class Dice extends Room<typeof DiceState, Map<string, number[]>> {
  static override state = DiceState;
  static override tickRate = 20;
  static override durability = "checkpoint";
  static override reconnectMs = 3_000;

  /** What each client has sent, in the order in which it was applied. */
  override data = new Map<string, number[]>();

  override messages = {
    throw: message(v.number(), (client, number) => {
      const player = this.state.players.get(client.sessionId);
      if (player === undefined) return;
      player.throws += 1;
      player.pips = 1 + Math.floor(Math.random() * 6);
      this.data.get(client.sessionId)?.push(number);
      this.broadcast("thrown", number);
    }),
    account: message(v.unknown(), (client) => client.send("account", this.data.get(client.sessionId) ?? [])),
  };

  override onJoin(client: Client) {
    this.data.set(client.sessionId, []);
    this.state.players.set(client.sessionId, { throws: 0 });
  }

  override onLeave(client: Client) {
    this.state.players.delete(client.sessionId);
  }

  override onTick() {
    this.state.ticks += 1;
  }
}
