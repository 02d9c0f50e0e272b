/** The bundled games, served: `npm start`. */
import { serve } from "./serve.ts";

await serve({
  rooms: {
    arena: () => import("./games/arena.ts"),
    "connect-four": () => import("./games/connect-four.ts"),
    world: () => import("./games/world.ts"),
  },
});
