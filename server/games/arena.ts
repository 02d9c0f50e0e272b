/**
 * The arena: up to 32 players move, aim and shoot on a fixed map. The server decides everything; clients send what
 * they do, with how long they do it, and predict their own movement with the same `stepBody`.
 */
import { type Point, SPAWNS } from "../../shared/games/arena/map.ts";
import { RULES } from "../../shared/games/arena/rules.ts";
import { ArenaState, type Kill, MoveInput, type Player } from "../../shared/games/arena/schema.ts";
import { firstHit, shotPositionAt } from "../../shared/games/arena/shot.ts";
import { type Direction, NO_DIRECTION, stepBody } from "../../shared/games/arena/step.ts";
import { payIn, type TimeAccount, takeOut } from "../../shared/games/arena/time-account.ts";
import { cleanName } from "../../shared/games/player-name.ts";
import type { InputOf, Live } from "../../shared/schema/index.ts";
import type { Client } from "../room/client.ts";
import { message } from "../room/messages.ts";
import { type JoinOptions, Room } from "../room/room.ts";
import { timer } from "../room/timers.ts";

/** So many spawns are drawn at random; the one farthest from everybody alive is taken. */
const SPAWN_CHOICES = 3;
/** How often the room's public description is brought up to date. */
const LISTING_INTERVAL_MS = 2000;

type LivePlayer = Live<typeof Player>;
/** What the server knows of a player and nobody else needs. */
type Fighter = TimeAccount & { canShootAtMs: number };
type Listing = { readonly players: number; readonly topScore: number };
type ArenaData = { readonly fighters: Map<string, Fighter>; shotsFired: number; listing: Listing };
/** Somebody who can be hit, with the position read once per tick. */
type Target = Point & { readonly player: LivePlayer };

export class Arena extends Room<typeof ArenaState, ArenaData> {
  static state = ArenaState;
  static tickRate = RULES.ticksPerSecond;
  static maxClients = RULES.playersMax;

  data: ArenaData = { fighters: new Map(), shotsFired: 0, listing: { players: 0, topScore: 0 } };

  /** Messages come in at the tick, before `onTick`, in the order in which the client sent them. */
  messages = {
    move: message(MoveInput, (client, input) => this.#act(client.sessionId, input)),
  };

  timers = {
    respawn: timer<{ sessionId: string }>(({ sessionId }) => this.#respawn(sessionId)),
    listing: timer(() => this.#updateListing()),
  };

  onCreate(): void {
    this.timers.listing.every(LISTING_INTERVAL_MS);
    this.metadata = this.data.listing;
  }

  onJoin(client: Client, options: JoinOptions): void {
    this.#enter(client.sessionId, cleanName(options.name, `Player ${client.slot + 1}`), client.slot);
  }

  onDrop(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    if (player !== undefined) halt(player);
  }

  onLeave(client: Client): void {
    this.state.players.delete(client.sessionId);
    this.data.fighters.delete(client.sessionId);
  }

  onTick(dtMs: number): void {
    for (const [sessionId, fighter] of this.data.fighters) {
      const idleMs = payIn(fighter, dtMs);
      const player = this.state.players.get(sessionId);
      if (player === undefined) continue;
      // In pieces that `stepBody` can take, since a tick may be long after a delay.
      for (let restMs = idleMs; restMs > 0; restMs -= RULES.inputMsMax) {
        move(player, NO_DIRECTION, Math.min(restMs, RULES.inputMsMax));
      }
    }
    this.#flyShots(dtMs);
  }

  #enter(sessionId: string, name: string, colour: number): void {
    const { x, y } = this.#chooseSpawn();
    this.state.players.set(sessionId, { x, y, hp: RULES.hpMax, name, colour });
    this.data.fighters.set(sessionId, { balanceMs: 0, canShootAtMs: 0 });
  }

  #act(sessionId: string, input: InputOf<typeof MoveInput>): void {
    const player = this.state.players.get(sessionId);
    const fighter = this.data.fighters.get(sessionId);
    if (player === undefined || fighter === undefined) return;
    const durationMs = takeOut(fighter, input.durationMs);
    if (player.hp === 0) return;
    move(player, input, durationMs);
    player.angle = input.aim;
    if (input.shoot && this.clock.nowMs >= fighter.canShootAtMs) {
      fighter.canShootAtMs = this.clock.nowMs + RULES.shotCooldownMs;
      this.#shoot(player, input.aim);
    }
  }

  #shoot(by: LivePlayer, angle: number): void {
    const key = (this.data.shotsFired++).toString(36);
    this.state.shots.set(key, { x: by.x, y: by.y, angle, firedAtMs: this.clock.nowMs, by });
  }

  /** Lets every shot fly on by one tick, the older first. */
  #flyShots(dtMs: number): void {
    if (this.state.shots.size === 0) return;
    const targets = new Map<LivePlayer, Target>();
    for (const player of this.state.players.values()) {
      if (player.hp > 0) targets.set(player, { player, x: player.x, y: player.y });
    }
    const { nowMs } = this.clock;
    for (const [key, shot] of this.state.shots) {
      const shooter = shot.by;
      const from = shotPositionAt(shot, nowMs - dtMs);
      const to = shotPositionAt(shot, nowMs);
      const hit = firstHit(from, to, targets.values(), shooter && targets.get(shooter));
      if (hit !== undefined || nowMs >= shot.firedAtMs + RULES.shotLifetimeMs) this.state.shots.delete(key);
      if (hit === undefined || hit === "wall") continue;
      this.#hurt(hit.player, shooter);
      if (hit.player.hp === 0) targets.delete(hit.player);
    }
  }

  #hurt(victim: LivePlayer, shooter: LivePlayer | undefined): void {
    victim.hp = Math.max(0, victim.hp - RULES.hitDamage);
    if (shooter !== undefined) shooter.score += RULES.scorePerHit;
    if (victim.hp === 0) this.#kill(victim, shooter);
  }

  #kill(victim: LivePlayer, shooter: LivePlayer | undefined): void {
    halt(victim);
    victim.deaths += 1;
    if (shooter !== undefined) {
      shooter.kills += 1;
      shooter.score += RULES.scorePerKill;
    }
    const sessionId = this.#sessionOf(victim);
    this.timers.respawn.after(RULES.respawnMs, { sessionId });
    const kill: Kill = {
      by: shooter === undefined ? null : this.#sessionOf(shooter),
      byName: shooter?.name ?? null,
      victim: sessionId,
      victimName: victim.name,
    };
    this.broadcast("kill", kill);
  }

  #respawn(sessionId: string): void {
    const player = this.state.players.get(sessionId);
    if (player === undefined) return;
    const { x, y } = this.#chooseSpawn();
    player.x = x;
    player.y = y;
    player.hp = RULES.hpMax;
  }

  #chooseSpawn(): Point {
    const choices = Array.from({ length: SPAWN_CHOICES }, () => {
      const point = SPAWNS[Math.floor(this.random() * SPAWNS.length)] as Point;
      return { point, distance: this.#distanceToNearest(point) };
    });
    return choices.reduce((best, choice) => (choice.distance > best.distance ? choice : best)).point;
  }

  /** Squared, in units of the map. */
  #distanceToNearest({ x, y }: Point): number {
    let nearest = Number.POSITIVE_INFINITY;
    for (const player of this.state.players.values()) {
      if (player.hp > 0) nearest = Math.min(nearest, (player.x - x) ** 2 + (player.y - y) ** 2);
    }
    return nearest;
  }

  #sessionOf(wanted: LivePlayer): string {
    for (const [sessionId, player] of this.state.players) if (player === wanted) return sessionId;
    throw new Error("the player has left");
  }

  #updateListing(): void {
    let topScore = 0;
    for (const { score } of this.state.players.values()) topScore = Math.max(topScore, score);
    const { players, topScore: listed } = this.data.listing;
    if (players === this.state.players.size && topScore === listed) return;
    this.data.listing = { players: this.state.players.size, topScore };
    this.metadata = this.data.listing;
  }
}

function move(player: LivePlayer, direction: Direction, durationMs: number): void {
  const { x, y, vx, vy } = stepBody(player, direction, durationMs);
  player.x = x;
  player.y = y;
  player.vx = vx;
  player.vy = vy;
}

function halt(player: LivePlayer): void {
  player.vx = 0;
  player.vy = 0;
}
