/** The server that the tests of the whole start. */
import { serve } from "../../server/serve.ts";

await serve({
  rooms: {
    dice: () => import("./rooms/dice.ts"),
    echo: () => import("./rooms/echo.ts"),
    fleeting: () => import("./rooms/fleeting.ts"),
    freight: () => import("./rooms/freight.ts"),
    lobby: () => import("./rooms/lobby.ts"),
    mortal: async () => ({ Mortal: (await import("./rooms/mortal.ts")).Mortal }),
    mortalGuarded: async () => ({ Mortal: (await import("./rooms/mortal.ts")).GuardedMortal }),
    mortalSeldom: async () => ({ Mortal: (await import("./rooms/mortal.ts")).SeldomMortal }),
    mortalTickless: async () => ({ Mortal: (await import("./rooms/mortal.ts")).TicklessMortal }),
    mortalWorn: async () => ({ Mortal: (await import("./rooms/mortal.ts")).WornMortal }),
    arena: () => import("../../server/games/arena.ts"),
  },
});
