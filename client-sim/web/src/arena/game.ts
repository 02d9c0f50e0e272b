/** The arena from joining to leaving: composition root of all that shows it, and of what the player does. */
import type { Kill } from "../../../../shared/games/arena/schema.ts";
import type { ErrorCode } from "../../../sdk/index.ts";
import { Camera } from "../canvas/camera.ts";
import { Effects } from "../canvas/effects.ts";
import { bindConnectionBanner } from "../common/connection-banner.ts";
import { byId } from "../common/dom.ts";
import { bindKillWorker } from "../common/kill-worker.ts";
import { showNetStats } from "../common/net-stats.ts";
import { keepSeat } from "../common/seat.ts";
import { Controls } from "./controls.ts";
import { KillFeed } from "./hud/kill-feed.ts";
import { ScoreBoard } from "./hud/score-board.ts";
import { Vitals } from "./hud/vitals.ts";
import { Match } from "./match.ts";
import { AREA_SHOWN, FIELD } from "./model.ts";
import { Pilot, TELEPORT_DISTANCE } from "./pilot.ts";
import { drawCrosshair } from "./render/crosshair.ts";
import { Minimap } from "./render/minimap.ts";
import type { Picture } from "./render/picture.ts";
import { ARENA, type ArenaRoom } from "./room.ts";
import { Sound } from "./sound.ts";

/** After a pause of the page frames go on as if only so much had passed. */
const FRAME_MS_MAX = 100;
const HIT_MARK_MS = 220;

export class Game {
  /** Why the room has ended; undefined when we have left it. */
  readonly ended: Promise<ErrorCode | undefined>;
  readonly #room: ArenaRoom;
  readonly #picture: Picture;
  readonly #stop = new AbortController();
  readonly #camera = new Camera(FIELD, AREA_SHOWN);
  readonly #effects = new Effects();
  readonly #controls: Controls;
  readonly #match: Match;
  readonly #pilot: Pilot;
  readonly #others;
  readonly #minimap = new Minimap(byId("minimap", HTMLCanvasElement));
  readonly #scores: ScoreBoard;
  readonly #feed = new KillFeed(byId("feed", HTMLElement));
  readonly #vitals = new Vitals();
  readonly #sound: Sound;
  #frameAtMs = performance.now();
  #hitMark = 0;
  /** Who has taken us down: what there is to look at meanwhile. */
  #killerId: string | undefined;

  constructor(room: ArenaRoom, picture: Picture) {
    const { signal } = this.#stop;
    this.#room = room;
    this.#picture = picture;
    this.#controls = new Controls(picture.canvas, signal);
    this.#sound = new Sound(byId("sound", HTMLButtonElement), signal);
    this.#scores = new ScoreBoard(byId("scores", HTMLOListElement), signal);
    this.#match = new Match(this.#effects, {
      onHurt: (damage) => this.#onHurt(damage),
      onScored: () => this.#onScored(),
      onDeath: (fighter) => {
        this.#sound.play("death");
        if (this.#camera.sees(fighter, 0)) this.#camera.shake(0.35);
      },
    });
    this.#pilot = new Pilot(room, (body, angle) => {
      this.#match.fire(body, angle, this.#others.renderTimeMs);
      this.#sound.play("shot");
    });
    this.#others = room.interpolate((state) => state.players, {
      numbers: ["x", "y"],
      angles: ["angle"],
      snapDistance: TELEPORT_DISTANCE,
    });

    bindConnectionBanner(room);
    void bindKillWorker(room, signal);
    const stops = [
      keepSeat(ARENA, room),
      showNetStats(byId("stats", HTMLElement), room, [
        ["behind", () => `${Math.round(this.#others.delayMs)} ms`],
      ]),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
    });
    room.onState(({ roomTimeMs }) => this.#follow(roomTimeMs));
    room.onMessage<Kill>("kill", (kill) => this.#onKill(kill));
    room.onRejoin(() => this.#match.restart());
    this.ended = new Promise((resolve) => {
      room.onLeave((_code, reason) => {
        this.#stop.abort();
        resolve(reason === "CONSENTED" ? undefined : (reason ?? "INTERNAL"));
      });
    });
    this.#follow(room.roomTimeMs);
    const self = room.state.players.get(room.sessionId);
    if (self !== undefined) Object.assign(this.#camera, { x: self.x, y: self.y });
    requestAnimationFrame((nowMs) => this.#frame(nowMs));
  }

  /** For the browser's console and for tests: numbers that say how smooth it is. */
  get insight() {
    const { predictor } = this.#pilot;
    return { room: this.#room, predictor, others: this.#others, match: this.#match };
  }

  #follow(roomTimeMs: number): void {
    this.#match.follow(this.#room.state, this.#room.sessionId, roomTimeMs);
    this.#scores.update(this.#room.state, this.#room.sessionId);
  }

  /** Nothing is sent from now on; `ended` follows. */
  leave(): void {
    this.#stop.abort();
    void this.#room.leave();
  }

  #frame(nowMs: number): void {
    if (this.#stop.signal.aborted) return;
    const dtMs = Math.max(0, nowMs - this.#frameAtMs);
    this.#frameAtMs = nowMs;
    this.#camera.fit(this.#picture.canvas);
    this.#play(nowMs, dtMs);
    this.#draw(nowMs, Math.min(dtMs, FRAME_MS_MAX));
    requestAnimationFrame((nextMs) => this.#frame(nextMs));
  }

  /** Own inputs first, so that what is drawn has them already. */
  #play(nowMs: number, dtMs: number): void {
    const place = this.#match.self ?? this.#camera;
    const intent = this.#controls.read(place, this.#camera);
    // Sampled first: the shot of this frame is judged by what this frame shows.
    const others = [...this.#others.entries(nowMs)];
    const { renderTimeMs } = this.#others;
    if (this.#room.connectionState !== "closed") this.#pilot.act(nowMs, dtMs, intent, renderTimeMs);
    const body = this.#pilot.shown(nowMs, intent);
    this.#match.advance(renderTimeMs, others, body && { ...body, angle: intent.aim }, dtMs);
  }

  #draw(nowMs: number, dtMs: number): void {
    const { context } = this.#picture;
    this.#camera.follow(this.#lookAt(), dtMs);
    this.#picture.draw(this.#camera, this.#match, this.#effects);
    this.#hitMark = Math.max(0, this.#hitMark - dtMs / HIT_MARK_MS);
    const { pointer, sticks } = this.#controls;
    if (pointer !== undefined) drawCrosshair(context, pointer, this.#pilot.loaded(nowMs), this.#hitMark);
    sticks.draw(context, this.#camera.width, this.#camera.height);
    this.#minimap.draw(nowMs, this.#camera, this.#match.fighters);
    this.#vitals.update(this.#room.state.players.get(this.#room.sessionId), nowMs, dtMs);
  }

  #lookAt(): { x: number; y: number } {
    const { self } = this.#match;
    if (self === undefined) return this.#camera;
    if (self.hp === 0) return this.#match.fighter(this.#killerId ?? "") ?? self;
    const ahead = this.#controls.lookAhead(self, this.#camera);
    return { x: self.x + ahead.x, y: self.y + ahead.y };
  }

  #onHurt(damage: number): void {
    this.#vitals.onHurt(damage);
    this.#camera.shake(0.7);
    this.#sound.play("hurt");
  }

  #onScored(): void {
    this.#hitMark = 1;
    this.#sound.play("hit");
  }

  #onKill(kill: Kill): void {
    const { sessionId, roomTimeMs } = this.#room;
    if (kill.victim === sessionId) {
      this.#killerId = kill.by ?? undefined;
      this.#vitals.onKilled(kill.byName, performance.now());
    }
    this.#match.at(roomTimeMs, () => {
      this.#feed.add(kill, sessionId);
      const victim = this.#match.fighter(kill.victim);
      if (kill.by === sessionId && victim !== undefined)
        this.#effects.text(victim.x, victim.y - 44, "Takedown +100", this.#match.self?.colour ?? 0);
    });
  }
}
