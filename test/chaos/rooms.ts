/** The room types of the server under chaos: what it serves, and what a replay of theirs needs. */
import type { ServeOptions } from "../../server/serve.ts";

export const rooms: ServeOptions["rooms"] = {
  "ledger-arena": () => import("./rooms/ledger-arena.ts"),
  // Under its own name: `npm run replay` knows it.
  arena: () => import("./rooms/recorded-arena.ts"),
  "connect-four": () => import("../../server/games/connect-four.ts"),
  unruly: () => import("../support/rooms/echo.ts"),
};
