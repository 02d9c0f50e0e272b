/** What the arena with a ledger replicates besides the arena's own state, and what its players send besides moves. */
import { MoveInput, Player, Shot } from "../../../shared/games/arena/schema.ts";
import { entity, f64, input, list, map, u32 } from "../../../shared/schema/index.ts";

/** What has come of one player's numbered messages. */
export const Entry = entity({ last: u32, lost: u32, doubled: u32 }, "Entry");

export const LedgerArenaState = entity(
  {
    players: map(Player),
    shots: map(Shot),
    /** Ticks that the room has done, by its own count. */
    ticks: u32,
    /** Follows from every state so far: see `LedgerArena`. */
    chain: u32,
    /** By session. */
    ledger: map(Entry),
    /** Different in each tick: fills the sockets of those who do not read. */
    noise: list(f64),
  },
  "LedgerArenaState",
);

/** A numbered message: the first of a player is 1. */
export const CountInput = input({ number: u32 });

/** Asks which chain the room has had at a tick; the answer is `Recalled`. */
export const RecallInput = input({ tick: u32 });
/** `chain` is null when that is too long ago. */
export type Recalled = { readonly tick: number; readonly chain: number | null };

export const LEDGER_MESSAGES = { move: MoveInput, count: CountInput, recall: RecallInput };

/** So many counts are answered with one event to their sender alone, which tells how many such events there were. */
export const COUNTS_PER_RECEIPT = 8;
