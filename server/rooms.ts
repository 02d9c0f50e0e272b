/** The bundled games by room type: what `npm start` serves and `npm run replay` knows. */
import type { ServeOptions } from "./serve.ts";

export const rooms: ServeOptions["rooms"] = {
  arena: () => import("./games/arena.ts"),
  "connect-four": () => import("./games/connect-four.ts"),
  world: () => import("./games/world.ts"),
};
