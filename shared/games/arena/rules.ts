/**
 * The numbers of the arena. Lengths are in units of the map (a player is 32 across), times in milliseconds, speeds
 * in units per second, angles in radians: 0 points along x, growing towards y, which points down.
 */
export const RULES = {
  ticksPerSecond: 20,
  /** Seats; bots hold none. */
  playersMax: 32,
  /** While fewer players are there, bots make up the number. A room can be created with another one. */
  botsFillTo: 4,
  botsFillToMax: 8,

  worldWidth: 2000,
  worldHeight: 1500,
  /** Grids of the replicated numbers: a position takes two bytes, a speed one. */
  positionStep: 1 / 32,
  speedStep: 2,

  playerRadius: 16,
  speedMax: 250,
  /** Units per second per second, while a direction is held. */
  acceleration: 1600,
  /** The same, while none is. */
  braking: 2000,

  /** How long one input may last: clients send 20 to 125 a second, and cut what took longer into several. */
  inputMsMin: 8,
  inputMsMax: 50,
  /** Time a player may be behind with inputs: a connection that stalls for half a second costs no prediction. See `TimeAccount`. */
  inputBacklogMsMax: 500,

  hpMax: 100,
  hitDamage: 25,
  scorePerHit: 10,
  scorePerKill: 100,
  respawnMs: 2500,

  /** Off the ticks' multiples of 50, as is the lifetime, so that the rounding of tick times decides nothing. */
  shotCooldownMs: 275,
  shotSpeed: 900,
  shotLifetimeMs: 775,
  /** Who is shown the past still finds a shot that is over; with the cooldown this makes 4 shots per player at most. */
  shotLingerMs: 250,
  shotRadius: 3,
  /** A shot is judged by what the shooter saw, unless that is longer ago. */
  rewindMsMax: 250,
} as const;
