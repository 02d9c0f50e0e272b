/** How the own fighter is: health and score at the edge of the screen, red at a hit, and the wait after a death. */
import { RULES } from "../../../../../shared/games/arena/rules.ts";
import type { Player } from "../../../../../shared/games/arena/schema.ts";
import type { View } from "../../../../../shared/schema/index.ts";
import { byId, setText } from "../../common/dom.ts";

/** Red fades in so long. */
const HURT_MS = 650;
/** Below this health there is always some. */
const CRITICAL_HP = 35;
const CRITICAL_RED = 0.35;

export class Vitals {
  readonly #bar = byId("health-bar", HTMLElement);
  readonly #health = byId("health", HTMLElement);
  readonly #score = byId("own-score", HTMLElement);
  readonly #fights = byId("own-fights", HTMLElement);
  readonly #red = byId("hurt", HTMLElement);
  readonly #death = byId("death", HTMLElement);
  readonly #killer = byId("death-by", HTMLElement);
  readonly #countdown = byId("death-countdown", HTMLElement);
  #hurt = 0;
  #respawnsAtMs = 0;

  onHurt(damage: number): void {
    this.#hurt = Math.min(1, this.#hurt + (2 * damage) / RULES.hpMax);
  }

  onKilled(byName: string | null, nowMs: number): void {
    this.#respawnsAtMs = nowMs + RULES.respawnMs;
    setText(this.#killer, byName === null ? "You are down" : `Taken down by ${byName}`);
  }

  update(self: View<typeof Player> | undefined, nowMs: number, dtMs: number): void {
    this.#hurt = Math.max(0, this.#hurt - dtMs / HURT_MS);
    const hp = self?.hp ?? 0;
    const least = hp > 0 && hp <= CRITICAL_HP ? CRITICAL_RED : 0;
    this.#red.style.opacity = Math.max(this.#hurt, least).toFixed(2);
    const isDead = self !== undefined && hp === 0;
    this.#death.hidden = !isDead;
    if (isDead) {
      const restS = Math.max(0, this.#respawnsAtMs - nowMs) / 1_000;
      setText(this.#countdown, restS > 0 ? restS.toFixed(1) : "…");
    }
    if (self === undefined) return;
    const share = hp / RULES.hpMax;
    this.#bar.style.transform = `scaleX(${share})`;
    this.#bar.style.backgroundColor = `hsl(${(share * 160).toFixed(0)} 85% 58%)`;
    setText(this.#health, String(hp));
    setText(this.#score, String(self.score));
    setText(this.#fights, `${self.kills} / ${self.deaths}`);
  }
}
