/**
 * The numbers of the world. Lengths are in its units (a player is 28 across), times in milliseconds, speeds in units
 * per second, angles in radians: 0 points along x, growing towards y, which points down.
 */
export const RULES = {
  ticksPerSecond: 20,
  playersMax: 200,

  worldWidth: 4000,
  worldHeight: 4000,
  /** Grid of the replicated positions: two bytes each. */
  positionStep: 1 / 16,

  /** What a player is sent: a screen of 960 by 720 around it fits in, and about 40 creatures. */
  viewRadius: 600,

  playerRadius: 14,
  walkSpeed: 220,
  sprintSpeed: 360,
  staminaMax: 100,
  staminaStep: 1 / 4,
  /** Per second of sprinting, and of not sprinting. */
  staminaLoss: 40,
  staminaGain: 15,

  /** A herd has so many creatures, all of one kind. */
  herdSize: 12,
  /** How far from its herd's meeting point a creature is at ease. */
  herdRadius: 160,
  /** How long a herd stays around one meeting point. */
  herdStayMsMin: 10_000,
  herdStayMsMax: 40_000,

  /** From this close, between the middles, a player tags a creature. */
  tagDistance: 32,
  /** A creature that was tagged cannot be tagged again for so long. */
  tagPauseMs: 3_000,
  /** So many players are on the board of leaders. */
  leadersMax: 5,
  leadersIntervalMs: 1_000,
} as const;

export type Kind = {
  readonly name: string;
  readonly radius: number;
  readonly herds: number;
  /** Points for tagging one. */
  readonly worth: number;
  readonly speed: number;
  /** When a player comes this close, it runs. */
  readonly shyDistance: number;
  readonly runSpeed: number;
};

/** A creature's `kind` is its index here. */
export const KINDS: readonly Kind[] = [
  { name: "sheep", radius: 14, herds: 28, worth: 1, speed: 45, shyDistance: 70, runSpeed: 110 },
  { name: "hare", radius: 9, herds: 14, worth: 3, speed: 70, shyDistance: 130, runSpeed: 240 },
  { name: "deer", radius: 17, herds: 8, worth: 5, speed: 60, shyDistance: 200, runSpeed: 300 },
];
