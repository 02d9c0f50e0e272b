/**
 * W1's room as a user of Colyseus writes it, with the type `number`, which its documentation begins with, and with
 * types of the same precision as Rookery's. Inputs travel as bytes under a number, the shortest form there is.
 */
import { type Client, Room } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { applyInput } from "../arena/input.ts";
import { ARENA, type Body, newPilot, type Pilot, spawn, step } from "../arena/simulation.ts";

/** Type of the message that carries an input. */
const MOVE = 0;
const TICK_MS = 1000 / ARENA.ticksPerSecond;

export const NumberPlayer = schema(
  {
    x: t.number(),
    y: t.number(),
    vx: t.number(),
    vy: t.number(),
    angle: t.number(),
    hp: t.number(),
    score: t.number(),
  },
  "NumberPlayer",
);
export const NumberState = schema({ players: t.map(NumberPlayer) }, "NumberState");

const speed = () => t.quantized({ min: ARENA.speedMin, max: ARENA.speedMax, bits: 8 });
export const QuantisedPlayer = schema(
  {
    x: t.quantized({ min: 0, max: ARENA.width, bits: 16 }),
    y: t.quantized({ min: 0, max: ARENA.height, bits: 16 }),
    vx: speed(),
    vy: speed(),
    angle: t.quantized({ min: -Math.PI, max: Math.PI, mode: "wrap", bits: 8 }),
    hp: t.uint8(),
    score: t.uint32(),
  },
  "QuantisedPlayer",
);
export const QuantisedState = schema({ players: t.map(QuantisedPlayer) }, "QuantisedState");

type Players = { get(sessionId: string): Body | undefined; delete(sessionId: string): boolean };

abstract class Arena extends Room {
  maxClients: number = ARENA.playersPerRoom;
  patchRate = TICK_MS;
  readonly #pilots = new Map<string, Pilot>();
  readonly #freeSlots = Array.from({ length: ARENA.playersPerRoom }, (_, slot) => slot);
  #tick = 0;

  abstract get players(): Players;
  abstract addPlayer(sessionId: string, body: Body): void;

  onCreate() {
    this.onMessageBytes(MOVE, (client: Client, bytes: Uint8Array) => {
      const pilot = this.#pilots.get(client.sessionId);
      if (pilot !== undefined) applyInput(pilot, bytes);
    });
    this.setTimestep((dtMs) => this.#step(dtMs), TICK_MS);
  }

  onJoin(client: Client) {
    const slot = this.#freeSlots.shift() ?? 0;
    this.#pilots.set(client.sessionId, newPilot(slot));
    this.addPlayer(client.sessionId, spawn(slot));
  }

  onLeave(client: Client) {
    const pilot = this.#pilots.get(client.sessionId);
    if (pilot !== undefined) this.#freeSlots.push(pilot.slot);
    this.#pilots.delete(client.sessionId);
    this.players.delete(client.sessionId);
  }

  #step(dtMs: number) {
    this.#tick += 1;
    for (const [sessionId, pilot] of this.#pilots) {
      const player = this.players.get(sessionId);
      if (player !== undefined) step(player, pilot, this.#tick, dtMs);
    }
  }
}

export class NumberArena extends Arena {
  state = new NumberState();

  get players(): Players {
    return this.state.players;
  }

  addPlayer(sessionId: string, body: Body) {
    this.state.players.set(sessionId, new NumberPlayer(body));
  }
}

export class QuantisedArena extends Arena {
  state = new QuantisedState();

  get players(): Players {
    return this.state.players;
  }

  addPlayer(sessionId: string, body: Body) {
    this.state.players.set(sessionId, new QuantisedPlayer(body));
  }
}
