/** The world from joining to leaving: composition root of all that shows it. */
import { RULES } from "../../../../shared/games/world/rules.ts";
import type { Tagged } from "../../../../shared/games/world/schema.ts";
import type { Body, Steering } from "../../../../shared/games/world/step.ts";
import type { ErrorCode } from "../../../sdk/index.ts";
import { Camera } from "../canvas/camera.ts";
import { Effects } from "../canvas/effects.ts";
import { drawParticles } from "../canvas/particles.ts";
import { colourOf } from "../common/colours.ts";
import { bindConnectionBanner } from "../common/connection-banner.ts";
import { byId, context2d, make, setText } from "../common/dom.ts";
import { bindKillWorker } from "../common/kill-worker.ts";
import { showNetStats } from "../common/net-stats.ts";
import { keepSeat } from "../common/seat.ts";
import { KeyboardMouse } from "../input/keyboard-mouse.ts";
import { TouchSticks } from "../input/touch-sticks.ts";
import { type CreatureShown, drawCreature, drawPlayer, type PlayerShown } from "./creatures.ts";
import { Meadow } from "./meadow.ts";
import { CREATURES, WORLD, type WorldRoom } from "./room.ts";
import { Walker } from "./walker.ts";
import { WorldMap } from "./world-map.ts";

const FIELD = { width: RULES.worldWidth, height: RULES.worldHeight };
/** The light around the player fits on a desktop's screen. */
const AREA_SHOWN = 1_900 * 1_240;
const FRAME_MS_MAX = 100;
/** Full deflection of a `SteerInput`. */
const FULL = 127;

export class WorldGame {
  /** Why the room has ended; undefined when we have left it. */
  readonly ended: Promise<ErrorCode | undefined>;
  readonly #room: WorldRoom;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #stop = new AbortController();
  readonly #camera = new Camera(FIELD, AREA_SHOWN);
  readonly #effects = new Effects();
  readonly #meadow = new Meadow();
  readonly #map = new WorldMap(byId("minimap", HTMLCanvasElement));
  readonly #desk: KeyboardMouse;
  readonly #sticks: TouchSticks;
  readonly #walker: Walker;
  readonly #players;
  readonly #creatures;
  readonly #score = byId("own-score", HTMLElement);
  readonly #stamina = byId("stamina-bar", HTMLElement);
  #frameAtMs = performance.now();

  constructor(room: WorldRoom, canvas: HTMLCanvasElement) {
    const { signal } = this.#stop;
    this.#room = room;
    this.#canvas = canvas;
    this.#context = context2d(canvas);
    this.#desk = new KeyboardMouse(canvas, signal);
    this.#sticks = new TouchSticks(canvas, signal);
    this.#walker = new Walker(room, this.#frameAtMs);
    this.#players = room.interpolate((state) => state.players, { numbers: ["x", "y"] });
    this.#creatures = room.interpolate((state) => state.creatures, {
      numbers: ["x", "y"],
      angles: ["facing"],
    });

    bindConnectionBanner(room);
    void bindKillWorker(room, signal);
    const known = () => room.state.creatures.size + room.state.players.size;
    const stops = [
      keepSeat(WORLD, room),
      showNetStats(byId("stats", HTMLElement), room, [
        ["known", () => `${known()} of ${CREATURES + room.state.playerCount}`],
      ]),
    ];
    room.onState(() => this.#showLeaders());
    room.onMessage<Tagged>("tagged", (tagged) => this.#onTagged(tagged));
    room.onRejoin(() => this.#effects.clear());
    this.ended = new Promise((resolve) => {
      room.onLeave((_code, reason) => {
        this.#stop.abort();
        for (const stop of stops) stop();
        resolve(reason === "CONSENTED" ? undefined : (reason ?? "INTERNAL"));
      });
    });
    this.#showLeaders();
    requestAnimationFrame((nowMs) => this.#frame(nowMs));
  }

  /** Nothing is sent from now on; `ended` follows. */
  leave(): void {
    this.#stop.abort();
    void this.#room.leave();
  }

  #frame(nowMs: number): void {
    if (this.#stop.signal.aborted) return;
    const dtMs = Math.min(FRAME_MS_MAX, Math.max(0, nowMs - this.#frameAtMs));
    this.#frameAtMs = nowMs;
    if (this.#room.connectionState !== "closed") this.#walker.act(nowMs, this.#steering());
    const own = this.#walker.shown(nowMs);
    if (own !== undefined) this.#camera.follow(own, dtMs);
    this.#effects.advance(dtMs);
    this.#draw(nowMs, own);
    requestAnimationFrame((nextMs) => this.#frame(nextMs));
  }

  #steering(): Steering {
    const { x, y } = this.#sticks.isUsed ? this.#sticks.direction : this.#desk.direction;
    const sprint = this.#desk.isSprinting || this.#sticks.aim !== undefined;
    return { dx: Math.round(x * FULL), dy: Math.round(y * FULL), sprint };
  }

  #draw(nowMs: number, own: Body | undefined): void {
    const context = this.#context;
    const camera = this.#camera;
    camera.fit(this.#canvas);
    this.#meadow.draw(context, camera, own);
    const creatures: CreatureShown[] = [];
    for (const [, at, { kind, colour }] of this.#creatures.entries(nowMs))
      creatures.push({ ...at, kind, colour });
    for (const creature of creatures) if (camera.sees(creature, 60)) drawCreature(context, creature);
    for (const player of this.#placePlayers(nowMs, own)) drawPlayer(context, camera, player);
    drawParticles(context, camera, this.#effects.particles);
    camera.enterScreen(context);
    this.#sticks.draw(context, camera.width, camera.height);
    this.#map.draw(nowMs, own, creatures);
    this.#stamina.style.transform = `scaleX(${(own?.stamina ?? 0) / RULES.staminaMax})`;
  }

  /** Ourselves where we are predicted, and on top. */
  #placePlayers(nowMs: number, own: Body | undefined): PlayerShown[] {
    const { sessionId, state } = this.#room;
    const shown: PlayerShown[] = [];
    for (const [key, at, { name, colour }] of this.#players.entries(nowMs)) {
      if (key !== sessionId) shown.push({ ...at, name, colour, isSelf: false });
    }
    const self = state.players.get(sessionId);
    if (self !== undefined && own !== undefined) {
      shown.push({ x: own.x, y: own.y, name: self.name, colour: self.colour, isSelf: true });
    }
    return shown;
  }

  #onTagged({ x, y, worth }: Tagged): void {
    const colour = this.#room.state.players.get(this.#room.sessionId)?.colour ?? 0;
    this.#effects.spawn(x, y, colour);
    this.#effects.text(x, y - 20, `+${worth}`, colour);
  }

  #showLeaders(): void {
    const { state, sessionId } = this.#room;
    setText(this.#score, String(state.players.get(sessionId)?.score ?? 0));
    const list = byId("leaders", HTMLElement);
    const best = [...state.leaders].toSorted(([, a], [, b]) => b.score - a.score);
    const text = best.map(([key, { name, score }]) => `${key} ${name} ${score}`).join("\n");
    if (list.dataset.shown === text) return;
    list.dataset.shown = text;
    list.replaceChildren(
      ...best.map(([key, { name, colour, score }], index) => {
        const row = make("li", key === sessionId ? "score is-self" : "score");
        const label = make("span", "score-name", name);
        label.style.color = colourOf(colour, 74);
        row.append(
          make("span", "score-rank", String(index + 1)),
          label,
          make("span", "score-points", String(score)),
        );
        return row;
      }),
    );
  }
}
