/**
 * A match as it is shown: follows the room's states, and plays what they tell at the time at which it is drawn. The
 * own fighter is ahead of the server, everybody else a little behind it; shots are shown among the others.
 */
import type { ArenaState, Player } from "../../../../shared/games/arena/schema.ts";
import type { Body } from "../../../../shared/games/arena/step.ts";
import type { View } from "../../../../shared/schema/index.ts";
import type { Effects } from "../canvas/effects.ts";
import { type FighterShown, moveFighter, newFighter, type Scene } from "./model.ts";
import { Shots } from "./shots.ts";
import { Timeline } from "./timeline.ts";

/** Where somebody else is at the time shown. */
export type Placed = readonly [
  sessionId: string,
  at: { readonly x: number; readonly y: number; readonly angle: number },
  ...rest: readonly unknown[],
];

export type MatchHandlers = {
  /** We were hit. */
  readonly onHurt: (damage: number) => void;
  /** One of our shots has hit. */
  readonly onScored: () => void;
  /** Somebody has died, as shown. */
  readonly onDeath: (fighter: FighterShown) => void;
};

type Known = { hp: number; score: number };

export class Match implements Scene {
  readonly #effects: Effects;
  readonly #handlers: MatchHandlers;
  readonly #timeline = new Timeline();
  readonly #shown = new Map<string, FighterShown>();
  /** As of the last state. */
  readonly #known = new Map<string, Known>();
  readonly #shots: Shots;
  #selfId = "";

  constructor(effects: Effects, handlers: MatchHandlers) {
    this.#effects = effects;
    this.#handlers = handlers;
    this.#shots = new Shots(effects);
  }

  get fighters(): readonly FighterShown[] {
    return [...this.#shown.values()];
  }

  get tracers() {
    return this.#shots.tracers;
  }

  get self(): FighterShown | undefined {
    return this.#shown.get(this.#selfId);
  }

  fighter(sessionId: string): FighterShown | undefined {
    return this.#shown.get(sessionId);
  }

  /** Something to be seen in step with the others. @param atMs room time */
  at(atMs: number, run: () => void): void {
    this.#timeline.at(atMs, run);
  }

  /** Another session, maybe another room. */
  restart(): void {
    this.#timeline.clear();
    this.#effects.clear();
    this.#shown.clear();
    this.#known.clear();
    this.#shots.clear();
  }

  /** A state was applied. @param atMs room time it is of */
  follow(state: View<typeof ArenaState>, selfId: string, atMs: number): void {
    this.#selfId = selfId;
    for (const [sessionId, player] of state.players) this.#followPlayer(sessionId, player, atMs);
    for (const sessionId of this.#known.keys()) {
      if (state.players.has(sessionId)) continue;
      this.#known.delete(sessionId);
      this.#timeline.at(atMs, () => this.#shown.delete(sessionId));
    }
    this.#shots.follow(state.shots, state.players.get(selfId));
  }

  /** Our own shot, shown before the server knows of it. @param atMs room time of what we see */
  fire(body: Body, angle: number, atMs: number): void {
    this.#shots.fire({ x: body.x, y: body.y }, angle, this.self?.colour ?? 0, atMs);
  }

  /**
   * @param shownMs room time at which the others are shown
   * @param own undefined while dead
   */
  advance(
    shownMs: number,
    others: Iterable<Placed>,
    own: (Body & { readonly angle: number }) | undefined,
    dtMs: number,
  ): void {
    for (const [sessionId, { x, y, angle }] of others) {
      const fighter = this.#shown.get(sessionId);
      if (fighter !== undefined && sessionId !== this.#selfId) moveFighter(fighter, x, y, angle, dtMs);
    }
    const { self } = this;
    if (self !== undefined && own !== undefined) moveFighter(self, own.x, own.y, own.angle, dtMs);
    this.#timeline.advance(shownMs);
    const targets = this.fighters.filter(({ hp, isSelf }) => hp > 0 && !isSelf);
    this.#shots.advance(shownMs, targets);
    this.#effects.advance(dtMs);
  }

  #followPlayer(sessionId: string, player: View<typeof Player>, atMs: number): void {
    const { hp, score, name, colour, isBot, x, y } = player;
    const isSelf = sessionId === this.#selfId;
    let known = this.#known.get(sessionId);
    if (known === undefined) {
      known = { hp: 0, score };
      this.#known.set(sessionId, known);
      const fighter = { ...newFighter(name, colour), isSelf, isBot, x, y };
      this.#timeline.at(atMs, () => this.#shown.set(sessionId, fighter));
    }
    const before = known.hp;
    const hasScored = score > known.score;
    known.hp = hp;
    known.score = score;
    if (isSelf && hp < before) this.#handlers.onHurt(before - hp);
    if (isSelf && hasScored) this.#handlers.onScored();
    const show = () => this.#showPlayer(sessionId, before, hp);
    // What happens to us is shown at once, like what we do.
    if (isSelf && this.#shown.has(sessionId)) show();
    else if (hp !== before) this.#timeline.at(atMs, show);
  }

  #showPlayer(sessionId: string, before: number, hp: number): void {
    const fighter = this.#shown.get(sessionId);
    if (fighter === undefined) return;
    fighter.hp = hp;
    const { x, y, colour } = fighter;
    if (before === 0 && hp > 0) this.#effects.spawn(x, y, colour);
    if (hp >= before) return;
    fighter.flash = 1;
    this.#effects.hit(x, y, colour, before - hp);
    if (hp > 0) return;
    this.#effects.death(x, y, colour);
    this.#handlers.onDeath(fighter);
  }
}
