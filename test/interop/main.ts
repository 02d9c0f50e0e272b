/** The server that clients in other languages are tested against. */
import { serve } from "../../server/serve.ts";

await serve({
  rooms: {
    dice: () => import("../support/rooms/dice.ts"),
    echo: () => import("../support/rooms/echo.ts"),
    "every-type": () => import("./every-type.ts"),
  },
});
