/** The arena's room as this page joins it. */
import { ArenaState, MoveInput } from "../../../../shared/games/arena/schema.ts";
import type { Room } from "../../../sdk/index.ts";

export const ARENA = "arena";
export const ARENA_OPTIONS = { state: ArenaState, messages: { move: MoveInput } };
export type ArenaRoom = Room<typeof ArenaState, typeof ARENA_OPTIONS.messages>;
