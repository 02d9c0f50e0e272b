/** The world's room as this page joins it. */
import { KINDS, RULES } from "../../../../shared/games/world/rules.ts";
import { SteerInput, WorldState } from "../../../../shared/games/world/schema.ts";
import type { View } from "../../../../shared/schema/index.ts";
import type { Room } from "../../../sdk/index.ts";

export const WORLD = "world";
export const WORLD_OPTIONS = { state: WorldState, messages: { steer: SteerInput } };
export type WorldRoom = Room<typeof WorldState, typeof WORLD_OPTIONS.messages>;
export type WorldView = View<typeof WorldState>;

/** How many creatures there are, of which a client knows those it sees. */
export const CREATURES = KINDS.reduce((sum, { herds }) => sum + herds * RULES.herdSize, 0);
