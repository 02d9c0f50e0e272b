/** W1's room, as a user of Rookery writes it. */
import {
  type Client,
  entity,
  i8,
  input,
  map,
  message,
  quantised,
  Room,
  u8,
  u16,
  u32,
} from "../../../server/index.ts";
import { ARENA, newPilot, type Pilot, spawn, step } from "../arena/simulation.ts";

const speed = quantised(ARENA.speedMin, ARENA.speedMax, ARENA.speedStep);

const Player = entity(
  {
    x: quantised(0, ARENA.width, ARENA.positionStep),
    y: quantised(0, ARENA.height, ARENA.positionStep),
    vx: speed,
    vy: speed,
    angle: quantised(-Math.PI, Math.PI, ARENA.angleStep),
    hp: u8,
    score: u32,
  },
  "Player",
);

export const ArenaState = entity({ players: map(Player) }, "ArenaState");
const MoveInput = input({ thrust: u8, turn: i8, buttons: u16, seenAtMs: u32 });

export class Arena extends Room<typeof ArenaState, { readonly pilots: Map<string, Pilot> }> {
  static state = ArenaState;
  static tickRate = ARENA.ticksPerSecond;
  static maxClients = ARENA.playersPerRoom;

  data = { pilots: new Map<string, Pilot>() };

  messages = {
    move: message(MoveInput, (client, { thrust, turn }) => {
      const pilot = this.data.pilots.get(client.sessionId);
      if (pilot === undefined) return;
      pilot.thrust = thrust;
      pilot.turn = turn;
    }),
  };

  onJoin(client: Client) {
    this.state.players.set(client.sessionId, spawn(client.slot));
    this.data.pilots.set(client.sessionId, newPilot(client.slot));
  }

  onLeave(client: Client) {
    this.state.players.delete(client.sessionId);
    this.data.pilots.delete(client.sessionId);
  }

  onTick(dtMs: number) {
    for (const [sessionId, pilot] of this.data.pilots) {
      const player = this.state.players.get(sessionId);
      if (player !== undefined) step(player, pilot, this.clock.tick, dtMs);
    }
  }
}
