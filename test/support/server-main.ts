/** The server that the tests of the whole start. */
import { serve } from "../../server/serve.ts";

await serve({
  rooms: {
    echo: () => import("./rooms/echo.ts"),
    fleeting: () => import("./rooms/fleeting.ts"),
    lobby: () => import("./rooms/lobby.ts"),
    arena: () => import("../../server/games/arena.ts"),
  },
});
