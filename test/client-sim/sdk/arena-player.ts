/** A client that plays the arena in memory: predicts itself, interpolates the others, 60 frames a second. */
import { Client } from "../../../client-sim/sdk/client.ts";
import type { Interpolator, Predictor, Room } from "../../../client-sim/sdk/index.ts";
import { ArenaState, MoveInput, type Player } from "../../../shared/games/arena/schema.ts";
import type { Body } from "../../../shared/games/arena/step.ts";
import type { InputOf, View } from "../../../shared/schema/index.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { bodyOf, FakeArena, moveInput, type StepAmong, stepFreely, Wanderer } from "./fake-arena.ts";
import { BASE_URL } from "./fake-host.ts";
import { settled } from "./setup.ts";

const MESSAGES = { move: MoveInput };
export const FRAME_MS = 1000 / 60;
/** 100 ms with 20 ms of jitter, in each direction. */
const BAD_WAY = { latencyMs: 80, jitterMs: 40 };
/** This part of the updates is held up for so long, and with them what comes behind. */
const HELD_SHARE = 0.05;
const HELD_MS = 200;

type Setup = { readonly seed?: number; readonly step?: StepAmong; readonly others?: number };

export class ArenaPlayer {
  readonly time: SimulatedTime;
  readonly server: FakeArena;
  readonly room: Room<typeof ArenaState, typeof MESSAGES>;
  readonly me: Predictor<InputOf<typeof MoveInput>, Body>;
  readonly others: Interpolator<View<typeof Player>, "x" | "y" | "angle">;
  /** Sequence number of the last input. */
  lastSeq = 0;
  readonly #wanderer: Wanderer;
  readonly #startedAtMs: number;
  #playedMs = 0;

  private constructor(server: FakeArena, room: ArenaPlayer["room"], step: StepAmong, seed: number) {
    this.time = server.time;
    this.server = server;
    this.room = room;
    this.#wanderer = new Wanderer(createRandom(seed));
    this.#startedAtMs = this.time.now();
    this.me = room.predict({
      message: "move",
      read: ({ players }) => {
        const player = players.get(room.sessionId);
        return player !== undefined && player.hp > 0 ? bodyOf(player) : undefined;
      },
      step: (body, input) => {
        const others = [...room.state.players].filter(([id]) => id !== room.sessionId);
        return step(
          body,
          input,
          input.durationMs,
          others.map(([, player]) => player),
        );
      },
      numbers: ["x", "y"],
      snapDistance: 100,
    });
    this.others = room.interpolate(({ players }) => players, {
      numbers: ["x", "y"],
      angles: ["angle"],
      snapDistance: 100,
    });
  }

  /** @param others how many roam about besides */
  static async join({ seed, step = stepFreely, others = 0 }: Setup = {}): Promise<ArenaPlayer> {
    const server = new FakeArena(new SimulatedTime(5_000_000), step);
    const { time: scheduler, webSocket, fetch } = server;
    for (let i = 0; i < others; i++) server.addWanderer(`other${i}`, createRandom(1_000 + i));
    const { next } = createRandom(seed ?? 0);
    if (seed !== undefined) server.holdMs = () => (next() < HELD_SHARE ? HELD_MS : 0);
    const client = new Client(BASE_URL, {
      webSocket,
      fetch,
      scheduler,
      random: next,
      conditions: seed === undefined ? undefined : BAD_WAY,
    });
    const joining = client.joinOrCreate("arena", {}, { state: ArenaState, messages: MESSAGES });
    return new ArenaPlayer(server, await settled(server.time, joining), step, seed ?? 0);
  }

  /** Plays on, with an input before each frame. */
  async play(forMs: number, onFrame: () => void = () => {}): Promise<void> {
    const untilMs = this.time.now() + forMs;
    while (this.time.now() + FRAME_MS <= untilMs) {
      await this.time.advance(FRAME_MS);
      // Whole milliseconds; what is left over belongs to the next input.
      const durationMs = Math.floor(this.time.now() - this.#startedAtMs) - this.#playedMs;
      this.#playedMs += durationMs;
      const seq = this.me.send(moveInput(this.#wanderer.next(durationMs), durationMs));
      if (seq !== undefined) this.lastSeq = seq;
      onFrame();
    }
  }

  /** What the server made of an input. */
  serverBody(seq: number): Body | undefined {
    return this.server.bodies.get(`${this.room.sessionId} ${seq}`);
  }
}
