/**
 * The arena: up to 32 players move, aim and shoot on a fixed map. The server decides everything; clients send what
 * they do, with how long they do it, and predict their own movement with the same `stepBody`. Shots are judged by
 * what the shooter saw (`arena/history.ts` has the rule). Bots fill up the room while few play; they do what they do
 * by the same inputs.
 */
import { type Point, SPAWNS } from "../../shared/games/arena/map.ts";
import { RULES } from "../../shared/games/arena/rules.ts";
import { ArenaState, type Kill, MoveInput, type Player, type Shot } from "../../shared/games/arena/schema.ts";
import { firstHit, flightMs, type Span } from "../../shared/games/arena/shot.ts";
import { type Direction, NO_DIRECTION, stepBody } from "../../shared/games/arena/step.ts";
import { payIn, type TimeAccount, takeOut } from "../../shared/games/arena/time-account.ts";
import { cleanName } from "../../shared/games/player-name.ts";
import type { InputOf, Live } from "../../shared/schema/index.ts";
import type { Client } from "../room/client.ts";
import { message } from "../room/messages.ts";
import { type JoinOptions, Room } from "../room/room.ts";
import { timer } from "../room/timers.ts";
import { decide, freshMind, type Mind } from "./arena/bot.ts";
import { forget, type Moment, remember, rewound, spansSince, type Target } from "./arena/history.ts";

/** So many spawns are drawn at random; the one farthest from everybody alive is taken. */
const SPAWN_CHOICES = 3;
/** How often the room's public description is brought up to date. */
const LISTING_INTERVAL_MS = 2000;
/** Of a shot's number, to make it its key. */
const KEY_RADIX = 36;
/** As many as there can be bots, so that each has its own. */
const BOT_NAMES = ["Jackdaw", "Magpie", "Raven", "Jay", "Chough", "Nutcracker", "Treepie", "Hooded Crow"];

type LivePlayer = Live<typeof Player>;
type LiveShot = Live<typeof Shot>;
/** What the server knows of a player and nobody else needs. */
type Fighter = TimeAccount & { canShootAtMs: number; readonly mind?: Mind };
type Listing = { readonly players: number; readonly topScore: number };
type ArenaData = {
  readonly fighters: Map<string, Fighter>;
  /** Bots come while there are fewer players than that. */
  botsFillTo: number;
  botsMade: number;
  shotsFired: number;
  /** Of those; the others were fired since the last tick. */
  shotsFlown: number;
  readonly history: Moment[];
  listing: Listing;
};

export class Arena extends Room<typeof ArenaState, ArenaData> {
  static state = ArenaState;
  static tickRate = RULES.ticksPerSecond;
  static maxClients = RULES.playersMax;
  /** Who asks for a room without bots (`bots: 0`) shall not get one with them. */
  static filterBy = ["bots"];

  data: ArenaData = {
    fighters: new Map(),
    botsFillTo: RULES.botsFillTo,
    botsMade: 0,
    shotsFired: 0,
    shotsFlown: 0,
    history: [],
    listing: { players: 0, topScore: 0 },
  };

  /** Messages come in at the tick, before `onTick`, in the order in which the client sent them. */
  messages = {
    move: message(MoveInput, (client, input) => this.#act(client.sessionId, input)),
  };

  timers = {
    respawn: timer<{ sessionId: string }>(({ sessionId }) => this.#respawn(sessionId)),
    listing: timer(() => this.#updateListing()),
  };

  onCreate({ bots }: JoinOptions): void {
    if (isBotCount(bots)) this.data.botsFillTo = bots;
    this.timers.listing.every(LISTING_INTERVAL_MS);
    this.metadata = this.data.listing;
  }

  onJoin(client: Client, options: JoinOptions): void {
    const name = cleanName(options.name, `Player ${client.slot + 1}`);
    this.#enter(client.sessionId, { name, colour: client.slot });
    this.#fillUp();
  }

  onDrop(client: Client): void {
    const player = this.state.players.get(client.sessionId);
    if (player !== undefined) halt(player);
  }

  onLeave(client: Client): void {
    this.#exit(client.sessionId);
    this.#fillUp();
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
      if (fighter.mind !== undefined) this.#actAsBot(sessionId, player, fighter, fighter.mind);
    }
    this.#rememberPlaces();
    this.#flyShots();
  }

  #enter(sessionId: string, looks: { name: string; colour: number; isBot?: boolean }, mind?: Mind): void {
    const { x, y } = this.#chooseSpawn();
    this.state.players.set(sessionId, { ...looks, x, y, hp: RULES.hpMax });
    // One input in advance: the first shall not be cut because it comes before the first tick has paid.
    this.data.fighters.set(sessionId, {
      balanceMs: RULES.inputMsMax,
      canShootAtMs: 0,
      ...(mind && { mind }),
    });
  }

  #exit(sessionId: string): void {
    this.state.players.delete(sessionId);
    this.data.fighters.delete(sessionId);
  }

  /** Lets bots in, or the newest out, so that they make up what is missing of players. */
  #fillUp(): void {
    const wanted = Math.max(0, this.data.botsFillTo - this.clients.size);
    const bots = [...this.state.players].filter(([, { isBot }]) => isBot);
    for (const [sessionId] of bots.slice(wanted)) this.#exit(sessionId);
    for (let count = bots.length; count < wanted; count++) this.#addBot();
  }

  #addBot(): void {
    const players = [...this.state.players.values()];
    const isFree = (name: string) => players.every((player) => !player.isBot || player.name !== name);
    const name = BOT_NAMES.find(isFree) as string;
    let colour = RULES.playersMax - 1;
    // From the top: clients get the lowest slots, and there are no bots any more when they come up here.
    while (players.some((player) => player.colour === colour)) colour -= 1;
    this.#enter(`bot-${this.data.botsMade++}`, { name, colour, isBot: true }, freshMind());
  }

  #actAsBot(sessionId: string, player: LivePlayer, fighter: Fighter, mind: Mind): void {
    const { nowMs } = this.clock;
    const { players } = this.state;
    const decision = decide(mind, player, { sessionId, nowMs, players, random: () => this.random() });
    // An input lasts for whole milliseconds; what is left is for the next tick.
    while (fighter.balanceMs >= RULES.inputMsMin) {
      const durationMs = Math.min(Math.floor(fighter.balanceMs), RULES.inputMsMax);
      this.#act(sessionId, { ...decision, durationMs, seenAtMs: nowMs });
    }
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
      this.#shoot(player, input);
    }
  }

  #shoot(by: LivePlayer, { aim, seenAtMs }: InputOf<typeof MoveInput>): void {
    const key = (this.data.shotsFired++).toString(KEY_RADIX);
    const { x, y } = by;
    const firedAtMs = rewound(seenAtMs, this.clock.nowMs);
    this.state.shots.set(key, { x, y, angle: aim, firedAtMs, lifeMs: flightMs(by, aim), by });
  }

  #rememberPlaces(): void {
    const places = new Map<string, Point>();
    for (const [sessionId, { x, y }] of this.state.players) places.set(sessionId, { x, y });
    remember(this.data.history, { atMs: this.clock.nowMs, places });
  }

  /** Lets every shot fly up to now, the older first. */
  #flyShots(): void {
    const { shots } = this.state;
    if (shots.size === 0) return;
    const { shotsFired, shotsFlown, history } = this.data;
    const { nowMs } = this.clock;
    const lastTickMs = history.at(-2)?.atMs ?? nowMs;
    const spans = spansSince(history, shotsFired > shotsFlown ? nowMs - RULES.rewindMsMax : lastTickMs);
    for (const [key, shot] of shots) {
      const isNew = Number.parseInt(key, KEY_RADIX) >= shotsFlown;
      this.#fly(shot, isNew ? shot.firedAtMs : lastTickMs, spans);
      if (nowMs >= shot.firedAtMs + shot.lifeMs + RULES.shotLingerMs) shots.delete(key);
    }
    this.data.shotsFlown = shotsFired;
  }

  #fly(shot: LiveShot, sinceMs: number, spans: readonly Span<Target>[]): void {
    const shooter = shot.by;
    for (const span of spans) {
      const hit = firstHit(shot, sinceMs, span, ({ sessionId }) => {
        const player = this.state.players.get(sessionId);
        return player !== undefined && player !== shooter && player.hp > 0;
      });
      if (hit === undefined) continue;
      shot.lifeMs = Math.floor(hit.atMs - shot.firedAtMs);
      const victim = this.state.players.get(hit.target.sessionId);
      if (victim !== undefined) this.#hurt(hit.target.sessionId, victim, shooter);
      return;
    }
  }

  #hurt(sessionId: string, victim: LivePlayer, shooter: LivePlayer | undefined): void {
    victim.hp = Math.max(0, victim.hp - RULES.hitDamage);
    if (shooter !== undefined) shooter.score += RULES.scorePerHit;
    if (victim.hp === 0) this.#kill(sessionId, victim, shooter);
  }

  #kill(sessionId: string, victim: LivePlayer, shooter: LivePlayer | undefined): void {
    halt(victim);
    victim.deaths += 1;
    if (shooter !== undefined) {
      shooter.kills += 1;
      shooter.score += RULES.scorePerKill;
    }
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
    forget(this.data.history, sessionId);
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
    const players = this.clients.size;
    const { listing } = this.data;
    if (players === listing.players && topScore === listing.topScore) return;
    this.data.listing = { players, topScore };
    this.metadata = this.data.listing;
  }
}

function isBotCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= RULES.botsFillToMax;
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
