/** Connect four's room as this page joins it. */
import { ConnectFourState } from "../../../../shared/games/connect-four/schema.ts";
import type { View } from "../../../../shared/schema/index.ts";
import type { Room } from "../../../sdk/index.ts";

export const CONNECT_FOUR = "connect-four";
export const CONNECT_FOUR_OPTIONS = { state: ConnectFourState };
export type ConnectFourRoom = Room<typeof ConnectFourState>;
export type ConnectFourView = View<typeof ConnectFourState>;
